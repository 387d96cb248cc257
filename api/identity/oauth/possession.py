"""A bound access token at the platform API: its key or certificate has to come along, as at the gateway.

The gateway has a step of its own for calls of services (api.gateway.possession); both read proofs with dpop.py.
"""

from datetime import UTC, datetime
from typing import Any

from litestar import Request

from api.core import problem_types, store
from api.core.problems import ProblemType, Refusal, Text
from api.identity.oauth.dpop import Nonces, ProofError, hash_of_token, read_proof
from api.identity.oauth.families import insert_once
from api.identity.oauth.mtls import CertificateReader, CertificateRefused
from api.identity.oauth.tokens import Claims

_CONTEXT = "platform"  # proofs for these calls are remembered apart from others
_OTHER_KEY = Text(
    "证明的密钥不是令牌绑定的那一把。", "The proof's key is not the one that the token is bound to."
)
_NO_CERTIFICATE = Text(
    "令牌绑定了客户端证书,而此连接出示的不是那一张。",
    "The token is bound to a client certificate, and this connection has not shown it.",
)


class Possession:
    """Checks for one plane. `issuer` is the public address of the requests."""

    def __init__(
        self, environment: str, issuer: str, nonces: Nonces, certificates: CertificateReader
    ) -> None:
        self._environment = environment
        self._issuer = issuer
        self._nonces = nonces
        self._certificates = certificates

    async def check(self, request: Request[Any, Any, Any] | None, token: str, claims: Claims) -> None:
        """Nothing for an unbound token. Raises Refusal: proof-missing, proof-invalid, proof-replayed, certificate-mismatch.

        Without a request nothing can be shown, so a bound token is refused. Side effect: a proof is used.
        """
        jkt, x5t = claims.cnf.get("jkt", ""), claims.cnf.get("x5t#S256", "")
        if x5t:
            self._check_certificate(request, x5t)
        if jkt:
            await self._check_proof(request, token, jkt)

    def _check_certificate(self, request: Request[Any, Any, Any] | None, x5t: str) -> None:
        if request is None:
            raise Refusal(problem_types.CERTIFICATE_MISMATCH, reason=_NO_CERTIFICATE)
        client = request.scope.get("client")
        try:
            shown = self._certificates.read(client[0] if client else None, request.scope["headers"])
        except CertificateRefused as error:
            raise Refusal(problem_types.CERTIFICATE_MISMATCH, reason=error.reason) from None
        if shown is None or shown.thumbprint != x5t:
            raise Refusal(problem_types.CERTIFICATE_MISMATCH, reason=_NO_CERTIFICATE)

    async def _check_proof(self, request: Request[Any, Any, Any] | None, token: str, jkt: str) -> None:
        if request is None or request.headers.get("authorization", "")[:5].lower() != "dpop ":
            raise self._refusal(problem_types.PROOF_MISSING, rule="bearer-downgrade")
        sent = request.headers.getall("dpop", [])
        if len(sent) != 1:
            raise self._refusal(problem_types.PROOF_MISSING)
        path = bytes(request.scope.get("raw_path") or request.scope["path"].encode()).partition(b"?")[0]
        try:
            proof = read_proof(
                sent[0].encode("latin-1", errors="replace"),
                method=request.method,
                address=self._issuer + path.decode("latin-1"),
                nonces=self._nonces,
                token_hash=hash_of_token(token.encode()),
            )
        except ProofError as error:
            refusal = self._refusal(problem_types.PROOF_INVALID, rule=error.rule, reason=error.reason)
            if error.wants_nonce:
                refusal.headers["DPoP-Nonce"] = self._nonces.current()
            raise refusal from None
        if proof.key.jkt != jkt:
            raise self._refusal(problem_types.PROOF_INVALID, rule="other-key", reason=_OTHER_KEY)
        moment = datetime.fromtimestamp(proof.expires_at, UTC)
        plane = store.plane(self._environment)
        if not await insert_once(plane, "used_proof", "key", proof.digest(_CONTEXT), moment):
            raise self._refusal(problem_types.PROOF_REPLAYED)

    def _refusal(self, kind: ProblemType, *, rule: str = "", **facts: Any) -> Refusal:
        challenge = {"WWW-Authenticate": 'DPoP realm="kaimen", error="invalid_dpop_proof"'}
        return Refusal(
            kind, rule=rule, headers=challenge, token_endpoint=f"{self._issuer}/oauth/token", **facts
        )
