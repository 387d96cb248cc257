"""The `kaimen` command: the same platform from a shell. A file per command group in api/main/commands."""

import click

from api.main.commands import (
    admin,
    app,
    approval,
    audit,
    call,
    city,
    contract,
    docs,
    keys,
    request,
    server,
    subscription,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kaimen", prog_name="kaimen")
def main() -> None:
    """开门 Kaimen: a government developer platform. One contract, every face.

    Commands act on KAIMEN_HOME (default ./var) as its operator, audited; `--server URL` goes through the
    platform API with a personal token. Every command takes --json.
    """


for command in (
    server.up, server.serve, server.migrate, server.settings,
    city.city, contract.contract, app.app, subscription.subscription, approval.approval,
    call.token, call.call, request.request, audit.audit, keys.keys, admin.admin, docs.docs,
):  # fmt: skip
    main.add_command(command)
