"""What MCP costs a process that is not asked for it: nothing of the SDK is imported."""

import subprocess
import sys

from tests.server import ROOT, Installation

LIVE = {"KAIMEN_ENVIRONMENT": "live"}
PROGRAM = """
import sys
from api.main.lean import application
door = application()
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"mcp", "mcp_types", "pydantic", "sse_starlette", "strawberry"}))
"""


def test_a_live_process_imports_nothing_of_the_sdk(home):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home)], cwd=ROOT, env=Installation(home).environ | LIVE, capture_output=True,
        text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_the_face_can_be_switched_off(home):
    program = PROGRAM + "print([route.path for route in door.app.routes if route.path == '/mcp'])"
    done = subprocess.run(
        [sys.executable, "-c", program, str(home)], cwd=ROOT, env=Installation(home).environ | LIVE | {"KAIMEN_MCP_FACE": "false"}, capture_output=True,
        text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip().splitlines()[-1] == "[]"
