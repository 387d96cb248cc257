"""What the commands share: settings of this shell, and the options that say where and how to speak."""

import importlib
import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from api.main.client import Answer, PlatformClient, RemoteClient, UnreachableError
from api.main.output import UNREACHABLE, USAGE, fail, fail_with_problem
from api.settings import Settings, read_settings


def settings_of_shell() -> Settings:
    """Settings from the environment; every fault is told, then the command ends with code 2."""
    settings, faults = read_settings(os.environ)
    if faults:
        lines = "; ".join(f"{fault.variable} {fault.message}" for fault in faults)
        fail(f"settings: {lines}", following="kaimen settings lists them all", code=USAGE)
    return settings


class Platform:
    """The platform API as a command sees it: answers, or the end of the command with a clear word."""

    def __init__(self, client: PlatformClient, *, as_json: bool) -> None:
        self._client = client
        self.as_json = as_json

    def ask(self, method: str, path: str, *, body: Any = None, query: Any = None) -> Answer:
        """The answer, whatever its status. Raises UnreachableError, for commands that wait for their server."""
        return self._client.request(method, path, body=body, query=query)

    def try_request(self, method: str, path: str, *, body: Any = None, query: Any = None) -> Answer:
        """The answer, whatever its status."""
        try:
            return self._client.request(method, path, body=body, query=query)
        except UnreachableError as error:
            fail(
                str(error), following="start it with `kaimen serve`, or leave --server out", code=UNREACHABLE
            )

    def request(self, method: str, path: str, *, body: Any = None, query: Any = None) -> Any:
        """The answer's JSON; a refusal ends the command with code 1 and its explanation."""
        answer = self.try_request(method, path, body=body, query=query)
        if not answer.is_success:
            problem = answer.json if isinstance(answer.json, dict) else {"title": f"HTTP {answer.status}"}
            fail_with_problem(problem, as_json=self.as_json)
        return answer.json


def platform_command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command `--json`, `--server URL` and `--token`, and passes it `platform`."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option(
        "--server", envvar="KAIMEN_CLIENT_SERVER", default="",
        help="Use the platform API at this address instead of the local KAIMEN_HOME.",
    )  # fmt: skip
    @click.option(
        "--token", "personal_token", envvar="KAIMEN_CLIENT_TOKEN", default="",
        help="Personal token for --server (made in the portal under Account).",
    )  # fmt: skip
    @wraps(function)
    def command(*arguments: Any, as_json: bool, server: str, personal_token: str, **options: Any) -> Any:
        client: PlatformClient
        if server:
            client = RemoteClient(server, personal_token)
        else:
            module = importlib.import_module("api.main.local_client")  # heavy: only where it is needed
            client = local = module.LocalClient(settings_of_shell())
            click.get_current_context().call_on_close(local.close)
        return function(Platform(client, as_json=as_json), *arguments, **options)

    return command
