"""A live process brings nothing into memory that it has no use for."""

import subprocess
import sys

HEAVY = ("pydantic", "attrs", "httpcore", "markdown_it", "graphql", "mcp", "openapi_python_client", "sandbox.city.departments")  # fmt: skip
PROGRAM = """
import os, sys
from api.main.cli import main
main.get_command(None, "serve")
from api.main.lean import application
application()
print(" ".join(name for name in sys.argv[1:] if sys.modules.get(name)))
"""


def test_a_live_process_loads_what_it_needs(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *HEAVY], capture_output=True, text=True, timeout=120, check=True,
        env={"KAIMEN_HOME": str(tmp_path), "KAIMEN_ENVIRONMENT": "live", "PYTHONPATH": "."},
    )  # fmt: skip
    assert done.stdout.split() == []
