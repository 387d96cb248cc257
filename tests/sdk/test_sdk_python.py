"""The Python SDK in the hands of its users: a first record, types, extras, sizes."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from api.contract.importing import read_contract
from api.contract.load import load_path
from api.contract.model import Service
from sdk.modelling import model_of
from sdk.packaging.python_dist import sdist_of, wheel_of
from sdk.python.emitter import emit, encoded, project_of
from tests.sdk.corpus import CITY
from tests.sdk.python_checks import check, run, write

NEWCOMER = """from kaimen_company import Kaimen

client = Kaimen()
company = client.company.get("91990106MA0000015L")
print(company.name, company.established_on.year, company.status.value)
"""
TYPED = """import datetime
from typing import assert_type

from kaimen_company import AsyncKaimen, Kaimen, Page, Raw, models


def threads(client: Kaimen) -> None:
    company = client.company.get("91990106MA0000015L", options={"timeout": 3})
    assert_type(company, models.Company)
    assert_type(company.established_on, datetime.date)
    assert_type(client.with_raw(client.company.get, "91990106MA0000015L"), Raw[models.Company])
    found = client.company.search("茶", limit=10)
    for one in found:
        assert_type(one, models.CompanyBrief)
    client.company.annual_report.list("91990106MA0000015L")


async def loop(client: AsyncKaimen) -> None:
    company = await client.company.get("91990106MA0000015L")
    assert_type(company, models.Company)
    assert_type(await client.company.search("茶"), Page[models.CompanyBrief])
    async for one in client.company.search("茶"):
        assert_type(one, models.CompanyBrief)
    assert_type(await client.with_raw(client.company.get, "x"), Raw[models.Company])
"""


def company_service() -> Service:
    service = read_contract(load_path(CITY / "market_regulation" / "contract.yaml")).service
    assert service is not None
    return service


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    write(folder, "kaimen-company", model_of([company_service()]))
    return folder


@contextmanager
def answering(answers: dict[str, Any]) -> Iterator[str]:
    """A server that knows these paths, and tokens; its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            data = json.dumps(answers[self.path]).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_newcomer_needs_at_most_eight_lines(package: Path) -> None:
    assert len(NEWCOMER.splitlines()) <= 8
    operation = next(one for one in company_service().operations if one.id == "getCompany")
    example = operation.responses[0].media[0].example
    (package / "first.py").write_text(NEWCOMER, encoding="utf-8")
    answers = {
        "/oauth/token": {"access_token": "at", "token_type": "Bearer", "expires_in": 600},
        "/api/company/v1/companies/91990106MA0000015L": example,
    }
    with answering(answers) as base_url:
        said = run(
            package, sys.executable, "first.py", KAIMEN_BASE_URL=base_url, KAIMEN_CLIENT_ID="kt_a", KAIMEN_CLIENT_SECRET="kts_b",
        )  # fmt: skip
    assert said.split()[0] == example["name"]
    assert said.split()[1:] == [example["established_on"][:4], example["status"]]


@pytest.mark.parametrize("with_pyright", [False, pytest.param(True, marks=pytest.mark.full)])
def test_a_users_program_is_typed(package: Path, with_pyright: bool) -> None:
    (package / "typed.py").write_text(TYPED, encoding="utf-8")
    (package / "newcomer.py").write_text(NEWCOMER, encoding="utf-8")
    check(package, "typed.py", "newcomer.py", with_pyright=with_pyright)


def test_keys_without_cryptography_say_what_to_install(package: Path) -> None:
    program = (
        "import sys\nsys.modules['cryptography'] = None\n"
        "from kaimen_company import Kaimen, KeysMissingError\n"
        "try:\n    Kaimen(base_url='http://localhost', client_id='a', private_key='{}')\n"
        "except KeysMissingError as error:\n    print(error)\n"
    )
    assert "extra `keys`" in run(package, sys.executable, "-c", program)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "KAIMEN_BASE_URL"),
        ({"base_url": "ftp://x"}, "http://"),
        ({"base_url": "http://x"}, "KAIMEN_CLIENT_ID"),
        ({"base_url": "http://x", "client_id": "a"}, "KAIMEN_CLIENT_SECRET"),
        ({"base_url": "http://x", "client_id": "a", "private_key": "kts_secret"}, "P-256"),
    ],
)
def test_what_is_missing_is_told(package: Path, options: dict[str, str], said: str) -> None:
    program = (
        f"from kaimen_company import Kaimen, KaimenError\n"
        f"try:\n    Kaimen(**{options!r})\nexcept KaimenError as error:\n    print(error)\n"
    )
    found = run(package, sys.executable, "-c", program)
    assert said in found
    assert "kts_secret" not in found


def test_a_package_of_twelve_operations_is_small_and_always_the_same() -> None:
    service = company_service()
    chosen = {service.key: [one.id for one in service.operations][:12]}
    model = model_of([service], chosen=chosen)
    project = project_of("kaimen-app-1a2b3c4d", "1.0.0", "Client of company@v1", "# Company\n")
    made = []
    for _ in range(2):
        files = encoded(emit(model, name="kaimen-app-1a2b3c4d", version="1.0.0"))
        made.append((wheel_of(project, files), sdist_of(project, files)))
    (name, wheel), _ = made[0]
    assert made[0] == made[1]
    assert name == "kaimen_app_1a2b3c4d-1.0.0-py3-none-any.whl"
    assert len(wheel) < 100_000
    assert b"Provides-Extra: keys" in _metadata(wheel)


def _metadata(wheel: bytes) -> bytes:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        found = next(one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        return archive.read(found)


def test_the_generator_is_not_imported_before_a_build() -> None:
    program = (
        "import sys, sdk.building, sdk.python.emitter\n"
        "print(sum(name.startswith(('openapi_python_client', 'pydantic')) for name in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "0"
