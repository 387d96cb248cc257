"""What stands behind a token beyond its app: a person and his consent, a key, a certificate.

Worked out once for a token, when it is first seen. A token of an app that acts for itself, unbound, has none of
it: its Principal says None, and no step asks it anything.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from api.identity.oauth.dpop import ProofKey, hash_of_token

KIND = "kaimen-service"  # of authorization_details (RFC 9396)
_BINDINGS = frozenset({"jkt", "x5t#S256"})


class Detail:
    """What was agreed to for one service and purpose. `until` is in seconds since the epoch, 0 for no end.

    `coverages` is kept by api.gateway.consent, for each operation what the answer may hold.
    """

    __slots__ = (
        "coverages",
        "fields",
        "mandate",
        "operations",
        "organisation",
        "person",
        "purpose",
        "refused",
        "service",
        "until",
    )

    def __init__(self, detail: Mapping[str, Any]) -> None:
        self.service = str(detail.get("service", ""))
        self.purpose = str(detail.get("purpose", ""))
        self.operations = frozenset(_texts(detail.get("operations")))  # empty: all of the service
        self.fields = frozenset(_texts(detail.get("fields")))
        self.refused = frozenset(_texts(detail.get("refused")))
        self.organisation = str(detail.get("organisation") or "")
        self.person = str(detail.get("person") or "")  # consents.subjects.person_mark
        self.mandate = str(detail.get("mandate") or "")
        self.until = _seconds(detail.get("until"))
        self.coverages: dict[tuple[str, str], Any] = {}


class Backing:
    """Behind one token. "" and empty where it has none of it.

    `jkt` and `certificate` are thumbprints of the key and of the certificate to which the token is bound.
    """

    __slots__ = (
        "acr", "certificate", "consent", "details", "grant", "jkt", "mandate", "proof_key", "subject", "token_hash",
    )  # fmt: skip

    def __init__(self, claims: Any, token: bytes) -> None:
        self.grant: str = claims.grant
        self.subject: str = claims.sub if claims.sub != claims.client_id else ""
        self.acr: str = claims.acr
        self.consent: str = claims.consent
        self.mandate: str = claims.mandate
        self.details: dict[str, list[Detail]] = {}
        for one in claims.authorization_details:
            if one.get("type", KIND) == KIND:
                detail = Detail(one)
                self.details.setdefault(detail.service, []).append(detail)
        self.jkt: str = claims.cnf.get("jkt", "")
        self.certificate: str = claims.cnf.get("x5t#S256", "")
        self.token_hash = hash_of_token(token) if self.jkt else ""
        self.proof_key: ProofKey | None = None  # of the last proof: clients send the same one each time


def backing_of(claims: Any, token: bytes) -> Backing | None:
    """What stands behind the token with these claims, None for an unbound one of an app that acts for itself.

    Raises ValueError for a binding that nobody here can check: such a token must not pass as an unbound one.
    """
    if not claims.grant and not claims.cnf and not claims.acr:
        return None
    if not _BINDINGS.issuperset(claims.cnf):
        raise ValueError("the cnf of the token names a binding that is unknown here")
    return Backing(claims, token)


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else []


def _seconds(value: Any) -> float:
    """An RFC 3339 moment as seconds; what is unreadable has passed long ago."""
    if not value:
        return 0.0
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return 1.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
