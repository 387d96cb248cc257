"""The router: templates, precedence, methods."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.gateway.trie import Trie


def made(*templates: str) -> Trie:
    trie = Trie()
    for template in templates:
        trie.add("GET", template, template)
    return trie


def found(trie: Trie, path: str) -> tuple[str, dict[str, str]] | None:
    match = trie.find(path.lstrip("/"))
    if match is None:
        return None
    methods, values = match
    template, names = methods["GET"]
    return template, dict(zip(names, values, strict=True))


TREE = made(
    "/companies",
    "/companies/",
    "/companies/{code}",
    "/companies/mine",
    "/companies/{code}/reports/{year}",
    "/companies/mine/settings",
    "/files/{name}.{format}",
    "/files/{name}",
    "/files/index.{format}",
    "/jobs/{id}:cancel",
    "/jobs/{id}",
    "/v{number}/x",
    "/企业/{代码}",
    "/a/{x}/b",
    "/a/c/d",
)


@pytest.mark.parametrize(
    ("path", "template", "values"),
    [
        ("/companies", "/companies", {}),
        ("/companies/", "/companies/", {}),
        ("/companies/91", "/companies/{code}", {"code": "91"}),
        ("/companies/mine", "/companies/mine", {}),
        ("/companies/mine/settings", "/companies/mine/settings", {}),
        # a literal that leads nowhere is left for the parameter
        (
            "/companies/mine/reports/2024",
            "/companies/{code}/reports/{year}",
            {"code": "mine", "year": "2024"},
        ),
        ("/a/c/b", "/a/{x}/b", {"x": "c"}),
        ("/a/c/d", "/a/c/d", {}),
        ("/files/report.pdf", "/files/{name}.{format}", {"name": "report", "format": "pdf"}),
        ("/files/a.tar.gz", "/files/{name}.{format}", {"name": "a.tar", "format": "gz"}),
        ("/files/index.html", "/files/index.{format}", {"format": "html"}),
        ("/files/report", "/files/{name}", {"name": "report"}),
        ("/files/.pdf", "/files/{name}", {"name": ".pdf"}),
        ("/jobs/7:cancel", "/jobs/{id}:cancel", {"id": "7"}),
        ("/jobs/7", "/jobs/{id}", {"id": "7"}),
        ("/v12/x", "/v{number}/x", {"number": "12"}),
        ("/企业/九一", "/企业/{代码}", {"代码": "九一"}),
        ("/companies/a b/reports/ü", "/companies/{code}/reports/{year}", {"code": "a b", "year": "ü"}),
    ],
)
def test_finds(path: str, template: str, values: dict[str, str]) -> None:
    assert found(TREE, path) == (template, values)


@pytest.mark.parametrize(
    "path",
    ["/", "", "/company", "/companies/91/", "/companies/91/reports", "/companies/91/reports/2024/x", "/v/x", "/jobs/:cancel/",
     "/jobs/", "/files/", "/企业", "/COMPANIES", "/a/c/d/"],
)  # fmt: skip
def test_finds_nothing(path: str) -> None:
    assert found(TREE, path) is None


def test_each_method_has_its_own_names_and_the_path_decides_first() -> None:
    trie = Trie()
    trie.add("GET", "/things/{id}", "get")
    trie.add("DELETE", "/things/{thing}", "delete")
    trie.add("POST", "/things/search", "search")
    match = trie.find("things/7")
    assert match is not None
    methods, values = match
    assert methods == {"GET": ("get", ("id",)), "DELETE": ("delete", ("thing",))}
    assert values == ["7"]
    literal = trie.find("things/search")
    assert literal is not None
    assert set(literal[0]) == {"POST"}  # no DELETE of a thing named search


def test_the_first_of_two_alike_stays() -> None:
    trie = Trie()
    assert trie.add("GET", "/x/{a}", 1)
    assert not trie.add("GET", "/x/{b}", 2)
    assert trie.paths == 1
    assert list(trie) == [("GET", 1)]


def test_encoded_literals_are_decoded_once() -> None:
    assert found(made("/caf%C3%A9/{x}"), "/café/1") == ("/caf%C3%A9/{x}", {"x": "1"})


_SEGMENT = st.sampled_from(["a", "b", "{x}", "{y}", "{n}.{f}", "p{z}"])


@given(st.lists(st.lists(_SEGMENT, min_size=1, max_size=4), min_size=1, max_size=12), st.data())
def test_agrees_with_a_search_by_hand(shapes: list[list[str]], data: st.DataObject) -> None:
    """For any templates and any path: found if and only if some template fits, and the template found fits."""
    templates = ["/" + "/".join(shape) for shape in shapes]
    trie = made(*templates)
    path = data.draw(st.lists(st.sampled_from(["a", "b", "c", "x.y", "pq"]), min_size=1, max_size=4))

    def fits(template: str) -> bool:
        parts = template.lstrip("/").split("/")
        return len(parts) == len(path) and all(map(_fits, parts, path))

    result = found(trie, "/" + "/".join(path))
    assert (result is not None) == any(map(fits, templates))
    if result is not None:
        assert fits(result[0])


def _fits(part: str, segment: str) -> bool:
    if part == "{n}.{f}":
        left, dot, right = segment.rpartition(".")
        return bool(left and dot and right)
    if part == "p{z}":
        return segment.startswith("p") and len(segment) > 1
    return part.startswith("{") or part == segment
