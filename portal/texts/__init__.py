"""Every text of the portal in both languages, a file per area; the texts of problems are in api.core.

A text is a pair (Chinese, English) under one key, so neither language can lack one; facts stand in it as
`{name}`. tests/portal/test_texts.py holds that every key is used and both sides have the same facts.
"""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from portal.texts import (
    account,
    agents,
    apps,
    catalogue,
    citizens,
    departments,
    layout,
    oauth,
    requests,
    sandbox,
    sdks,
    security,
    webhooks,
    welcome,
)

TEXTS: dict[str, tuple[str, str]] = {}
for _area in (
    sdks,
    layout,
    welcome,
    catalogue,
    account,
    apps,
    requests,
    departments,
    agents,
    citizens,
    oauth,
    sandbox,
    security,
    webhooks,
):
    for _key, _pair in _area.TEXTS.items():
        if _key in TEXTS:
            raise ValueError(f"the text {_key} is there twice")
        TEXTS[_key] = _pair


def text(language: str, key: str, /, **facts: Any) -> str:
    """The text as plain words. KeyError for an unknown key or a fact that is not given."""
    template = TEXTS[key][0 if language == "zh" else 1]
    return template.format_map(facts) if facts else template


def markup(language: str, key: str, facts: Mapping[str, Any]) -> Markup:
    """The text for HTML: it and its facts are escaped, facts that are Markup already are not."""
    template = Markup(escape(TEXTS[key][0 if language == "zh" else 1]))  # noqa: S704 - escaped right here
    return template.format_map(facts) if facts else template
