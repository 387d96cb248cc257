"""Docs say what the code says: every setting, problem type and step has its place."""

from pathlib import Path

from api.core.problems import REGISTRY
from api.gateway.pipeline import STEPS
from api.main import reference

ROOT = Path(__file__).resolve().parents[2]


def test_every_problem_type_has_a_page() -> None:
    pages = reference.pages()
    assert {f"problems/{slug}.md" for slug in REGISTRY} <= set(pages)


def test_texts_of_problems_are_in_both_languages() -> None:
    for kind in REGISTRY.values():
        for text in (kind.title, kind.detail, kind.next, kind.cause):
            assert text.zh.strip(), kind.slug
            assert text.en.strip(), kind.slug


def test_the_steps_in_the_docs_are_the_steps_of_the_code() -> None:
    names = [step.__name__.rpartition(".")[2] for step in STEPS]
    for page in ("way-of-a-request.md", "way-of-a-request.en.md"):
        text = (ROOT / "docs" / "explanation" / page).read_text()
        shown = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
        assert shown == names, page


def test_every_page_has_its_english_twin() -> None:
    for folder in ("tutorials", "how-to", "explanation"):
        for page in (ROOT / "docs" / folder).glob("*.md"):
            if not page.name.endswith(".en.md"):
                assert page.with_name(page.stem + ".en.md").exists(), page.name
