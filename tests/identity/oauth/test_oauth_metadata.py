"""Metadata and keys as published: true, complete, cacheable."""

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.identity.oauth.plane import SCOPES, Plane

PATH = "/.well-known/oauth-authorization-server"


async def test_metadata_holds_before_the_validator(plane: Plane) -> None:
    answer = await plane.http.get(PATH)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    body = answer.json()
    # authlib's validator takes an empty list for a missing one; RFC 8414 asks for a list, and ours is empty
    AuthorizationServerMetadata({**body, "response_types_supported": ["none"]}).validate()
    assert body["issuer"] == plane.issuer
    assert body["grant_types_supported"] == ["client_credentials"]
    assert body["response_types_supported"] == []
    assert body["scopes_supported"] == sorted(SCOPES)
    assert body["service_documentation"].startswith("http")


async def test_every_endpoint_that_is_named_exists(plane: Plane) -> None:
    body = (await plane.http.get(PATH)).json()
    named = {name for name in body if name.endswith(("_endpoint", "_uri"))}
    assert named == {"token_endpoint", "revocation_endpoint", "introspection_endpoint", "jwks_uri"}
    assert (await plane.http.get(body["jwks_uri"])).status_code == 200
    for name in named - {"jwks_uri"}:
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
