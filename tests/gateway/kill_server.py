"""A gateway process that may be killed at any moment: python kill_server.py HOME DATABASE_URL PORT"""

import asyncio
import signal
import sys
from pathlib import Path

import uvicorn

from api.core.store import Stores, open_stores
from api.gateway.server import PlainFirstProtocol
from api.main.stores import APPS
from api.settings import Settings
from tests.gateway.made import FAR, Claims, grant_of
from tests.gateway.recorded import recorded

TOKEN = b"the-token-of-the-kill-test"
APP_ID = "a_" + "k" * 26


async def main(home: str, url: str, port: int) -> None:
    settings = Settings(home=home, database_url=url, embedded=True)
    async with (
        open_stores(Stores(home=Path(home), url=url, apps=APPS), "sandbox"),
        recorded(settings) as plane,
    ):
        plane.world.apps.put(
            APP_ID, "o_test", kind="company", plan="open", grants=[grant_of(purpose="audit")]
        )
        plane.world.tokens.claims[TOKEN] = Claims("kt_kill", APP_ID, FAR, "j_kill", "company:profile:read")
        config = uvicorn.Config(
            plane.face,
            port=port,
            loop="uvloop",
            http=PlainFirstProtocol,
            lifespan="off",
            proxy_headers=False,
            access_log=False,
            log_level="warning",
        )
        # uvicorn raises the signal again when it has stopped; what closes after it here must still run,
        # as it does in `kaimen serve`, where it is the application's lifespan.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
