"""What a token is bound to: the key of a DPoP proof, the client's certificate, both, or nothing.

A client's setting `token_binding` says what its tokens have to be bound to; a proof that comes without being
demanded binds too, because a client that sends one expects it.
"""

from msgspec import Struct

from api.identity.oauth.clients import Client
from api.identity.oauth.errors import GrantRefused, InputRefused, ProofFault
from api.identity.oauth.models import TokenFamily
from api.identity.oauth.unit_of_work import UnitOfWork

DPOP, MTLS = "dpop", "mtls"  # values of an app's token_binding


class Binding(Struct, frozen=True):
    """Thumbprints, "" for none: of the proof's key (RFC 9449 §6), of the certificate (RFC 8705 §3)."""

    jkt: str = ""
    x5t: str = ""

    @property
    def confirmation(self) -> dict[str, str]:
        """The claim `cnf`."""
        return {name: value for name, value in (("jkt", self.jkt), ("x5t#S256", self.x5t)) if value}

    @property
    def token_type(self) -> str:
        """How the token is presented."""
        return "DPoP" if self.jkt else "Bearer"


def bind(work: UnitOfWork, client: Client) -> Binding:
    """The binding of the token that this request gets. Raises ProofFault, InputRefused for one that is missing."""
    jkt = work.proof.key.jkt if work.proof is not None else ""
    certificate = work.form.certificate
    x5t = certificate.thumbprint if certificate is not None and client.token_binding == MTLS else ""
    if client.token_binding == DPOP and not jkt:
        raise ProofFault("The tokens of this app are bound to a key: send a DPoP proof (RFC 9449).")
    if client.token_binding == MTLS and not x5t:
        raise InputRefused(
            "The tokens of this app are bound to its certificate, and the TLS connection came with none (RFC 8705)."
        )
    if client.is_fapi and not (jkt or x5t):
        raise ProofFault(
            "Profile fapi2 takes bound tokens only: send a DPoP proof, or set token_binding to mtls."
        )
    return Binding(jkt, x5t)


def check_bound_code(jkt: str, binding: Binding) -> None:
    """A code bound to a key is redeemed with a proof of that key (RFC 9449 §10). Raises GrantRefused."""
    if jkt and jkt != binding.jkt:
        raise GrantRefused("The code is bound to another DPoP key than the one of this proof.")


def check_bound_family(family: TokenFamily, binding: Binding) -> None:
    """A refresh token is used with the key that it was given to. Raises GrantRefused."""
    if family.jkt and family.jkt != binding.jkt:
        raise GrantRefused("The refresh token is bound to another DPoP key than the one of this proof.")
    if family.x5t and family.x5t != binding.x5t:
        raise GrantRefused(
            "The refresh token is bound to another certificate than the one of this connection."
        )
