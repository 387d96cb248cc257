"""A department's system outside the platform: a small VAT service on http.server. Run: python vat.py PORT LOG

It keeps submitted returns in memory, writes one JSON line a request to LOG (method, path, header names and
values), and streams /organisations/vat/{vrn}/returns/{key} in pieces when the key is STREAM.
"""

import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RETURNS: dict[tuple[str, str], dict] = {}
OBLIGATIONS = [
    {"start": "2017-01-01", "end": "2017-03-31", "due": "2017-05-07", "status": "F", "periodKey": "18A1", "received": "2017-05-06"},
    {"start": "2017-04-01", "end": "2017-06-30", "due": "2017-08-07", "status": "O", "periodKey": "18A2"},
]  # fmt: skip


class Vat(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """http.server's own log is not wanted."""

    def _note(self) -> None:
        with Path(sys.argv[2]).open("a") as log:
            log.write(
                json.dumps({"method": self.command, "path": self.path, "headers": dict(self.headers)}) + "\n"
            )

    def _send(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-CorrelationId", "c75f40a6-a3df-4429-a697-471eeec46435")
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self._note()
        found = re.fullmatch(r"/organisations/vat/(\d{9})/(\w+)(?:/(\w+))?(?:\?.*)?", self.path)
        if not found:
            self._send(404, {"code": "NOT_FOUND", "message": "no such resource"})
            return
        vrn, kind, key = found.groups()
        if kind == "obligations":
            self._send(200, {"obligations": OBLIGATIONS})
        elif kind == "returns" and (vrn, key) in RETURNS:
            self._send(200, RETURNS[vrn, key])
        else:
            self._send(404, {"code": "NOT_FOUND", "message": "the remote endpoint has no data"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        self._note()
        vrn = self.path.split("/")[3]
        kept = {name: value for name, value in body.items() if name != "finalised"}
        RETURNS[vrn, body["periodKey"]] = kept
        moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        self._send(
            201, {"processingDate": moment, "paymentIndicator": "BANK", "formBundleNumber": "256660290587"}
        )


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Vat).serve_forever()
