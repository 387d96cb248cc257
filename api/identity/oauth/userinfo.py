"""UserInfo (OpenID Connect Core §5.3): who the subject of an access token is, as far as its scopes go.

    openid    sub
    profile   name, birthdate

Nothing else is told here: what departments know of a person is had from their services, by consent. The token is
checked as the gateway checks it: revocation, the app's standing, the consent behind it, and the key it is bound to.
"""

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from api.core import store
from api.identity.installation import current
from api.identity.oauth.clients import ClientDirectory
from api.identity.oauth.dpop import Nonces, ProofError, hash_of_token, read_proof
from api.identity.oauth.families import insert_once
from api.identity.oauth.id_tokens import PROFILE, SCOPE
from api.identity.oauth.models import RevokedToken
from api.identity.oauth.mtls import Certificate
from api.identity.oauth.preloading import Preloader, lapse_of
from api.identity.oauth.tokens import Claims

MAX_PROOFS = 1


class Presented(Struct, frozen=True):
    """What a request brings: its method, Authorization headers, DPoP headers, and certificate."""

    method: str
    authorization: tuple[str, ...]
    proofs: tuple[str, ...] = ()
    certificate: Certificate | None = None


class UserInfoAnswer(Struct, frozen=True):
    """A status, a JSON body, headers."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


class _Refused(Exception):  # noqa: N818 - a refusal, as everywhere
    def __init__(
        self, status: int, error: str, description: str, *, scheme: str = "Bearer", nonce: str = ""
    ) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.scheme = scheme
        self.nonce = nonce


class UserInfo:
    """The endpoint of one plane. The installation tells who people are."""

    def __init__(
        self, *, environment: str, issuer: str, preloader: Preloader, clients: ClientDirectory, nonces: Nonces
    ) -> None:
        self._environment = environment
        self._issuer = issuer
        self._preloader = preloader
        self._clients = clients
        self._nonces = nonces

    async def answer(self, presented: Presented) -> UserInfoAnswer:
        """The claims, or a refusal with a challenge (RFC 6750 §3)."""
        try:
            claims = await self._check(presented)
        except _Refused as refused:
            return _refusal(refused)
        return UserInfoAnswer(200, await self._claims_of(claims), {})

    async def _claims_of(self, claims: Claims) -> dict[str, Any]:
        told: dict[str, Any] = {"sub": claims.sub}
        if PROFILE in claims.scope.split():
            subject = await current().subjects.find(claims.sub)
            if subject is not None:
                told["name"] = subject.name
                if subject.birth_date:
                    told["birthdate"] = subject.birth_date
        return told

    async def _check(self, presented: Presented) -> Claims:
        scheme, token = _credential(presented)
        claims = await self._verified(token)
        await self._check_possession(presented, scheme, token, claims)
        if SCOPE not in claims.scope.split() or claims.sub == claims.client_id:
            raise _Refused(
                403,
                "insufficient_scope",
                "UserInfo needs a token with scope openid, of a person who signed in.",
            )
        if await self._is_over(claims):
            raise _Refused(401, "invalid_token", "The token or the consent behind it has been withdrawn.")
        return claims

    async def _verified(self, token: str) -> Claims:
        claims = await self._preloader.claims_of(token)
        if claims is None or claims.aud == f"{self._issuer}/platform":
            raise _Refused(
                401, "invalid_token", "This is no access token of a person's sign-in here, or it has expired."
            )
        return claims

    async def _is_over(self, claims: Claims) -> bool:
        plane = store.plane(self._environment)
        if await RevokedToken.filter(jti=claims.jti).using_db(plane).exists():
            return True
        await self._clients.catch_up()
        client = await self._clients.find(claims.client_id)
        if client is None or client.status != "active":
            return True
        return bool(claims.grant and await lapse_of(claims.grant))

    async def _check_possession(self, presented: Presented, scheme: str, token: str, claims: Claims) -> None:
        jkt, x5t = claims.cnf.get("jkt", ""), claims.cnf.get("x5t#S256", "")
        if x5t and (presented.certificate is None or presented.certificate.thumbprint != x5t):
            raise _Refused(
                401, "invalid_token", "The token is bound to another certificate than this connection's."
            )
        if jkt and scheme != "dpop":
            raise _Refused(
                401,
                "invalid_token",
                "The token is bound to a key: send it as DPoP, with a proof.",
                scheme="DPoP",
            )
        if scheme == "dpop":
            await self._check_proof(presented, token, jkt)

    async def _check_proof(self, presented: Presented, token: str, jkt: str) -> None:
        if len(presented.proofs) != MAX_PROOFS:
            raise _Refused(401, "invalid_dpop_proof", "Send exactly one DPoP header.", scheme="DPoP")
        try:
            proof = read_proof(
                presented.proofs[0].encode(errors="replace"), method=presented.method,
                address=f"{self._issuer}/oauth/userinfo", nonces=self._nonces, token_hash=hash_of_token(token.encode()),
            )  # fmt: skip
        except ProofError as error:
            name = "use_dpop_nonce" if error.wants_nonce else "invalid_dpop_proof"
            nonce = self._nonces.current() if error.wants_nonce else ""
            raise _Refused(401, name, error.reason.en, scheme="DPoP", nonce=nonce) from None
        if proof.key.jkt != jkt:
            raise _Refused(
                401, "invalid_token", "The token is not bound to the key of this proof.", scheme="DPoP"
            )
        moment = datetime.fromtimestamp(proof.expires_at, UTC)
        plane = store.plane(self._environment)
        if not await insert_once(plane, "used_proof", "key", proof.digest("userinfo"), moment):
            raise _Refused(
                401, "invalid_dpop_proof", "This proof was used before; make a new one.", scheme="DPoP"
            )


def _credential(presented: Presented) -> tuple[str, str]:
    if len(presented.authorization) != 1:
        raise _Refused(401, "", "Send the access token in one Authorization header.")
    scheme, _, token = presented.authorization[0].partition(" ")
    if scheme.lower() not in {"bearer", "dpop"} or not token.strip() or not token.isascii():
        raise _Refused(401, "", "Send the access token as Bearer, or as DPoP with a proof.")
    return scheme.lower(), token.strip()


def _refusal(refused: _Refused) -> UserInfoAnswer:
    challenge = f'{refused.scheme} realm="kaimen"'
    if refused.error:  # without a credential there is nothing to be wrong (RFC 6750 §3.1)
        challenge += f', error="{refused.error}"'
    if refused.error == "insufficient_scope":
        challenge += f', scope="{SCOPE}"'
    headers = {"WWW-Authenticate": challenge}
    if refused.nonce:
        headers["DPoP-Nonce"] = refused.nonce
    body = {"error": refused.error or "invalid_request", "error_description": refused.description}
    return UserInfoAnswer(refused.status, body, headers)
