"""The bridge between async storage and authlib's synchronous core: preload → decide → compare-and-set commit.

What the core may look up is read beforehand and put here; what it decides to write is put here too and
written afterwards. A write that finds itself too late (an assertion used a moment ago) changes the answer.
The core reaches the unit through a context variable, because authlib's look-up hooks get no request.
"""

from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2 import OAuth2Error
from msgspec import Struct, field

from api.core import store
from api.identity.oauth import families
from api.identity.oauth.clients import Client, Secret
from api.identity.oauth.dpop import Proof
from api.identity.oauth.errors import ClientRefused, ProofFault
from api.identity.oauth.families import Step, TooLate, insert_once
from api.identity.oauth.forms import Form
from api.identity.oauth.models import AuthorizationCode, RefreshToken, TokenFamily
from api.identity.oauth.scopes import PublishedScopes
from api.identity.oauth.tokens import Claims

PROOFS = "oauth"  # proofs for these endpoints are remembered apart from those for calls


class AssertionUse(Struct, frozen=True):
    """The one use of a client assertion: its key in the store, and until when it is kept."""

    key: str
    expires_at: float


class UnitOfWork(Struct):
    """One request's world: what was preloaded, and what is to be committed.

    `token` holds the claims of the access token that a revocation or introspection names; None for one that is
    not ours or no longer valid. `family` belongs to `code` or `refresh`, whichever the request names; `lapsed` says
    why the consent behind it no longer counts, "" while it does. `steps` are written together or not at all,
    `ended` is the id of a family to revoke whatever the answer is.
    """

    form: Form
    client: Client | None = None
    published: PublishedScopes = field(default_factory=PublishedScopes)
    token: Claims | None = None
    token_is_revoked: bool = False
    code: AuthorizationCode | None = None
    refresh: RefreshToken | None = None
    family: TokenFamily | None = None
    lapsed: str = ""
    proof: Proof | None = None
    secret: Secret | None = None
    assertion: AssertionUse | None = None
    revoked: list[Claims] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    ended: str = ""
    preloaded: dict[str, Any] = field(default_factory=dict)  # what a further grant has looked up for itself
    revoked_ids: dict[str, float] = field(
        default_factory=dict
    )  # filled by commit: token ids and their expiry

    async def commit(self, environment: str, *, is_refused: bool = False) -> OAuth2Error | None:
        """Write what was decided. A refusal means that another request was first; its steps are not written then.

        `is_refused` says that the answer is a refusal already: then only uses and revocations are written.
        """
        plane = store.plane(environment)
        if self.assertion is not None and not await insert_once(
            plane, "used_assertion", "key", self.assertion.key, _moment(self.assertion.expires_at)
        ):
            return ClientRefused(
                "This client assertion was used before; make a new one, with a new jti, each time."
            )
        if self.proof is not None and not await insert_once(
            plane, "used_proof", "key", self.proof.digest(PROOFS), _moment(self.proof.expires_at)
        ):
            return ProofFault("This DPoP proof was used before; make a new one, with a new jti, each time.")
        for claims in self.revoked:
            await insert_once(plane, "revoked_token", "jti", claims.jti, _moment(claims.exp))
            self.revoked_ids[claims.jti] = claims.exp
        refusal = None
        if self.steps and not is_refused:
            try:
                await families.write_steps(environment, self.steps)
            except TooLate as late:
                refusal, self.ended = late.refusal, late.family or self.ended
        if self.ended:
            self.revoked_ids |= await families.revoke_families(environment, id=self.ended)
        return refusal


UNIT: ContextVar[UnitOfWork] = ContextVar("unit_of_work")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
