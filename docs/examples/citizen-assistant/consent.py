"""A citizen's consent, as a persona of the sandbox gives it: a token that opens this citizen's records and no others.

On the live plane the citizen decides on the consent page instead: the bank's example goes that way, in a browser.
"""

import os

import httpx
from kaimen_app_0a1b2c3d import Kaimen

_DETAILS = [
    {"type": "kaimen-service", "service": service, "purpose": purpose}
    for service, purpose in (
        ("disability@v1", "benefit-check"), ("veterans@v1", "benefit-check"), ("civil@v1", "family-service"),
    )
]  # fmt: skip


class RefusedError(Exception):
    """No consent, in the platform's own words."""


def ask_persona(persona: str, language: str) -> str:
    """The token that comes with a persona's consent. Raises RefusedError."""
    answer = httpx.post(
        os.environ["KAIMEN_BASE_URL"] + "/platform/v1/sandbox/grants",
        json={"persona": persona, "authorization_details": _DETAILS},
        auth=(os.environ["KAIMEN_CLIENT_ID"], os.environ["KAIMEN_CLIENT_SECRET"]),
        headers={"Accept-Language": language},
        timeout=30,
    )
    said = answer.json()
    if not answer.is_success:
        raise RefusedError(
            "\n".join(str(said[name]) for name in ("title", "detail", "next") if said.get(name))
        )
    return str(said["token"]["access_token"])


def as_citizen(token: str, language: str) -> Kaimen:
    """A client that reads under the citizen's consent."""
    return Kaimen(access_token=token, headers={"Accept-Language": language})


def as_app(language: str) -> Kaimen:
    """A client with the app's own right: public lists, applications that the citizen asks for."""
    return Kaimen(headers={"Accept-Language": language})
