"""What the tests of the certificate share: a seeded installation with more quota than a run needs."""

from tests.server import Installation

MANY = 1_000_000


def widen_plans(installation: Installation, monkeypatch) -> None:
    """More quota than the run needs, so that it never waits."""
    from api.main.context import settings_of_shell
    from api.main.local_client import LocalClient

    for name, value in installation.environ.items():
        if name.startswith("KAIMEN_"):
            monkeypatch.setenv(name, value)
    client = LocalClient(settings_of_shell())
    limits = {kind: {"units": MANY, "window_seconds": 60} for kind in ("light", "standard", "heavy", "bulk")}
    for plan in ("trial", "standard", "partner", "internal"):
        body = {"title_zh": plan, "title_en": plan, "limits": limits}
        assert client.request("PUT", f"/platform/v1/plans/{plan}", body=body).is_success
    client.close()
