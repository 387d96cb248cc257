"""Requests to every endpoint of the authorization server, near to good ones, bent by a seeded Random.

Signatures are Ed25519, which signs the same bytes the same way each time. Proofs hold the time, so they alone differ on a
second run.
"""

import json
import time
from random import Random
from typing import Any

from joserfc.jwk import OKPKey

from tests.fuzz.targets import Message, OAuthTarget, Target, add_headers, pick_method
from tests.fuzz.vocabulary import MEDIA_TYPES, NASTY, basic, bend, bent_json, encode, header_value
from tests.identity.oauth.plane import sign

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
FORM = "application/x-www-form-urlencoded"
GRANT_TYPES = ["client_credentials", "authorization_code", "refresh_token", DEVICE_GRANT, "password",
               "urn:ietf:params:oauth:grant-type:jwt-bearer"]  # fmt: skip
ENDPOINTS = (
    ["token"] * 10 + ["authorize"] * 8 + ["par"] * 6 + ["device"] * 4 + ["revoke"] * 3 + ["introspect"] * 3
    + ["register"] * 4 + ["manage"] * 3 + ["userinfo"] * 4 + ["logout"] * 2 + ["plain"] * 2
)  # fmt: skip
PLAIN = [b"/oauth/jwks", b"/.well-known/oauth-authorization-server", b"/.well-known/openid-configuration", b"/oauth/",
         b"/oauth//token", b"/oauth/token/", b"/oauth/%74oken", b"/oauth/token%00", b"/OAUTH/TOKEN", b"/authorize/ar_x",
         b"/authorize/%00", b"/oauth/register/"]  # fmt: skip
KEY = OKPKey.import_key(  # the example of RFC 8037, appendix A
    {
        "kty": "OKP", "crv": "Ed25519", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "fuzz",
    }
)  # fmt: skip
ALGORITHM = "Ed25519"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
DETAILS: list[dict[str, Any]] = [
    {"type": "kaimen-service", "service": "tax@v1", "fields": ["summary"], "purpose": "bank-credit",
     "until": "2027-01-01T00:00:00Z", "organisation": "91310000MA1K35UX8J"},
]  # fmt: skip


def oauth_request(random: Random, target: Target) -> bytes:
    """One request to the authorization server."""
    assert target.oauth is not None
    endpoint = random.choice(ENDPOINTS)
    if endpoint == "plain":
        return Message(pick_method(random, "GET"), random.choice(PLAIN)).raw(random)
    if endpoint in {"register", "manage"}:
        return _registration(random, target, target.oauth, endpoint)
    if endpoint in {"authorize", "logout"}:
        return _browser(random, target, target.oauth, endpoint)
    if endpoint == "userinfo":
        return _userinfo(random, target, target.oauth)
    message = Message(pick_method(random, "POST"), f"/oauth/{endpoint}".encode())
    if random.random() < 0.03:
        message.query = encode(random, random.choice(NASTY))
    if random.random() < 0.4:
        message.headers.append((b"Authorization", basic(random, target.client_id, target.secret)))
    media_type = FORM if random.random() < 0.93 else random.choice(MEDIA_TYPES)
    message.headers.append((b"Content-Type", header_value(random, media_type)))
    _add_proof(random, message, target.oauth, endpoint)
    add_headers(random, message, at_most=2)
    message.body = _form(random, target, target.oauth, endpoint)
    return message.raw(random)


def _form(random: Random, target: Target, oauth: OAuthTarget, endpoint: str) -> bytes:
    if random.random() < 0.03:
        return random.randbytes(random.choice([1, 50, 3000, 40_000]))
    good = {
        "client_id": random.choice([target.client_id, oauth.public_client, oauth.public_client, oauth.fapi_client]),
        "client_secret": target.secret,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": _assertion(random, target, oauth) if random.random() < 0.3 else "a.b.c",
        "scope": random.choice(["company:profile:read", "openid profile", "openid", "platform:apps:read"]),
        "resource": random.choice([f"{oauth.issuer}/api", f"{oauth.issuer}/graphql", "https://x.example"]),
        "authorization_details": _details(random),
        "grant_type": random.choice(GRANT_TYPES),
        "code": "kc_" + "x" * 43,
        "redirect_uri": oauth.redirect_uri,
        "code_verifier": "v" * 43,
        "refresh_token": random.choice(oauth.refresh_tokens),
        "device_code": random.choice([*oauth.device_codes, "kd_" + "x" * 43]),
        "token": random.choice([*target.tokens, *oauth.refresh_tokens]),
        "token_type_hint": random.choice(["access_token", "refresh_token", "x"]),
        "response_type": "code",
        "code_challenge": CHALLENGE,
        "code_challenge_method": random.choice(["S256", "S256", "plain"]),
        "state": "s", "nonce": "n", "dpop_jkt": CHALLENGE, "request_uri": random.choice(oauth.request_uris),
        "prompt": random.choice(["login", "none", "consent", "none login"]), "max_age": "10", "acr_values": "high",
        "ui_locales": "zh-CN", "login_hint": "x", "response_mode": "query", "request": "a.b.c",
        random.choice(NASTY): "x",
    }  # fmt: skip
    wanted = {
        "token": ["grant_type", "client_id"],
        "par": [
            "client_id",
            "response_type",
            "redirect_uri",
            "code_challenge",
            "code_challenge_method",
            "scope",
        ],
        "device": ["client_id", "scope"],
        "revoke": ["client_id", "token"],
        "introspect": ["client_id", "token"],
    }.get(
        endpoint,
        ["client_id", "response_type", "redirect_uri", "code_challenge", "code_challenge_method", "scope"],
    )
    of_grant = {"authorization_code": ["code", "redirect_uri", "code_verifier"], "refresh_token": ["refresh_token"],
                DEVICE_GRANT: ["device_code"]}  # fmt: skip
    if endpoint == "token":
        wanted = [*wanted, *of_grant.get(good["grant_type"], [])]
    chosen = [name for name in wanted if random.random() < 0.97]
    chosen += [name for name in good if random.random() < 0.06]
    if random.random() < 0.95:
        chosen = list(dict.fromkeys(chosen))
    return _pairs(random, good, chosen)


def _pairs(random: Random, good: dict[str, str], chosen: list[str]) -> bytes:
    random.shuffle(chosen)
    pairs = []
    for name in chosen:
        value = good[name] if random.random() < 0.9 else bend(random, good[name])
        equals = b"=" if random.random() < 0.98 else random.choice([b"==", b""])
        pairs.append(encode(random, name) + equals + encode(random, value))
    return (b"&" if random.random() < 0.98 else random.choice([b"&&", b";"])).join(pairs)


def _browser(random: Random, target: Target, oauth: OAuthTarget, endpoint: str) -> bytes:
    """The addresses to which a browser is sent: parameters in the query, or a form."""
    message = Message(pick_method(random, "GET"), f"/oauth/{endpoint}".encode())
    if endpoint == "logout":
        good = {
            "id_token_hint": _id_token(random, target, oauth), "client_id": oauth.public_client, "state": "s",
            "post_logout_redirect_uri": oauth.redirect_uri, "logout_hint": "x", "ui_locales": "zh",
        }  # fmt: skip
        parameters = _pairs(random, good, [name for name in good if random.random() < 0.7])
    elif random.random() < 0.3:
        good = {"client_id": oauth.fapi_client, "request_uri": random.choice(oauth.request_uris)}
        parameters = _pairs(random, good, [*good])
    else:
        parameters = _form(random, target, oauth, endpoint)
    if message.method == "POST":
        message.headers.append((b"Content-Type", FORM.encode()))
        message.body = parameters
    else:
        message.query = bytes(byte for byte in parameters if 32 < byte < 127 and byte not in b"#")[:7000]
    if random.random() < 0.2:
        message.headers.append((b"Cookie", b"kaimen_authorize=" + header_value(random, random.choice(NASTY))))
    add_headers(random, message, at_most=1)
    return message.raw(random)


def _userinfo(random: Random, target: Target, oauth: OAuthTarget) -> bytes:
    message = Message(pick_method(random, random.choice(["GET", "POST"])), b"/oauth/userinfo")
    token = random.choice([*target.tokens, _id_token(random, target, oauth)])
    scheme = random.choice(["Bearer", "DPoP", "bearer", "Basic"])
    credential = f"{scheme} {token}" if random.random() < 0.7 else bend(random, f"{scheme} {token}")
    message.headers.append((b"Authorization", header_value(random, credential)))
    _add_proof(random, message, oauth, "userinfo")
    add_headers(random, message, at_most=2)
    return message.raw(random)


def _registration(random: Random, target: Target, oauth: OAuthTarget, endpoint: str) -> bytes:
    path, method, token = b"/oauth/register", "POST", oauth.registration_token
    if endpoint == "manage":
        client_id = oauth.public_client if random.random() < 0.7 else bend(random, oauth.public_client)
        path += b"/" + encode(random, client_id)
        method = random.choice(["GET", "PUT", "DELETE"])
    message = Message(pick_method(random, method), path)
    if endpoint == "manage":
        # changed and deleted with another token only: the client that others are tried with has to stay
        stays = message.method in {"GET", "HEAD", "OPTIONS"}
        token = oauth.registration_access_token if stays else "kra_" + "x" * 43
    credential = f"Bearer {token}" if random.random() < 0.8 else bend(random, f"Bearer {token}")
    message.headers.append((b"Authorization", header_value(random, credential)))
    media_type = "application/json" if random.random() < 0.9 else random.choice(MEDIA_TYPES)
    message.headers.append((b"Content-Type", header_value(random, media_type)))
    good: dict[str, Any] = {
        "client_name": "模糊 fuzz", "redirect_uris": [oauth.redirect_uri], "contacts": ["a@b.example"],
        "grant_types": random.sample(GRANT_TYPES, 2), "jwks": {"keys": [KEY.as_dict(private=False)]},
        "token_endpoint_auth_method": random.choice(["none", "private_key_jwt", "client_secret_basic", "zzz"]),
        "kaimen_profile": random.choice(["baseline", "fapi2"]), "scope": "openid", "response_types": ["code"],
        "dpop_bound_access_tokens": True, "client_id": oauth.public_client,
    }  # fmt: skip
    if random.random() < 0.5:
        good["redirect_uris"] = [bend(random, oauth.redirect_uri)]
    if random.random() < 0.3:
        key = dict(good["jwks"]["keys"][0])
        name = random.choice(list(key))
        key[name] = random.choice([None, [], {}, 1, *NASTY])
        good["jwks"] = {"keys": [key]}
    message.body = bent_json(random, good) if random.random() < 0.9 else json.dumps(good).encode()
    return message.raw(random)


def _details(random: Random) -> str:
    if random.random() < 0.5:
        return json.dumps(DETAILS)
    return bent_json(random, DETAILS[0]).decode("utf-8", errors="replace")[:5000]


def _assertion(random: Random, target: Target, oauth: OAuthTarget) -> str:
    """An assertion signed with a key of no app: everything up to the signature's check is exercised."""
    client = random.choice([target.client_id, oauth.fapi_client])
    claims: dict[str, Any] = {
        "iss": client, "sub": client, "aud": oauth.issuer, "jti": "x", "exp": 4_000_000_000, "iat": 1,
    }  # fmt: skip
    name = random.choice(list(claims))
    claims[name] = random.choice([None, [], {}, 1e300, -1, True, 10**400, random.choice(NASTY)])
    signed = sign(KEY, claims, ALGORITHM)
    return signed if random.random() < 0.7 else bend(random, signed)


def _id_token(random: Random, target: Target, oauth: OAuthTarget) -> str:
    claims: dict[str, Any] = {"iss": oauth.issuer, "sub": "c_x", "aud": oauth.public_client, "exp": 1}
    claims[random.choice(list(claims))] = random.choice([None, [], 1, random.choice(NASTY)])
    return (
        sign(KEY, claims, ALGORITHM) if random.random() < 0.5 else bend(random, random.choice(target.tokens))
    )


def _add_proof(random: Random, message: Message, oauth: OAuthTarget, endpoint: str) -> None:
    """A DPoP proof, most often a good one, as far as it can be without a nonce."""
    if random.random() < 0.6:
        return
    claims: dict[str, Any] = {
        "jti": str(random.random()), "htm": message.method, "htu": f"{oauth.issuer}/oauth/{endpoint}",
        "iat": int(time.time()), "ath": "x",
    }  # fmt: skip
    header: dict[str, Any] = {"typ": "dpop+jwt", "jwk": KEY.as_dict(private=False)}
    if random.random() < 0.4:
        claims[random.choice([*claims, "nonce"])] = random.choice([None, [], {}, 1e300, -1, True, *NASTY])
    if random.random() < 0.2:
        header["jwk"] = {
            **header["jwk"],
            random.choice(["x", "kty", "crv", "d"]): random.choice([1, [], *NASTY]),
        }
    proof = sign(KEY, claims, ALGORITHM, **header)
    if random.random() < 0.2:
        proof = bend(random, proof)
    for _ in range(random.choice([1, 1, 1, 1, 2])):
        message.headers.append((b"DPoP", header_value(random, proof)[:4000]))
