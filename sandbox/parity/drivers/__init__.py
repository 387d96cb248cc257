"""Drivers: how each face is asked the cases of the certificate. What a new face needs is one entry in DRIVERS.

A driver in this process is a class as `protocol.Driver` describes it; one that waits on a loop becomes such a class
by `protocol.Blocking`; one in another language is a program that `process.Program` talks to, line by line.
"""

from collections.abc import Callable
from functools import partial

from sandbox.parity.drivers.mcp import Mcp
from sandbox.parity.drivers.process import Program
from sandbox.parity.drivers.protocol import Driver, Target
from sandbox.parity.drivers.rest import Rest


def _graphql(target: Target) -> Driver:
    from sandbox.parity.drivers.graphql import Graphql

    return Graphql(target)


# The first one is the yardstick: the others are compared with it.
DRIVERS: dict[str, Callable[[Target], Driver]] = {"rest": Rest, "mcp": Mcp, "graphql": _graphql}


def register_program(name: str, command: list[str]) -> None:
    """From now on `name` is a face that this program asks."""
    DRIVERS[name] = partial(Program, name, command)
