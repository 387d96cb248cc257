"""A company register outside the platform, in a process of its own. Run: python register_program.py PORT

It is almost what its contract says: it has one member more, and a state of the licence that the contract does not know.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMPANY = {
    "name": "远山（样例）纺织有限公司", "english_name": "Yuanshan (Sample) Textiles Co., Ltd.", "kind": "limited-liability",
    "status": "active", "industry": {"code": "17", "name": "纺织业", "english_name": "Textiles"},
    "business_scope": "纺织品", "established_on": "2015-05-05", "registered_capital_yuan": 100, "legal_representative": "欧阳样例",
    "registration_authority": "样例局", "district_code": "990101", "address": "样例路1号", "english_address": "1 Sample Road",
    "is_abnormal": False, "remark": "only this system has it",
    "shareholders": [{"kind": "person", "name": "欧阳样例", "share_percent": 100.0, "capital_yuan": 100, "since": "2015-05-05"}],
}  # fmt: skip


class Register(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """http.server's own log is not wanted."""

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[-1] == "licence":
            self._problem(409, "licence-locked")
        elif len(parts) == 2 and parts[1].startswith("919901"):
            self._send(200, {"code": parts[1], **COMPANY}, "application/json")
        else:
            self._problem(404, "company-not-found")

    def _problem(self, status: int, slug: str) -> None:
        body = {
            "type": f"https://register.example/problems/{slug}",
            "title": slug,
            "status": status,
            "detail": slug,
        }
        self._send(status, body, "application/problem+json")

    def _send(self, status: int, body: object, kind: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Register).serve_forever()
