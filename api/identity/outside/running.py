"""Outside sign-in in a process: the relying party, and in the control plane the checks of accounts in use."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from litestar import Litestar, Request

from api.core import jobs
from api.core.jobs import Job
from api.identity.installation import current
from api.identity.outside.calls import Calls
from api.identity.outside.checking import EVERY_SECONDS, Checker
from api.identity.outside.relying_party import RelyingParty


@asynccontextmanager
async def outside_sign_in(app: Litestar) -> AsyncIterator[None]:
    """Runs for the life of the application; the stores are open already."""
    settings = current().settings
    calls = Calls(settings)
    party = RelyingParty(calls)
    app.state.relying_party = party
    async with AsyncExitStack() as stack:
        stack.push_async_callback(calls.close)
        if settings.environment == "sandbox":
            checker = Checker(party)
            await stack.enter_async_context(
                jobs.running(Job("identity.outside", EVERY_SECONDS, checker.turn))
            )
        yield


def party_of(request: Request[Any, Any, Any]) -> RelyingParty:
    """The relying party of this process."""
    found: RelyingParty = request.app.state.relying_party
    return found
