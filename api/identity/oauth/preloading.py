"""What a request may look up, read before the synchronous core decides: client, token, code or refresh token, family."""

from contextlib import suppress
from typing import Any

import msgspec

from api.core import clock, crypto, store
from api.core.problems import Refusal
from api.identity.models import Grant
from api.identity.oauth import tokens
from api.identity.oauth.client_authentication import presented_client_id
from api.identity.oauth.clients import PREFIXES, ClientDirectory
from api.identity.oauth.forms import Form
from api.identity.oauth.jose import decode_segment
from api.identity.oauth.keys import KeyRing
from api.identity.oauth.models import AuthorizationCode, RefreshToken, RevokedToken, TokenFamily
from api.identity.oauth.resources import FACES
from api.identity.oauth.unit_of_work import UnitOfWork


class Preloader:
    """Reads for one plane. `issuer` is that of its tokens."""

    def __init__(self, environment: str, issuer: str, ring: KeyRing, clients: ClientDirectory) -> None:
        self.environment = environment
        self._issuer = issuer
        self._ring = ring
        self._clients = clients
        self._audiences = frozenset(f"{issuer}/{name}" for name in (*FACES, "platform"))
        self._refresh_prefix = PREFIXES[environment].rstrip("_") + "r_"

    async def for_token(self, form: Form) -> UnitOfWork:
        """For the token endpoint, and every other one that only has to know the client."""
        work = await self._with_client(form)
        if form.get("code"):
            work.code = await AuthorizationCode.get_or_none(
                using_db=self._db, hash=crypto.hash_secret(form.get("code"))
            )
            if work.code is not None:
                await self.load_family(work, work.code.family_id)
        elif form.get("refresh_token"):
            await self._load_refresh(work, form.get("refresh_token"))
        return work

    async def for_inquiry(self, form: Form) -> UnitOfWork:
        """For revocation and introspection: the token that `token` names, of either kind."""
        work = await self._with_client(form)
        token = form.get("token")
        if token.startswith(self._refresh_prefix):
            await self._load_refresh(work, token)
        elif token:
            work.token = await self.claims_of(token)
        if work.token is not None:
            work.token_is_revoked = await RevokedToken.filter(jti=work.token.jti).using_db(self._db).exists()
            if work.token.grant:
                work.lapsed = await lapse_of(work.token.grant)
        return work

    async def claims_of(self, token: str) -> tokens.Claims | None:
        """The claims of an access token of ours that is valid now, whatever its audience; None for anything else."""
        audience = _unproven_audience(token)
        if audience not in self._audiences:
            return None
        with suppress(Refusal):
            return await tokens.verify_or_look_again(
                token.encode(errors="replace"), self._ring, self._issuer, audience
            )
        return None

    async def _with_client(self, form: Form) -> UnitOfWork:
        work = UnitOfWork(form)
        client_id = presented_client_id(form)
        if client_id:
            await self._clients.catch_up()
            work.client = await self._clients.find(client_id)
            work.published = await self._clients.published()
        return work

    async def _load_refresh(self, work: UnitOfWork, token: str) -> None:
        work.refresh = await RefreshToken.get_or_none(using_db=self._db, hash=crypto.hash_secret(token))
        if work.refresh is not None:
            await self.load_family(work, work.refresh.family_id)

    async def load_family(self, work: UnitOfWork, family_id: str) -> None:
        work.family = await TokenFamily.get_or_none(using_db=self._db, id=family_id)
        if work.family is not None and work.family.grant_id:
            work.lapsed = await lapse_of(work.family.grant_id)

    @property
    def _db(self) -> Any:
        return store.plane(self.environment)


async def lapse_of(grant_id: str) -> str:
    """Why a consent no longer counts; "" while it does."""
    grant = await Grant.get_or_none(id=grant_id)
    if grant is None:
        return "There is no consent behind this any more; start a new authorization."
    if grant.withdrawn_at is not None:
        return f"The consent was withdrawn at {clock.to_text(grant.withdrawn_at)}; start a new authorization."
    if grant.expires_at is not None and grant.expires_at <= clock.now():
        return f"The consent ended at {clock.to_text(grant.expires_at)}; start a new authorization."
    return ""


def _unproven_audience(token: str) -> str:
    try:
        claims = msgspec.json.decode(decode_segment(token.encode("ascii").split(b".")[1]))
        audience = claims["aud"]
    except (ValueError, IndexError, KeyError, TypeError, RecursionError):  # msgspec's faults are ValueErrors
        return ""
    return audience if isinstance(audience, str) else ""
