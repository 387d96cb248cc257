"""A department made in the portal by its administrators, and the real system behind its service."""

import http.server
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.page import Page
from tests.server import Installation, RunningServer
from tests.visitor import Visitor, administrator

CONTRACT = Path(__file__).parent / "library.yaml"


@dataclass
class Department:
    """`head` is administrator of the platform and publisher; `approver` decides."""

    slug: str
    head: Visitor
    approver: Visitor

    @property
    def path(self) -> str:
        return f"/departments/{self.slug}"

    def upload(self, text: str, *, name: str = "library.yaml", expect: int = 200, **values: str) -> Page:
        page = self.head.open(f"{self.path}/import")
        files = [("files", (name, text.encode(), "application/yaml"))]
        return self.head.submit(page, "/import", files=files, expect=expect, **values)


def make_department(installation: Installation, server: RunningServer) -> Department:
    """By the administrator's single-use link, then by invitations, all of it in the portal."""
    head, approver = administrator(installation, server.url, language="zh-CN"), Visitor(server.url)
    slug = "library-" + secrets.token_hex(3)
    page = head.open("/administration/departments/new")
    page = head.submit(page, "/new", name_zh="样例图书馆", name_en="Sample Library", slug=slug)
    for person, roles in ((head, ["publisher", "developer"]), (approver, ["approver"])):
        page = head.open(f"/organisations/{slug}")
        head.submit(page, "/invitations", email=person.email, roles=roles)
        person.accept(person.newest_mail())
    return Department(slug, head, approver)


class _Library(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(200, {"number": self.path.rpartition("/")[2].partition("?")[0], "kind": "adult"})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._answer(201, json.loads(self.rfile.read(length)))

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        return


@contextmanager
def running_library() -> Iterator[str]:
    """The department's own system on a free port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Library) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join(5)
