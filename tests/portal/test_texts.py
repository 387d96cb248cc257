"""Texts: in both languages, with the same facts, and every one of them used."""

import re
import string
from pathlib import Path

import pytest

import portal
from portal.texts import TEXTS, markup, text

FOLDER = Path(portal.__file__).parent
SOURCES = [*FOLDER.rglob("*.html"), *FOLDER.rglob("*.svg"), *FOLDER.rglob("*.py")]
LITERAL = re.compile(r"""['"]([a-z0-9_]+\.[a-zA-Z0-9_-]+)['"]""")
BEGINNING = re.compile(r"""['"]([a-z0-9_]+\.[a-z0-9_-]*)(?:['"] ~|\{)""")  # 'a.b_' ~ one, f"a.b_{one}"


def sources() -> str:
    return "\n".join(path.read_text() for path in SOURCES if "texts" not in path.parts)


def facts_of(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_both_languages_say_it_with_the_same_facts(key):
    zh, en = TEXTS[key]
    assert zh.strip()
    assert en.strip()
    assert facts_of(zh) == facts_of(en)


def test_chinese_has_chinese_punctuation():
    halfwidth = re.compile(r"[\u4e00-\u9fff][,;:!?(]")
    assert [key for key, (zh, _) in TEXTS.items() if halfwidth.search(zh)] == []


def test_every_text_is_used():
    source = sources()
    used = set(LITERAL.findall(source))
    beginnings = tuple(set(BEGINNING.findall(source)) - {"field."})
    fields = {f"field.{name}" for name in re.findall(r"""Field\(\s*["']([a-z_]+)["']""", source)}
    unused = [key for key in TEXTS if key not in used | fields and not key.startswith(beginnings)]
    assert unused == []


def test_every_key_that_is_used_has_a_text():
    keys = set(re.findall(r"""\bt\(\s*['"]([^'"]+)['"]\s*[,)]""", sources()))
    assert sorted(keys - set(TEXTS)) == []


def test_facts_are_escaped_in_html():
    said = markup("en", "app.deleted", {"name": "<script>alert(1)</script>"})
    assert "<script>" not in said
    assert "&lt;script&gt;" in said
    assert text("en", "app.deleted", name="<b>") == "The app “<b>” is deleted."
