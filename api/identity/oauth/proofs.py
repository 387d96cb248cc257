"""The DPoP proof of a request to one of the server's own endpoints."""

from api.identity.oauth.clients import Client
from api.identity.oauth.dpop import Nonces, Proof, ProofError, read_proof
from api.identity.oauth.errors import ProofFault
from api.identity.oauth.forms import Form


def proof_of(form: Form, client: Client | None, *, address: str, nonces: Nonces) -> Proof | None:
    """The proof that came with a POST to `address`; None where none came. Raises ProofFault.

    A client of profile fapi2 has to send a nonce of ours; for others a fresh `iat` will do.
    """
    if not form.proofs:
        return None
    if len(form.proofs) > 1:
        raise ProofFault("There is more than one DPoP header.")
    try:
        return read_proof(
            form.proofs[0].encode("latin-1", errors="replace"),
            method="POST",
            address=address,
            nonces=nonces,
            needs_nonce=client is not None and client.is_fapi,
        )
    except ProofError as error:
        raise ProofFault(error.reason.en, wants_nonce=error.wants_nonce) from None
