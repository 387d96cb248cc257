"""XML without trust: no DTD, bounded, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.contract.mapping_xml import DEEPEST, XmlError, read_xml, write_xml

texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=20).filter(
    str.strip
)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
trees = st.recursive(
    st.none() | texts,
    lambda inner: st.dictionaries(
        names, inner | st.lists(inner, min_size=2, max_size=3), min_size=1, max_size=4
    ),
    max_leaves=12,
)


@given(trees)
def test_a_tree_comes_back(tree: object) -> None:
    assert read_xml(write_xml("root", tree, namespace="urn:x")).tree == tree


def test_attributes_and_text() -> None:
    tree = {"@id": 'a"b\n', "XM": {"@lang": "zh", "#text": "古力·<&>"}, "A": ["1", None, ""]}
    assert read_xml(write_xml("r", tree)).tree == tree


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>',
        '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>',
        '<!DOCTYPE r PUBLIC "x" "http://127.0.0.1/x"><r/>',
        "<r>&unknown;</r>", "<r>", "", "no", "<r/><r/>", "<a><b></a></b>", "<r a='1' a='2'/>",
        "<x:r/>",
        "<r>" * (DEEPEST + 2) + "</r>" * (DEEPEST + 2),
        "<r " + " ".join(f"a{n}='1'" for n in range(70)) + "/>",
    ],
)  # fmt: skip
def test_what_is_not_read(text: str) -> None:
    with pytest.raises(XmlError):
        read_xml(text)


def test_too_many_elements() -> None:
    with pytest.raises(XmlError, match="elements"):
        read_xml("<r>" + "<a/>" * 200_001 + "</r>")


def test_a_declaration_of_another_encoding_is_not_believed() -> None:
    assert read_xml('<?xml version="1.0" encoding="GB18030"?><r>样</r>').tree == "样"


@pytest.mark.parametrize("tree", [{"a b": "1"}, {"1a": "1"}, {"a": "\x00"}, {"a": "\ud800"}])
def test_what_xml_cannot_hold_is_not_written(tree: object) -> None:
    with pytest.raises(XmlError):
        write_xml("r", tree)


def test_errors_quote_no_content() -> None:
    with pytest.raises(XmlError) as error:
        read_xml("<r>990101199001011234</x>")
    assert "990101" not in str(error.value)
