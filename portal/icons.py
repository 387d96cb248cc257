"""The icons of the portal, drawn as inline SVG: decoration only, so hidden from screen readers."""

from markupsafe import Markup

_SHAPES = {
    "check": '<path d="M4.5 12.5l5 5 10-11"/>',
    "cross": '<path d="M6 6l12 12M18 6L6 18"/>',
    "dash": '<path d="M6 12h12"/>',
    "alert": '<path d="M12 4L2.8 20h18.4z"/><path d="M12 10v4.5M12 17.4v.1"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.6v.1"/>',
    "key": '<circle cx="8" cy="15" r="4.5"/><path d="M11.3 11.7L20 3M16 7l3 3"/>',
    "app": '<rect x="4" y="4" width="7" height="7" rx="1.5"/><rect x="13" y="4" width="7" height="7" rx="1.5"/><rect x="4" y="13" width="7" height="7" rx="1.5"/><path d="M16.5 13v7M13 16.5h7"/>',
    "list": '<path d="M8 6h12M8 12h12M8 18h12M4 6h.1M4 12h.1M4 18h.1"/>',
    "search": '<circle cx="11" cy="11" r="6.5"/><path d="M16 16l4.5 4.5"/>',
    "mail": '<rect x="3" y="5" width="18" height="14" rx="2"/><path d="M3.5 7l8.5 6.5L20.5 7"/>',
    "building": '<path d="M4 21V8l8-5 8 5v13M2.5 21h19M9 21v-5h6v5M8.5 11h.1M12 11h.1M15.5 11h.1"/>',
    "stamp": '<path d="M9 14V9.5a4 4 0 116 0V14M5 18v-2a2 2 0 012-2h10a2 2 0 012 2v2zM5 21h14"/>',
    "globe": '<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"/>',
    "arrow": '<path d="M5 12h14M13 6l6 6-6 6"/>',
    "upload": '<path d="M12 16V4M7 9l5-5 5 5M4 16v3a2 2 0 002 2h12a2 2 0 002-2v-3"/>',
    "download": '<path d="M12 4v12M7 11l5 5 5-5M4 20h16"/>',
    "play": '<path d="M7 4.5v15l12-7.5z"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4 21c.8-4.6 4-7 8-7s7.200 2.400 8 7"/>',
    "shield": '<path d="M12 3l8 3v6c0 5-3.500 8-8 9.500C7.500 20 4 17 4 12V6z"/>',
    "clock": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5.500l3.500 2"/>',
    "route": '<circle cx="5.500" cy="18.500" r="2.500"/><circle cx="18.500" cy="5.500" r="2.500"/><path d="M8 18.500h7a3.500 3.500 0 000-7H9a3.500 3.500 0 010-7h7"/>',
    "gauge": '<path d="M4 18a9 9 0 1116 0M12 15l4-5"/>',
    "plug": '<path d="M9 3v5M15 3v5M6 8h12v3a6 6 0 01-12 0zM12 17v4"/>',
    "pen": '<path d="M4 20l1-4L16.500 4.500l3 3L8 19z"/>',
}


def icon(name: str, size: int = 20) -> Markup:
    """The icon `name`, a square of `size` CSS pixels; KeyError for a name that is none."""
    return Markup(  # noqa: S704 - both parts are ours
        f'<svg width="{size}" height="{size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.9" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{_SHAPES[name]}</svg>'
    )
