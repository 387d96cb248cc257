"""Templates: they compile, hold no inline script or style, and take nothing from elsewhere."""

import re
from pathlib import Path

import pytest

import portal
from portal.icons import icon
from portal.view import ENVIRONMENT

FOLDER = Path(portal.__file__).parent / "templates"
TEMPLATES = sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_compiles(name):
    ENVIRONMENT.get_template(name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_inline_and_nothing_foreign(name):
    source = (FOLDER / name).read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", source)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", source)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", source)
    assert "| safe" not in source


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_form_that_posts_carries_the_token(name):
    source = (FOLDER / name).read_text()
    for form in re.findall(r'<form[^>]*method="post".*?</form>', source, re.DOTALL):
        assert "token()" in form


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_icon_is_there(name):
    for symbol in re.findall(r"icon\('([a-z]+)'", (FOLDER / name).read_text()):
        assert "<svg" in icon(symbol)


def test_the_style_has_both_colour_schemes_and_calls_for_nothing_from_elsewhere():
    style = (FOLDER.parent / "static" / "kaimen.css").read_text()
    assert "prefers-color-scheme: dark" in style
    assert "prefers-reduced-motion" in style
    assert "url(" not in style
    assert "@import" not in style
