"""A person at the platform API, signed in with a session as a browser has it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.server import Installation


@contextmanager
def administrator(installation: Installation, origin: str) -> Iterator[httpx.Client]:
    """A new administrator's client: invited by the command line, signed in, with cookie and CSRF token."""
    link = installation.json("admin", "invite")["link"]
    token = parse_qs(urlsplit(link).query)["token"][0]
    email, password = f"{secrets.token_hex(6)}@people.kaimen.example", "Vb7-" + secrets.token_urlsafe(12)
    with httpx.Client(base_url=origin, timeout=30) as client:
        accepted = client.post(
            "/platform/v1/invitations/accept",
            json={"token": token, "name": "测试 Test", "email": email, "password": password},
        )
        assert accepted.status_code == 200, accepted.text
        signed_in = client.post("/platform/v1/sign-in", json={"email": email, "password": password})
        assert signed_in.status_code == 200, signed_in.text
        client.headers["X-CSRF-Token"] = signed_in.json()["csrf_token"]
        yield client
