"""Contrast of the style's colours, in both schemes. Source: WCAG 2.2, 1.4.3 and 1.4.11."""

import re
from pathlib import Path

import pytest

import portal

STYLE = (Path(portal.__file__).parent / "static" / "kaimen.css").read_text()
BLOCKS = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
LIGHT, DARK = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in BLOCKS[:2])

TEXT = [  # (foreground, ground): 4.5
    ("ink", "paper"), ("ink", "surface"), ("ink", "sunken"), ("soft", "paper"), ("soft", "surface"), ("soft", "sunken"),
    ("brand", "paper"), ("brand", "surface"), ("brand-strong", "brand-wash"), ("on-brand", "brand"), ("on-brand", "brand-strong"),
    ("ok", "ok-wash"), ("warn", "warn-wash"), ("bad", "bad-wash"), ("bad", "surface"), ("bad", "paper"), ("code-ink", "code"),
    ("code-soft", "code"), ("surface", "gate"), ("surface", "bad"), ("ink", "warn-wash"), ("ink", "brand-wash"),
]  # fmt: skip
SHAPES = [  # 3
    ("line-strong", "surface"), ("line-strong", "paper"), ("focus", "paper"), ("focus", "surface"), ("gate", "surface"),
    ("brand", "sunken"), ("warn", "surface"), ("ok", "surface"),
]  # fmt: skip


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_shapes_stand_out(scheme):
    weak = [
        (a, b, round(contrast(scheme[a], scheme[b]), 2))
        for a, b in TEXT
        if contrast(scheme[a], scheme[b]) < 4.5
    ]
    weak += [
        (a, b, round(contrast(scheme[a], scheme[b]), 2))
        for a, b in SHAPES
        if contrast(scheme[a], scheme[b]) < 3
    ]
    assert weak == []


def test_both_schemes_name_the_same_colours():
    assert set(LIGHT) == set(DARK)
