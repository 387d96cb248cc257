"""When each secret was last used: noted in memory, written in batches, never per request."""

from datetime import datetime

from tortoise.exceptions import BaseORMException

from api.core import audit, clock
from api.identity.models import AppSecret


class SecretUses:
    """Collects the last use of secrets by id. What a kill loses is a minute of it."""

    def __init__(self) -> None:
        self._noted: dict[str, datetime] = {}

    def note(self, secret_id: str) -> None:
        self._noted[secret_id] = clock.now()

    async def write(self) -> int:
        """Write what was noted. Returns how many secrets."""
        noted, self._noted = self._noted, {}
        if not noted:
            return 0
        try:
            async with audit.write("system:oauth", "app:secret:used", "oauth", secrets=len(noted)):
                for secret_id, moment in noted.items():
                    await AppSecret.filter(id=secret_id).update(last_used_at=moment)
        except (BaseORMException, OSError):
            self._noted = noted | self._noted
            raise
        return len(noted)
