"""The application of a server process, put together without libraries that it has no use for.

The MCP SDK and the SDK generator bring pydantic and attrs into the installation, and Litestar and Tortoise import
them wherever they find them: 9 MB in a process that may never be asked for either. While commands are imported and
the application is put together they are not found; whoever needs them finds them later.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LEFT_OUT = ("pydantic", "attr", "attrs")


@contextmanager
def leaving_out() -> Iterator[None]:
    """Nothing that is imported in the block finds LEFT_OUT, unless it was imported before."""
    hidden = [name for name in LEFT_OUT if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # the import system's own sign for "not found"
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def application() -> Any:
    """The ASGI application of this process; uvicorn's factory, in every worker."""
    with leaving_out():
        return importlib.import_module("api.main.application").application()
