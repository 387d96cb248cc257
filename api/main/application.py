"""What a server process runs: settings, logging and the composed application."""

import os

from api.app import FrontDoor
from api.core.logging import configure
from api.main.compose import compose
from api.settings import read_settings


def application() -> FrontDoor:
    """The ASGI application of this process; uvicorn's factory, in every worker."""
    settings, faults = read_settings(os.environ)
    if faults:
        raise SystemExit("; ".join(f"{fault.variable} {fault.message}" for fault in faults))
    configure(settings.log_level)
    return compose(settings)
