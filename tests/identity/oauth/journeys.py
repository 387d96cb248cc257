"""Journeys through the authorization endpoint, without the page: the test itself decides for the person."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from joserfc import jws
from joserfc.jwk import ECKey, Key
from msgspec import Struct

from api.core import clock, ids
from api.identity.models import Grant
from api.identity.oauth.authorization import COOKIE
from api.identity.oauth.client_authentication import ASSERTION_TYPE
from tests.identity.oauth.plane import SCOPES, Client, Plane, new_key, sign

COMPANY = SCOPES[0]
CALLBACK = "https://bank.example/callback"
CODE_GRANTS = ["client_credentials", "authorization_code", "refresh_token"]


class Person(Struct, frozen=True):
    """Who agrees."""

    id: str = "c_person"
    assurance: str = "substantial"


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def hash_of(token: str) -> str:
    return challenge_of(token)  # the same form: base64url of SHA-256


def thumbprint(key: Key) -> str:
    return str(key.thumbprint())


def answer_of(location: str) -> dict[str, str]:
    """The parameters that a redirect carries; each once."""
    pairs = parse_qsl(urlsplit(location).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs), location
    return dict(pairs)


@dataclass
class Journey:
    """One app with one person. What stands in `also` goes into every authorization request."""

    plane: Plane
    client: Client
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    redirect_uri: str = CALLBACK
    proof_key: ECKey | None = None
    is_public: bool = False
    certificate: Mapping[str, str] = field(default_factory=dict)
    also: dict[str, str] = field(default_factory=dict)

    def request(self, **changes: str | None) -> dict[str, str]:
        """A good authorization request with these changes; None leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "response_type": "code", "client_id": self.client.client_id, "redirect_uri": self.redirect_uri,
            "scope": COMPANY, "state": "s-1", "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256", **self.also, **changes,
        }  # fmt: skip
        return {name: value for name, value in parameters.items() if value is not None}

    async def ask(self, **changes: str | None) -> httpx.Response:
        """The browser comes to the authorization endpoint."""
        return await self.plane.http.get("/oauth/authorize", params=self.request(**changes))

    async def agreed(self, answer: httpx.Response, grant: Grant | None = None, **about: Any) -> str:
        """The person agrees to the request behind this redirect to the page; the address that comes of it."""
        assert answer.status_code == 303, answer.text
        location = answer.headers["location"]
        assert location.startswith(f"{self.plane.issuer}/authorize/ar_"), location
        return await self.plane.service.complete(
            location.rpartition("/")[2], Person(), grant, browser=answer.cookies[COOKIE], **about
        )

    async def code(self, grant: Grant | None = None, **changes: str | None) -> str:
        """A code that the person has agreed to."""
        said = answer_of(await self.agreed(await self.ask(**changes), grant))
        assert said["iss"] == self.plane.issuer
        return said["code"]

    async def pushed(self, **changes: str | None) -> httpx.Response:
        """The request, pushed."""
        return await self.send("/oauth/par", self.request(**changes))

    async def pushed_code(self, **changes: str | None) -> str:
        """A code by way of a pushed request."""
        answer = await self.pushed(**changes)
        assert answer.status_code == 201, answer.text
        form = {"client_id": self.client.client_id, "request_uri": answer.json()["request_uri"]}
        return answer_of(await self.agreed(await self.plane.http.get("/oauth/authorize", params=form)))[
            "code"
        ]

    async def redeem(self, code: str, **changes: str | None) -> httpx.Response:
        """The token request with a code."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier, **changes,
        }  # fmt: skip
        return await self.send(
            "/oauth/token", {name: value for name, value in form.items() if value is not None}
        )

    async def refresh(self, refresh_token: str, **parameters: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **parameters}
        return await self.send("/oauth/token", form)

    async def tokens(self, **changes: str | None) -> dict[str, Any]:
        """Tokens from the whole way through."""
        answer = await self.redeem(await self.code(**changes))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def send(self, path: str, form: Mapping[str, str], **options: Any) -> httpx.Response:
        """A POST to an endpoint as the app does it: authenticated, with a proof where it has a key for one.

        A server that wants its nonce in the proof gets it, once.
        """
        answer = await self._send(path, form, **options)
        if self.proof_key and answer.status_code == 400 and answer.json()["error"] == "use_dpop_nonce":
            answer = await self._send(path, form, nonce=answer.headers["dpop-nonce"], **options)
        return answer

    async def _send(
        self, path: str, form: Mapping[str, str], nonce: str = "", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        sent = {**self.certificate, **(headers or {})}
        if self.proof_key is not None and "DPoP" not in sent:
            sent["DPoP"] = self.proof(path, **({"nonce": nonce} if nonce else {}))
        body, auth = dict(form), None
        if self.is_public or self.certificate:
            body.setdefault("client_id", self.client.client_id)
        elif self.client.key is not None:
            body |= {
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": sign(self.client.key, self.plane.claims(self.client)),
            }
        else:
            auth = httpx.BasicAuth(self.client.client_id, self.client.secret)
        return await self.plane.http.post(path, data=body, headers=sent, auth=auth)

    def proof(self, path: str, key: ECKey | None = None, **changes: Any) -> str:
        """A DPoP proof for a POST to this path."""
        used = key or self.proof_key
        assert used is not None
        return make_proof(used, self.plane.issuer + path, **changes)


def make_proof(
    key: Key, htu: str, *, header: dict[str, Any] | None = None, algorithm: str = "ES256", **changes: Any
) -> str:
    """A DPoP proof with these changes of its claims; None leaves one out."""
    claims = {"jti": secrets.token_hex(12), "htm": "POST", "htu": htu, "iat": int(time.time()), **changes}
    protected = {"typ": "dpop+jwt", "alg": algorithm, "jwk": key.as_dict(private=False), **(header or {})}
    payload = json.dumps({name: value for name, value in claims.items() if value is not None}).encode()
    return jws.serialize_compact(protected, payload, key, algorithms=[algorithm])


async def new_journey(
    plane: Plane, *scopes: str, profile: str = "baseline", keys: list[Key] | None = None, public: bool = False,
    dpop: bool = False, **columns: Any,
) -> Journey:  # fmt: skip
    """A journey of a new app: confidential with a secret, unless keys, `public` or a profile say otherwise."""
    if profile == "fapi2":
        keys, dpop = keys or [new_key()], True
    client = await plane.new_app(*(scopes or SCOPES), keys=keys)
    settings: dict[str, Any] = {
        "profile": profile, "grant_types": CODE_GRANTS, "redirect_uris": [CALLBACK], **columns,
    }  # fmt: skip
    if public:
        settings |= {"auth_method": "none", "is_public": True}
    if dpop:
        settings.setdefault("token_binding", "dpop")
    await plane.change_app(client, **settings)
    return Journey(plane, client, proof_key=new_key() if dpop else None, is_public=public)


async def new_grant(plane: Plane, client: Client, **columns: Any) -> Grant:
    """A consent row, as the page would have made it."""
    return await Grant.create(
        **{
            "id": ids.random_id("g"), "environment": "sandbox", "app_id": client.app_id, "client_id": client.client_id,
            "subject_id": Person().id, "scope": COMPANY, "basis": "consent", "text_hash": "intl$sha256:ab",
            "details": [{"type": "kaimen-service", "service": "company@v1", "purpose": "p", "fields": ["a.b", "a.c", "d"],
                         "refused": ["e"]}],
            "created_at": clock.now(), **columns,
        }
    )  # fmt: skip


def assert_error(answer: httpx.Response, error: str, *words: str) -> None:
    """A JSON refusal of the token endpoint and its like."""
    assert answer.status_code in {400, 401}, answer.text
    assert answer.json()["error"] == error, answer.json()
    for word in words:
        assert word in answer.json()["error_description"], answer.json()
    assert answer.headers["cache-control"] == "no-store"


def assert_carried(answer: httpx.Response, issuer: str, error: str, *words: str) -> None:
    """An error that the browser carries to the app, with state and iss."""
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(CALLBACK + "?"), answer.headers["location"]
    said = answer_of(answer.headers["location"])
    assert said["error"] == error, said
    assert said["iss"] == issuer
    assert said.get("state") == "s-1"
    for word in words:
        assert word in said["error_description"], said


def assert_stays(answer: httpx.Response, *words: str) -> None:
    """An error that keeps the browser here: 400, no redirect."""
    assert answer.status_code == 400, answer.text
    assert "location" not in answer.headers
    assert answer.json()["error"] == "invalid_request"
    for word in words:
        assert word in answer.json()["detail"], answer.json()
