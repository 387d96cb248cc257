"""The `kaimen` command: the same platform from a shell. A file per command group in api/main/commands.

A group is imported when it is used: a server process loads no command but its own, and `kaimen token` waits for
no web framework.
"""

import importlib

import click

from api.main.lean import leaving_out

# name -> (module below api.main.commands, attribute, one line for the list)
COMMANDS = {
    "up": ("up", "up", "Everything on one machine: migrate, seed the city, serve."),
    "serve": ("server", "serve", "Serve a plane: sandbox (with control plane and portal), or live."),
    "migrate": ("server", "migrate", "Bring the stores to the newest schema."),
    "settings": ("server", "settings", "List the settings."),
    "city": ("city", "city", "The simulated city behind the sandbox."),
    "contract": ("contract", "contract", "Contracts: lint, import, diff, publish, retire."),
    "app": ("app", "app", "Apps and their secrets."),
    "registration-token": (
        "registration_token",
        "registration_token",
        "Tokens with which clients register themselves.",
    ),
    "subscription": ("subscription", "subscription", "Subscriptions of apps to services."),
    "approval": ("approval", "approval", "Approvals; nobody decides their own request."),
    "agent": (
        "agent",
        "agent",
        "A department's way out of a closed network: its agents, and the agent itself.",
    ),
    "token": ("call", "token", "Get an access token: the app's own, or under a persona's consent."),
    "call": ("call", "call", "Call an operation by its id."),
    "graphql": ("graphql", "graphql", "GraphQL documents that an app has registered."),
    "mcp": ("mcp", "mcp", "What agents may change through an app."),
    "webhook": ("webhook", "webhook", "Webhook endpoints: where an app's events are brought to."),
    "event": ("event", "event", "An app's events: fetch, acknowledge; a department's: tell."),
    "listen": ("listen", "listen", "Forward an app's events to a server on this machine."),
    "persona": ("persona", "persona", "People and companies of the sandbox, to try things with."),
    "consent": ("consent", "consent", "Consents that an app holds; withdrawing one in the sandbox."),
    "request": ("request", "request", "The request log: what happened to a call."),
    "sdk": ("sdk", "sdk", "SDKs cut to an app: build, list, verify; read tokens."),
    "audit": ("audit", "audit", "The audit journal: a hash chain over every change."),
    "keys": ("keys", "keys", "Signing keys: list, rotate and retire."),
    "admin": ("admin", "admin", "The way in for administrators."),
    "parity": ("parity", "parity", "Whether all faces say the same, case by case."),
    "docs": ("docs", "docs", "The documentation site."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        with leaving_out():
            command: click.Command = getattr(
                importlib.import_module(f"api.main.commands.{module}"), attribute
            )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for --help, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in sorted(COMMANDS.items())])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kaimen", prog_name="kaimen")
def main() -> None:
    """开门 Kaimen: a government developer platform. One contract, every face.

    Commands act on KAIMEN_HOME (default ./var) as its operator, audited; `--server URL` goes through the
    platform API with a personal token. Every command takes --json.
    """
