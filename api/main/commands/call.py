"""`kaimen token` and `kaimen call`: what an app does, from a shell."""

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

import click

from api.contract.addresses import public_prefix
from api.main.client import Answer, UnreachableError, send
from api.main.context import settings_of_shell
from api.main.credentials import Credential, recall
from api.main.output import FAILED, UNREACHABLE, USAGE, fail, fail_with_problem, print_json

ENVIRONMENTS = {"kt_": "sandbox", "kl_": "live"}


def _origin(environment: str, base_url: str) -> str:
    return base_url.rstrip("/") if base_url else settings_of_shell().issuer_of(environment)


def _credential(client_id: str, client_secret: str, environment: str) -> Credential:
    if client_id and client_secret:
        return Credential(client_id, client_secret, ENVIRONMENTS.get(client_id[:3], environment))
    if client_id or client_secret:
        raise click.UsageError("--client-id and --client-secret go together")
    known = recall(environment)
    if known is None:
        fail(
            f"no {environment} credential is known here",
            following="kaimen app create --name demo --subscribe company@v1, or give --client-id and --client-secret",
            code=USAGE,
        )
    return known


def _send(
    origin: str, method: str, target: str, headers: dict[str, str], body: bytes | None = None
) -> Answer:
    try:
        return send(origin, method, target, headers=headers, body=body)
    except UnreachableError as error:
        fail(str(error), following="start it with `make run` or `kaimen serve`", code=UNREACHABLE)


def ask_token(origin: str, credential: Credential, scope: str) -> Answer:
    """The token endpoint's answer to the credential; `scope` "" asks for all that is granted."""
    form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
    headers = {"Authorization": _basic(credential), "Content-Type": "application/x-www-form-urlencoded"}
    return _send(origin, "POST", "/oauth/token", headers, urlencode(form).encode())


def _credential_options(function: Any) -> Any:
    for option in (
        click.option("--client-id", envvar="KAIMEN_CLIENT_ID", default=""),
        click.option("--client-secret", envvar="KAIMEN_CLIENT_SECRET", default=""),
        click.option(
            "--environment", type=click.Choice(["sandbox", "live"]), default="sandbox", show_default=True
        ),
        click.option("--base-url", default="", help="Origin of the plane; default from the settings."),
        click.option("--scope", default="", help="Scopes to ask for; default: all that are granted."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ):
        function = option(function)
    return function


def _persona_options(function: Any) -> Any:
    for option in (
        click.option("--persona", default="", help="Consent as this persona of the sandbox (kaimen persona list)."),
        click.option("--purpose", default="", help="What the persona consents to its use for, as subscribed."),
        click.option("--organisation", default="", help="Code of the company that the persona speaks for."),
        click.option("--guardian", default="", help="The persona who consents for a child."),
        click.option("--refuse", multiple=True, metavar="FIELD", help="A sensitive field to leave unticked; may be repeated."),
        click.option("--until", default="", help="Until when, as 2027-01-31; default: 90 days."),
    ):  # fmt: skip
        function = option(function)
    return function


def _check_persona(persona: str, environment: str, client_id: str) -> None:
    """Ends the command where a persona is to consent on the live plane."""
    if persona and ENVIRONMENTS.get(client_id[:3], environment) != "sandbox":
        fail(
            "--persona is for the sandbox: live, people consent themselves",
            following="send them to the consent page (/oauth/authorize), or use a sandbox credential",
            code=USAGE,
        )


def _basic(credential: Credential) -> str:
    pair = f"{quote(credential.client_id, safe='')}:{quote(credential.client_secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _consented(origin: str, credential: Credential, scope: str, persona: str, wish: dict[str, Any]) -> Answer:
    """The token endpoint's body, as the persona's consent gives it; or the problem that refused it."""
    body = {"persona": persona, "scope": scope, **wish}
    headers = {"Authorization": _basic(credential), "Content-Type": "application/json"}
    data = json.dumps({name: value for name, value in body.items() if value}).encode()
    answer = _send(origin, "POST", "/platform/v1/sandbox/grants", headers, data)
    if answer.is_success:
        made = answer.json
        told = {**made["token"], "grant_id": made["grant"]["id"]}
        answer = Answer(200, answer.headers, json.dumps(told).encode())
    return answer


@click.command()
@_credential_options
@_persona_options
def token(
    client_id: str, client_secret: str, environment: str, base_url: str, scope: str, as_json: bool, persona: str,
    **wish: Any,
) -> None:  # fmt: skip
    """Get an access token: by client_credentials, or under a persona's consent (sandbox)."""
    _check_persona(persona, environment, client_id)
    credential = _credential(client_id, client_secret, environment)
    origin = _origin(credential.environment, base_url)
    if persona:
        answer = _consented(origin, credential, scope, persona, wish)
        if not answer.is_success:
            fail_with_problem(answer.json if isinstance(answer.json, dict) else {}, as_json=as_json)
    else:
        answer = ask_token(origin, credential, scope)
    if as_json:
        print_json(answer.json)
        if not answer.is_success:
            click.get_current_context().exit(FAILED)
    elif answer.is_success:
        click.echo(answer.json["access_token"])
    else:
        _fail_with_oauth_error(answer)


def _fail_with_oauth_error(answer: Answer) -> None:
    body = answer.json if isinstance(answer.json, dict) else {}
    fail(f"{body.get('error', answer.status)}: {body.get('error_description', '')}")


@click.command()
@click.argument("service", metavar="SERVICE[@VERSION]")
@click.argument("operation", metavar="OPERATION")
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="A path, query or header parameter."
)
@click.option("--body", default="", help="JSON body, or @FILE.")
@click.option("--header", "headers", multiple=True, metavar="NAME: VALUE")
@click.option("--scenario", default="", help="Kaimen-Scenario, in the sandbox.")
@click.option(
    "--access-token",
    envvar="KAIMEN_CLIENT_ACCESS_TOKEN",
    default="",
    help="Use this token instead of getting one.",
)
@_credential_options
@_persona_options
def call(
    service: str, operation: str, params: tuple[str, ...], body: str, headers: tuple[str, ...], scenario: str,
    access_token: str, client_id: str, client_secret: str, environment: str, base_url: str, scope: str, as_json: bool,
    persona: str, **wish: Any,
) -> None:  # fmt: skip
    """Call an operation by its id, as in: kaimen call company getCompany --param code=…"""
    bearer = access_token
    _check_persona(persona, environment, client_id)
    if not access_token:
        credential = _credential(client_id, client_secret, environment)
        environment = credential.environment
        origin = _origin(environment, base_url)
        if persona:
            answer = _consented(origin, credential, scope, persona, wish)
            if not answer.is_success:
                fail_with_problem(answer.json if isinstance(answer.json, dict) else {}, as_json=as_json)
        else:
            answer = ask_token(origin, credential, scope)
        if not answer.is_success:
            if as_json:
                print_json(answer.json)
                click.get_current_context().exit(FAILED)
            _fail_with_oauth_error(answer)
        bearer = answer.json["access_token"]
    name, _, version = service.partition("@")
    version = version or "v1"
    method, target, more = _resolve(name, version, operation, _pairs(params), environment, as_json=as_json)
    sent = {"Authorization": f"Bearer {bearer}", "Accept": "application/json"} | more
    sent |= {key.strip(): value.strip() for key, _, value in (one.partition(":") for one in headers)}
    if scenario:
        sent["Kaimen-Scenario"] = scenario
    data = _body_bytes(body)
    if data is not None:
        sent.setdefault("Content-Type", "application/json")
    _show_answer(_send(_origin(environment, base_url), method, target, sent, data), as_json=as_json)


def _pairs(params: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = []
    for param in params:
        name, equals, value = param.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--param takes NAME=VALUE, not {param!r}")
        pairs.append((name, value))
    return pairs


def _body_bytes(body: str) -> bytes | None:
    if not body:
        return None
    if body.startswith("@"):
        with click.open_file(body[1:], "rb") as file:
            content: bytes = file.read()
            return content
    try:
        json.loads(body)
    except ValueError as error:
        raise click.UsageError(f"--body is no JSON: {error}") from error
    return body.encode()


def _resolve(
    name: str,
    version: str,
    operation_id: str,
    params: list[tuple[str, str]],
    environment: str,
    *,
    as_json: bool,
) -> tuple[str, str, dict[str, str]]:
    """Method, target and headers of an operation, from the published contract at the control plane."""
    control = settings_of_shell().issuer_of("sandbox")
    answer = _send(
        control,
        "GET",
        f"/catalogue/{quote(name)}/{quote(version)}/openapi.json?environment={environment}",
        {},
    )
    if not answer.is_success:
        fail_with_problem(answer.json if isinstance(answer.json, dict) else {}, as_json=as_json)
    document = answer.json
    known = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            known.append(operation.get("operationId", ""))
            if operation.get("operationId") == operation_id:
                declared = [*item.get("parameters", []), *operation.get("parameters", [])]
                return method.upper(), *_target(name, version, path, declared, params, document)
    return fail(
        f"{name}@{version} has no operation {operation_id}",
        following="it has " + ", ".join(known),
        code=USAGE,
    )


def _target(
    name: str,
    version: str,
    path: str,
    declared: list[dict[str, Any]],
    params: list[tuple[str, str]],
    document: dict[str, Any],
) -> tuple[str, dict[str, str]]:
    places = {}
    for parameter in declared:
        if "$ref" in parameter:
            parameter = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]  # noqa: PLW2901
        places[parameter["name"]] = parameter["in"]
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    for key, value in params:
        place = places.get(key)
        if place is None:
            fail(f"the operation has no parameter {key}", following="it has " + ", ".join(places), code=USAGE)
        elif place == "path":
            path = path.replace("{" + key + "}", quote(value, safe=""))
        elif place == "header":
            headers[key] = value
        else:
            query.append((key, value))
    missing = [key for key, place in places.items() if place == "path" and "{" + key + "}" in path]
    if missing:
        fail(f"the path needs {', '.join(missing)}", following=f"--param {missing[0]}=…", code=USAGE)
    return public_prefix(quote(name), quote(version)) + path + (
        "?" + urlencode(query) if query else ""
    ), headers


def _show_answer(answer: Answer, *, as_json: bool) -> None:
    request_id = answer.headers.get("request-id", "")
    if as_json:
        print_json(
            {
                "status": answer.status,
                "headers": answer.headers,
                "body": answer.json,
                "request_id": request_id,
            }
        )
    elif answer.is_success:
        body = answer.json
        click.echo(body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, indent=2))
        click.echo(
            f"· {answer.status} · {request_id} · quota {answer.headers.get('ratelimit', '—')}", err=True
        )
    else:
        fail_with_problem(
            answer.json if isinstance(answer.json, dict) else {"title": f"HTTP {answer.status}"},
            as_json=False,
        )
    if not answer.is_success:
        click.get_current_context().exit(FAILED)
