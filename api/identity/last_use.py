"""When sessions and personal tokens were last used: noted in memory, written in batches, never per request.

housekeeping writes it once a minute, as one journal entry. What a kill loses is a minute of "last used".
"""

from datetime import datetime

from tortoise.exceptions import BaseORMException

from api.core import audit, clock
from api.identity.models import PersonalToken, Session


class LastUse:
    """Collects the last use of sessions (by hash) and tokens (by id)."""

    def __init__(self) -> None:
        self._sessions: dict[str, datetime] = {}
        self._tokens: dict[str, datetime] = {}

    def note_session(self, session_hash: str) -> None:
        self._sessions[session_hash] = clock.now()

    def note_token(self, token_id: str) -> None:
        self._tokens[token_id] = clock.now()

    async def write(self) -> int:
        """Write what was noted; returns how many. On failure it stays noted and the error goes up."""
        sessions, self._sessions = self._sessions, {}
        tokens, self._tokens = self._tokens, {}
        if not sessions and not tokens:
            return 0
        try:
            async with audit.write("system:identity", "credential:used", "identity") as entry:
                entry.detail |= {"sessions": len(sessions), "tokens": len(tokens)}
                for session_hash, moment in sessions.items():
                    await Session.filter(hash=session_hash).update(last_seen_at=moment)
                for token_id, moment in tokens.items():
                    await PersonalToken.filter(id=token_id).update(last_used_at=moment)
        except (BaseORMException, OSError):
            self._sessions, self._tokens = sessions | self._sessions, tokens | self._tokens
            raise
        return len(sessions) + len(tokens)


last_use = LastUse()
