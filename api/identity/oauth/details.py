"""`authorization_details` (RFC 9396) at the token endpoint: a client may ask for less than was agreed to, never more."""

from typing import Any

from api.identity.consents.details import DetailsError, parse
from api.identity.oauth.errors import DetailsRefused


def parsed(text: str) -> list[dict[str, Any]]:
    """The parameter as sent, its form checked; [] for none. Raises DetailsRefused."""
    if not text:
        return []
    try:
        return parse(text)
    except DetailsError as error:
        raise DetailsRefused(error.reason) from None


def narrowed(text: str, agreed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the agreed details that the parameter names, cut to the fields that it names. Raises DetailsRefused."""
    if not text:
        return agreed
    return [_narrow(wanted, agreed) for wanted in parsed(text)]


def _narrow(wanted: dict[str, Any], agreed: list[dict[str, Any]]) -> dict[str, Any]:
    for one in agreed:
        same = all(
            wanted[name] == one.get(name)
            for name in ("service", "purpose", "organisation")
            if wanted.get(name)
        )
        if not same:
            continue
        fields = list(one.get("fields") or [])
        names = wanted.get("fields") or fields
        kept = [each for each in fields if any(each == name or each.startswith(f"{name}.") for name in names)]
        if all(any(each == name or each.startswith(f"{name}.") for each in kept) for name in names):
            refused = [*(one.get("refused") or []), *(each for each in fields if each not in kept)]
            return {**one, "fields": kept, "refused": refused}
    raise DetailsRefused(
        "The person did not agree to these authorization_details; ask for what was agreed to, or start a new authorization."
    )
