"""The application of a server process, put together without pydantic.

The MCP SDK brings pydantic into the installation, and Litestar imports it wherever it finds it: 8 MB in a process
that may never be asked for MCP. While the application is put together it is not found; the MCP face finds it later.
"""

import importlib
import sys
from typing import Any

LEFT_OUT = "pydantic"


def application() -> Any:
    """The ASGI application of this process; uvicorn's factory, in every worker."""
    is_there = LEFT_OUT in sys.modules
    if not is_there:
        sys.modules[LEFT_OUT] = None  # type: ignore[assignment]  # the import system's own sign for "not found"
    try:
        return importlib.import_module("api.main.application").application()
    finally:
        if not is_there:
            sys.modules.pop(LEFT_OUT, None)
