"""The credentials that this shell made last: KAIMEN_HOME/cli/credentials.json, mode 0600.

So that `kaimen app create` and then `kaimen call …` need no copying. Nothing else reads the file.
"""

import json
import os
from pathlib import Path

from msgspec import Struct

from api.main.context import settings_of_shell


class Credential(Struct, frozen=True):
    client_id: str
    client_secret: str
    environment: str


def _path() -> Path:
    return settings_of_shell().home_path / "cli" / "credentials.json"


def remember(client_id: str, client_secret: str, environment: str) -> None:
    """Keep the credential of an environment, in place of the one before."""
    path = _path()
    known = _read(path)
    known[environment] = {"client_id": client_id, "client_secret": client_secret}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(known, file)
    draft.replace(path)


def recall(environment: str) -> Credential | None:
    """The credential made last in the environment, or None."""
    one = _read(_path()).get(environment)
    return Credential(one["client_id"], one["client_secret"], environment) if one else None


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
