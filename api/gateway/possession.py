"""Of a token with something behind it: is its consent not withdrawn, and is it presented by whom it was given to.

Part of `authenticate`, for the tokens that have a Backing. Verifying a proof is done here; that it is its first
use takes a store, so `pipeline` asks that afterwards (`spend_proof`).
"""

from typing import Any

from api.core.problem_types import (
    CERTIFICATE_MISMATCH,
    CONSENT_WITHDRAWN,
    PROOF_INVALID,
    PROOF_MISSING,
    PROOF_REPLAYED,
)
from api.core.problems import ProblemType, Refusal, Text
from api.gateway.backing import Backing
from api.gateway.exchange import Exchange, Holding
from api.gateway.plane import Gateway
from api.identity.oauth.dpop import ALGORITHMS, Proof, ProofError, read_proof
from api.identity.oauth.mtls import CertificateRefused

_CONTEXT = "api"
_ALGORITHMS = " ".join(ALGORITHMS)
_OTHER_KEY = Text(
    "证明由另一把密钥签名,而不是令牌所绑定的密钥。",
    "The proof is signed with another key than the one the token is bound to.",
)
_NO_CERTIFICATE = Text(
    "令牌绑定了客户端证书,而此连接没有出示证书。",
    "The token is bound to a client certificate, and this connection has shown none.",
)
_OTHER_CERTIFICATE = Text(
    "此连接的客户端证书不是换取令牌时的那一张。",
    "The client certificate of this connection is not the one that the token was got with.",
)


def check(exchange: Exchange, gateway: Gateway, backing: Backing) -> None:
    """Leave the verified proof of a key-bound token in the exchange.

    Raises Refusal: consent-withdrawn, proof-missing, proof-invalid, certificate-mismatch.
    """
    if backing.grant and backing.grant in gateway.withdrawals.grants:
        raise refusal(CONSENT_WITHDRAWN, gateway, scheme="DPoP" if backing.jkt else "Bearer")
    holding = exchange.holding = Holding(backing)
    if exchange.is_proven:
        return
    if backing.certificate:
        _check_certificate(exchange, gateway, backing)
    if backing.jkt:
        holding.proof = _check_proof(exchange, gateway, backing)


async def spend_proof(holding: Holding, gateway: Gateway) -> None:
    """The proof of this call, if it needs one, is used now.

    Raises Refusal: proof-replayed; Failure: proof-unchecked.
    """
    proof = holding.proof
    if proof is not None and not await gateway.used_proofs.spend(proof.digest(_CONTEXT), proof.expires_at):
        raise refusal(PROOF_REPLAYED, gateway, scheme="DPoP", error="invalid_dpop_proof")


def _check_proof(exchange: Exchange, gateway: Gateway, backing: Backing) -> Proof:
    if exchange.authorization[:5].lower() != b"dpop ":
        raise refusal(PROOF_MISSING, gateway, rule="bearer-downgrade", scheme="DPoP")
    header = exchange.header_map.get(b"dpop", b"")
    if not header:
        raise refusal(PROOF_MISSING, gateway, scheme="DPoP", error="invalid_dpop_proof")
    nonces = gateway.nonces
    try:
        proof = read_proof(
            header,
            method=exchange.method,
            address=gateway.settings.issuer + exchange.raw_path.decode("latin-1"),
            nonces=nonces,
            token_hash=backing.token_hash,
            known=backing.proof_key,
        )
    except ProofError as error:
        fault = "use_dpop_nonce" if error.wants_nonce else "invalid_dpop_proof"
        made = refusal(
            PROOF_INVALID, gateway, rule=error.rule, scheme="DPoP", error=fault, reason=error.reason
        )
        if error.wants_nonce:
            made.headers["DPoP-Nonce"] = nonces.current()
        raise made from None
    if proof.key.jkt != backing.jkt:
        raise refusal(
            PROOF_INVALID,
            gateway,
            rule="other-key",
            scheme="DPoP",
            error="invalid_dpop_proof",
            reason=_OTHER_KEY,
        )
    backing.proof_key = proof.key
    return proof


def _check_certificate(exchange: Exchange, gateway: Gateway, backing: Backing) -> None:
    try:
        certificate = gateway.certificates.read(exchange.peer_address, exchange.headers)
    except CertificateRefused as error:
        raise refusal(
            CERTIFICATE_MISMATCH, gateway, rule="certificate-refused", reason=error.reason
        ) from None
    if certificate is None:
        raise refusal(CERTIFICATE_MISMATCH, gateway, rule="certificate-missing", reason=_NO_CERTIFICATE)
    if certificate.thumbprint != backing.certificate:
        raise refusal(CERTIFICATE_MISMATCH, gateway, rule="certificate-other", reason=_OTHER_CERTIFICATE)


def refusal(
    kind: ProblemType, gateway: Gateway, *, scheme: str = "Bearer", error: str = "invalid_token", rule: str = "",
    **facts: Any,
) -> Refusal:  # fmt: skip
    """A 401 with the challenge of its scheme (RFC 6750 §3, RFC 9449 §7.1)."""
    challenge = f'{scheme} realm="kaimen", error="{error}"'
    if scheme == "DPoP":
        challenge += f', algs="{_ALGORITHMS}"'
    return Refusal(
        kind,
        rule=rule,
        headers={"WWW-Authenticate": challenge},
        token_endpoint=f"{gateway.settings.issuer}/oauth/token",
        **facts,
    )
