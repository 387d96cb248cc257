"""A carrier's receiver: takes the events of certificates on their way, and tells where an item is. See README.md.

WEBHOOK_SECRET=whsec_… python carrier.py --port 3000

POST /events         what the platform sends
GET  /items/NUMBER   where an item is
"""

import argparse
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from parcels import Parcels
from signatures import SignatureError, verify

HANDSHAKE = "gov.kaimen.webhook.handshake"
LARGEST = 1024 * 1024


def handler(parcels: Parcels, secret_file: Path) -> type[BaseHTTPRequestHandler]:
    """The receiver's HTTP side. The secret is read for each message, so that it may be changed while this runs."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            if self.path != "/events" or size > LARGEST:
                self._answer(404 if size <= LARGEST else 413)
                return
            body = self.rfile.read(size)
            headers = {name.lower(): value for name, value in self.headers.items()}
            secret = os.environ.get("WEBHOOK_SECRET") or secret_file.read_text().strip()
            try:
                verify(secret, headers, body)
            except SignatureError as error:
                self._answer(401, {"error": str(error)})
                return
            event = json.loads(body)
            if event["type"] == HANDSHAKE:
                self._answer(200, {"challenge": event["data"]["challenge"]})
                return
            if parcels.keep(event):  # stored before it is answered
                print(f"{event['subject']}  {event['type']}", flush=True)
            self._answer(204)

        def do_GET(self) -> None:
            place, _, number = self.path.removeprefix("/").partition("/")
            steps = parcels.track(number) if place == "items" else []
            self._answer(200 if steps else 404, {"number": number, "steps": steps})

        def _answer(self, status: int, body: Any = None) -> None:
            data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name in the base class
            """Only what was stored is printed."""

    return Receiver


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Receive events of certificates on their way.")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--file", type=Path, default=Path("parcels.sqlite3"), help="where items are kept")
    parser.add_argument(
        "--secret-file", type=Path, default=Path("secret.txt"), help="used without WEBHOOK_SECRET"
    )
    options = parser.parse_args()
    parcels = Parcels(options.file)
    try:
        with HTTPServer(("127.0.0.1", options.port), handler(parcels, options.secret_file)) as server:
            server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
    finally:
        parcels.close()


if __name__ == "__main__":
    main()
