"""Metadata and keys as published: true, complete, cacheable."""

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.identity.oauth.plane import SCOPES, Plane

HTTPS = {
    "authorization_endpoint": "https://as.example/oauth/authorize"
}  # authlib's validator wants https there
PATH = "/.well-known/oauth-authorization-server"


async def test_metadata_holds_before_the_validator(plane: Plane) -> None:
    answer = await plane.http.get(PATH)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    body = answer.json()
    AuthorizationServerMetadata({**body, **HTTPS}).validate()
    assert body["issuer"] == plane.issuer
    assert {"client_credentials", "authorization_code", "refresh_token"} <= set(body["grant_types_supported"])
    assert body["response_types_supported"] == ["code"]
    assert body["code_challenge_methods_supported"] == ["S256"]
    assert body["authorization_response_iss_parameter_supported"] is True
    assert body["scopes_supported"] == ["offline_access", "openid", "profile", *sorted(SCOPES)]
    # no TLS terminator is configured here, so nothing is promised that needs one
    assert body["tls_client_certificate_bound_access_tokens"] is False
    assert "tls_client_auth" not in body["token_endpoint_auth_methods_supported"]
    assert body["service_documentation"].startswith("http")


async def test_every_endpoint_that_is_named_exists(plane: Plane) -> None:
    body = (await plane.http.get(PATH)).json()
    named = {name for name in body if name.endswith(("_endpoint", "_uri"))}
    posted = {
        "token_endpoint", "revocation_endpoint", "introspection_endpoint", "authorization_endpoint",
        "pushed_authorization_request_endpoint",
    }  # fmt: skip
    assert posted | {"jwks_uri"} <= named
    assert (await plane.http.get(body["jwks_uri"])).status_code == 200
    assert (await plane.http.get(body["authorization_endpoint"])).status_code == 400
    for name in posted:
        assert (await plane.http.post(body[name])).status_code == 400


async def test_scopes_follow_the_catalogue(plane: Plane) -> None:
    client = await plane.new_app()
    plane.rights.names["post:delivery:read"] = "post@v1"
    await plane.publish()
    assert "post:delivery:read" in (await plane.http.get(PATH)).json()["scopes_supported"]
    answer = await plane.ask(client, scope="post:delivery:read")
    assert "Subscribe it to post@v1" in answer.json()["error_description"]
    del plane.rights.names["post:delivery:read"]
    await plane.publish()
    assert "post:delivery:read" not in (await plane.http.get(PATH)).json()["scopes_supported"]


async def test_a_stranger_can_verify_a_token_with_the_published_keys(plane: Plane) -> None:
    client = await plane.new_app(SCOPES[0])
    token = await plane.token(client)
    keys = KeySet.import_key_set((await plane.http.get("/oauth/jwks")).json())
    decoded = jwt.decode(token, keys, algorithms=["ES256"])
    assert decoded.header["typ"] == "at+jwt"
    assert decoded.claims["aud"] == plane.issuer + "/api"


async def test_keys_are_cacheable_and_public(plane: Plane) -> None:
    answer = await plane.http.get("/oauth/jwks")
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["content-type"].startswith("application/jwk-set+json")
    for key in answer.json()["keys"]:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert (key["alg"], key["use"]) == ("ES256", "sig")
    again = await plane.http.get("/oauth/jwks", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    await plane.service.ring.rotate()
    fresh = await plane.http.get("/oauth/jwks", headers={"If-None-Match": answer.headers["etag"]})
    assert fresh.status_code == 200
    assert len(fresh.json()["keys"]) > len(answer.json()["keys"])
