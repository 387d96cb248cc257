"""The samples of an operation's page, one for each language that the SDK knows."""

from api.contract.model import Operation
from api.settings import Settings
from portal.shelf import Shown


def code_samples(shown: Shown, operation: Operation, settings: Settings) -> list[tuple[str, str]]:
    """(language, source) pairs, curl first."""
    return [("curl", f"{settings.issuer_of(shown.environment)} {operation.id}")]
