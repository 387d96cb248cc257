"""Cookies of the portal: never read by scripts, sent over https only where the public address is https."""

from typing import Literal

from litestar.datastructures import Cookie

from api.identity.installation import current


def cookie(
    name: str,
    value: str,
    *,
    seconds: int | None,
    path: str = "/",
    same_site: Literal["lax", "strict"] = "lax",
) -> Cookie:
    """A cookie that lives `seconds` (0: it is removed; None: as long as the browser is open)."""
    return Cookie(
        key=name, value=value, max_age=seconds, path=path, samesite=same_site, httponly=True,
        secure=current().settings.issuer.startswith("https://"),
    )  # fmt: skip
