"""Samples of calls, ready to paste: curl, and Python, TypeScript, Java and Go with the SDK (sdk.snippets).

Operations that no SDK holds are shown with the standard libraries of Python, JavaScript, Java and Go instead.

Text from a contract is data here: every string is written as a literal of its language, comments are one line of
printable characters. The token is read from the environment variable KAIMEN_TOKEN, never printed.
"""

import json
import shlex
from collections.abc import Callable

from msgspec import Struct

from api.contract.model import Json, JsonObject, Level, Operation, Service
from sdk.building import package_name
from sdk.model import SdkModel
from sdk.modelling import model_of
from sdk.requests import ExampleRequest, example_request
from sdk.snippets import go, java, python, typescript
from sdk.snippets.calls import calls_of, is_whole

TOKEN = "KAIMEN_TOKEN"  # noqa: S105 - the variable's name


class Sample(Struct, frozen=True):
    """One sample; `language` and `label` as `x-codeSamples` names them."""

    language: str
    label: str
    source: str


def samples(
    operation: Operation,
    *,
    base_url: str,
    schemas: dict[str, JsonObject],
    with_optional: bool = False,
    scenario: str = "",
) -> tuple[Sample, ...]:
    """The samples of an operation, in all languages.

    `base_url` is the address of the service version ("https://host/api/company/v1"), `scenario` the id of a
    sandbox scenario to ask for.
    """
    request = example_request(
        operation, base_url=base_url, schemas=schemas, with_optional=with_optional, scenario=scenario
    )
    title = _comment(operation.summary or operation.id)
    return tuple(
        Sample(language, label, render(request, title)) for language, (label, render) in _RENDERERS.items()
    )


def service_samples(service: Service, *, base_url: str) -> dict[str, tuple[Sample, ...]]:
    """The samples of all operations of a service version, by operation id: curl, and the SDK in four languages.

    What is open to all stands in the service's public package; above that the samples name the package of an app,
    `app-0a1b2c3d`, as yours is called otherwise.
    """
    found = {one.id: samples(one, base_url=base_url, schemas=service.schemas) for one in service.operations}
    done: set[str] = set()
    for package, model in packages_of(service):
        writers = [
            (language, label, module.Samples(model, package_name(language, package)))
            for language, label, module in _SDK_LANGUAGES
        ]
        titled = _comment if package == service.name else _of_an_app
        for call in calls_of(model, {service.key: service}, titled):
            name = call.operation.id
            if name not in done and (package == APP_PACKAGE or is_whole(call)):
                done.add(name)
                made = [Sample(language, label, writer.render(call)) for language, label, writer in writers]
                found[name] = (found[name][0], *made)
    return found


def _of_an_app(text: str) -> str:
    return f"{_comment(text)} · {APP_PACKAGE}: 换成你的应用的包 the package of your app (kaimen sdk build)"


def packages_of(service: Service) -> tuple[tuple[str, SdkModel], ...]:
    """The packages that samples of a service are written for: the public one, and that of an app with all of it."""
    open_to_all = [one.id for one in service.operations if one.level <= Level.L2]
    return (
        (service.name, model_of([service], chosen={service.key: open_to_all}, max_level=Level.L2)),
        (APP_PACKAGE, model_of([service])),
    )


def _comment(text: str) -> str:
    r"""One line that ends no comment anywhere: Java reads \uXXXX even there, so no backslash is left."""
    line = "".join(char if char.isprintable() and char != "\\" else " " for char in text)
    return " ".join(line.replace("*/", "").split())[:100]


# --- literals --------------------------------------------------------------------------------------
def _python(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else repr(text)


def _python_value(value: Json, indent: int) -> str:
    """A Python literal of a JSON value, one entry a line."""
    space = " " * (indent + 4)
    if isinstance(value, dict) and value:
        rows = "".join(
            f"{space}{_python(key)}: {_python_value(one, indent + 4)},\n" for key, one in value.items()
        )
        return f"{{\n{rows}{' ' * indent}}}"
    if isinstance(value, list) and value:
        rows = "".join(f"{space}{_python_value(one, indent + 4)},\n" for one in value)
        return f"[\n{rows}{' ' * indent}]"
    return _python(value) if isinstance(value, str) else repr(value)


def _javascript(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _java(text: str) -> str:
    """Octal escapes for controls: a Unicode escape of a line end would end the literal. Source: JLS §3.3, §3.10.7."""
    plain = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return (
        '"' + "".join(plain.get(char, char if char >= " " else f"\\{ord(char):03o}") for char in text) + '"'
    )


def _go(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


# --- renderers -------------------------------------------------------------------------------------
def _render_curl(request: ExampleRequest, title: str) -> str:
    lines = [f"curl --request {request.method} {shlex.quote(request.url)}"]
    lines.append(f'  --header "Authorization: Bearer ${TOKEN}"')
    lines += [f"  --header {shlex.quote(f'{name}: {value}')}" for name, value in request.headers]
    if request.body is not None:
        lines.append(f"  --data-binary {shlex.quote(request.body)}")
    return f"# {title}\n" + " \\\n".join(lines) + "\n"


def _render_python(request: ExampleRequest, title: str) -> str:
    headers = [f"        {_python(name)}: {_python(value)},\n" for name, value in request.headers]
    body, imports = "", "import os\nimport urllib.request\n"
    if request.is_json:
        imports = "import json\n" + imports
        body = f"    data=json.dumps({_python_value(request.json, 4)}).encode(),\n"
    elif request.body is not None:
        body = f"    data={_python(request.body)}.encode(),\n"
    return (
        f"# {title}\n{imports}\n"
        f"request = urllib.request.Request(\n    {_python(request.url)},\n    method={_python(request.method)},\n"
        f'    headers={{\n        "Authorization": f"Bearer {{os.environ[\'{TOKEN}\']}}",\n{"".join(headers)}    }},\n{body})\n'
        "with urllib.request.urlopen(request, timeout=30) as response:\n"
        "    print(response.status, response.read().decode())\n"
    )


def _render_javascript(request: ExampleRequest, title: str) -> str:
    headers = [f"    {_javascript(name)}: {_javascript(value)},\n" for name, value in request.headers]
    body = ""
    if request.is_json and '"__proto__"' not in (request.body or ""):
        body = f"  body: JSON.stringify({_indented(_javascript_value(request.body or ''), 2)}),\n"
    elif request.body is not None:
        body = f"  body: {_javascript(request.body)},\n"
    return (
        f"// {title}\nconst response = await fetch({_javascript(request.url)}, {{\n"
        f"  method: {_javascript(request.method)},\n"
        f"  headers: {{\n    Authorization: `Bearer ${{process.env.{TOKEN}}}`,\n{''.join(headers)}  }},\n{body}"
        "  signal: AbortSignal.timeout(30_000),\n});\nconsole.log(response.status, await response.text());\n"
    )


def _javascript_value(text: str) -> str:
    """JSON is JavaScript since ES2019, but for what older engines take as line ends."""
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _render_java(request: ExampleRequest, title: str) -> str:
    headers = [f"        .header({_java(name)}, {_java(value)})\n" for name, value in request.headers]
    publisher = (
        "HttpRequest.BodyPublishers.noBody()"
        if request.body is None
        else f"HttpRequest.BodyPublishers.ofString({_java(request.body)})"
    )
    return (
        f"// {title}\nimport java.net.URI;\nimport java.net.http.HttpClient;\nimport java.net.http.HttpRequest;\n"
        "import java.net.http.HttpResponse;\nimport java.time.Duration;\n\n"
        "public class Sample {\n  public static void main(String[] args) throws Exception {\n"
        f"    HttpRequest request = HttpRequest.newBuilder(URI.create({_java(request.url)}))\n"
        f'        .header("Authorization", "Bearer " + System.getenv("{TOKEN}"))\n{"".join(headers)}'
        "        .timeout(Duration.ofSeconds(30))\n"
        f"        .method({_java(request.method)}, {publisher})\n        .build();\n"
        "    HttpResponse<String> response =\n"
        "        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());\n"
        '    System.out.println(response.statusCode() + " " + response.body());\n  }\n}\n'
    )


def _render_go(request: ExampleRequest, title: str) -> str:
    headers = [f"\trequest.Header.Set({_go(name)}, {_go(value)})\n" for name, value in request.headers]
    body, imports = "nil", '\t"fmt"\n\t"io"\n\t"net/http"\n\t"os"\n'
    if request.body is not None:
        body, imports = f"strings.NewReader({_go(request.body)})", imports + '\t"strings"\n'
    return (
        f'// {title}\npackage main\n\nimport (\n{imports}\t"time"\n)\n\nfunc main() {{\n'
        f"\trequest, err := http.NewRequest({_go(request.method)}, {_go(request.url)}, {body})\n"
        "\tif err != nil {\n\t\tpanic(err)\n\t}\n"
        f'\trequest.Header.Set("Authorization", "Bearer "+os.Getenv("{TOKEN}"))\n{"".join(headers)}'
        "\tclient := http.Client{Timeout: 30 * time.Second}\n\tresponse, err := client.Do(request)\n"
        "\tif err != nil {\n\t\tpanic(err)\n\t}\n\tdefer response.Body.Close()\n"
        "\tanswer, err := io.ReadAll(response.Body)\n\tif err != nil {\n\t\tpanic(err)\n\t}\n"
        "\tfmt.Println(response.StatusCode, string(answer))\n}\n"
    )


def _indented(text: str, spaces: int) -> str:
    return text.replace("\n", "\n" + " " * spaces)


_RENDERERS: dict[str, tuple[str, Callable[[ExampleRequest, str], str]]] = {
    "curl": ("curl", _render_curl),
    "python": ("Python", _render_python),
    "javascript": ("JavaScript", _render_javascript),
    "java": ("Java", _render_java),
    "go": ("Go", _render_go),
}
LANGUAGES = tuple(_RENDERERS)
APP_PACKAGE = "app-0a1b2c3d"
_SDK_LANGUAGES = (
    ("python", "Python", python), ("typescript", "TypeScript", typescript), ("java", "Java", java), ("go", "Go", go),
)  # fmt: skip
