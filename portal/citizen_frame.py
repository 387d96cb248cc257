"""The frame around the pages for citizens: who they are, and the form-action that lets a browser go back to an app."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from litestar.datastructures import Cookie

from portal.citizens import SignedIn
from portal.security_headers import STRICT
from portal.view import AnyRequest, Page, draw


def citizen_page(
    request: AnyRequest,
    template: str,
    *,
    citizen: SignedIn | None = None,
    status: int = 200,
    goes_to: str = "",
    cookies: Sequence[Cookie] = (),
    **context: Any,
) -> Page:
    """The page. `goes_to` is the address to which its form leads in the end, where that is another site's.

    Browsers hold form-action against the whole chain of redirects, and an app may send its visitors on, so the
    scheme is opened, not the host. Source: W3C Content Security Policy 3, §6.4.2.
    """
    headers = {}
    if goes_to:
        scheme = urlsplit(goes_to).scheme
        sources = "'self' https:" if scheme == "https" else f"'self' https: {scheme}:"
        headers["Content-Security-Policy"] = STRICT.replace("form-action 'self'", f"form-action {sources}")
    return draw(
        request, template, status=status, headers=headers, cookies=cookies, citizen=citizen, goes_to=_host(goes_to),
        **context,
    )  # fmt: skip


def _host(address: str) -> str:
    return urlsplit(address).netloc
