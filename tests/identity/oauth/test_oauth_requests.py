"""Malformed requests: every one is 400 or 413 with an OAuth body, on both databases; none reaches a table."""

import base64

import httpx
import pytest

from tests.identity.oauth.plane import SCOPES, Client, Plane

COMPANY = SCOPES[0]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ENDPOINTS = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"]
PARAMETERS = ["grant_type", "code", "refresh_token", "code_verifier", "redirect_uri", "authorization_details", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type", "token",
              "token_type_hint", "resource", "anything", "码"]  # fmt: skip
CONTROL = ["\x00", "\x01", "\x1f", "\n", "\t", "\x7f", "\x85", "\x9f"]


@pytest.fixture(scope="module")
async def client(plane: Plane) -> Client:
    return await plane.new_app(COMPANY)


def assert_invalid(answer: httpx.Response, word: str, status: int = 400) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] == "invalid_request"
    assert word in answer.json()["error_description"], answer.json()
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("parameter", PARAMETERS)
async def test_nul_byte_everywhere_is_400(
    plane: Plane, client: Client, endpoint: str, parameter: str
) -> None:
    for character in CONTROL:
        form = {"grant_type": "client_credentials", "token": "x"}
        form[parameter] = f"kt_{character}x"
        answer = await plane.http.post(endpoint, data=form, auth=(client.client_id, client.secret))
        assert_invalid(answer, "control character")
        answer = await plane.http.post(
            endpoint, data={f"a{character}": "x"}, auth=(client.client_id, client.secret)
        )
        assert_invalid(answer, "control character")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("credentials", ["kt_\x00:x", "kt_x:\x00", "kt_%00:x", "kt_x:%0a", "kt_%85:x"])
async def test_nul_in_basic_credentials(plane: Plane, endpoint: str, credentials: str) -> None:
    header = "Basic " + base64.b64encode(credentials.encode()).decode()
    answer = await plane.http.post(
        endpoint, data={"grant_type": "client_credentials"}, headers={"Authorization": header}
    )
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic ", "Basic !!!", "Basic YQ", "Basic YQ==", "Basic Og==", "Basic YTo=", "Basic OmI=", "Basic /w==",
     "Basic " + "A" * 4000],
)  # fmt: skip
async def test_unreadable_basic(plane: Plane, header: str) -> None:
    answer = await plane.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": header}
    )
    assert_invalid(answer, "base64")


async def test_other_scheme_is_no_credential(plane: Plane, client: Client) -> None:
    token = await plane.token(client)
    answer = await plane.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("parameter", PARAMETERS)
async def test_repeated_parameter(plane: Plane, client: Client, parameter: str) -> None:
    form = httpx.QueryParams([("grant_type", "client_credentials"), (parameter, "a"), (parameter, "a")])
    answer = await plane.http.post(
        "/oauth/token", content=str(form), headers=FORM, auth=(client.client_id, client.secret)
    )
    assert_invalid(answer, "more than once")


async def test_two_authorization_headers(plane: Plane, client: Client) -> None:
    basic = "Basic " + base64.b64encode(f"{client.client_id}:{client.secret}".encode()).decode()
    headers = [("Authorization", basic), ("Authorization", basic), *FORM.items()]
    answer = await plane.http.post("/oauth/token", content="grant_type=client_credentials", headers=headers)
    assert_invalid(answer, "more than one Authorization header")


async def test_parameters_in_the_address(plane: Plane, client: Client) -> None:
    answer = await plane.http.post(
        "/oauth/token?grant_type=client_credentials",
        content="",
        headers=FORM,
        auth=(client.client_id, client.secret),
    )
    assert_invalid(answer, "no query string")


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""]
)
async def test_other_media_types(plane: Plane, content_type: str) -> None:
    answer = await plane.http.post(
        "/oauth/token", content=b'{"grant_type":"client_credentials"}', headers={"Content-Type": content_type}
    )
    assert_invalid(answer, "x-www-form-urlencoded")


async def test_charset_in_the_media_type_is_fine(plane: Plane, client: Client) -> None:
    answer = await plane.http.post(
        "/oauth/token", content="grant_type=client_credentials", auth=(client.client_id, client.secret),
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"},
    )  # fmt: skip
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body", [b"scope=%ff", b"scope=\xff", b"%ff=x", "scope=码".encode(), b"scope=%ED%A0%80"]
)
async def test_body_that_is_no_utf8(plane: Plane, body: bytes) -> None:
    answer = await plane.http.post("/oauth/token", content=body, headers=FORM)
    assert_invalid(answer, "UTF-8")


async def test_many_parameters(plane: Plane) -> None:
    body = "&".join(f"p{number}=x" for number in range(41))
    assert_invalid(await plane.http.post("/oauth/token", content=body, headers=FORM), "more than 40")


@pytest.mark.parametrize(
    ("parameter", "length"), [("client_id", 65), ("client_secret", 257), ("grant_type", 201), ("other", 2049)]
)
async def test_over_long_parameter(plane: Plane, parameter: str, length: int) -> None:
    answer = await plane.http.post("/oauth/token", data={parameter: "码" * length})
    assert_invalid(answer, f"{parameter} is longer")


@pytest.mark.parametrize("length", [65, 2000])
async def test_over_long_client_id_in_basic(plane: Plane, length: int) -> None:
    answer = await plane.http.post("/oauth/token", data={"grant_type": "x"}, auth=("k" * length, "x"))
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


async def test_body_past_the_cap_is_413(plane: Plane) -> None:
    answer = await plane.http.post("/oauth/token", content=b"a=" + b"x" * 40_000, headers=FORM)
    assert_invalid(answer, "larger than", status=413)

    async def chunks():
        for _ in range(100):
            yield b"x" * 1000

    answer = await plane.http.post("/oauth/token", content=chunks(), headers=FORM)
    assert_invalid(answer, "larger than", status=413)


async def test_description_repeats_no_forbidden_character(plane: Plane, client: Client) -> None:
    answer = await plane.ask(client, grant_type='http://e"vil\\码')
    assert answer.status_code == 400
    assert "http://e?vil??" in answer.json()["error_description"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_other_methods(plane: Plane, method: str) -> None:
    answer = await plane.http.request(method, "/oauth/token")
    assert answer.status_code == 405
