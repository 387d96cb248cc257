"""Texts in two languages: facts are filled in, and what is finished is said as it stands."""

from api.core.problems import Text


def test_facts_are_filled_in_and_a_missing_one_shows_as_dots():
    text = Text("{name} 在 {place}", "{name} in {place}")
    assert text.in_language("zh", {"name": "甲"}) == "甲 在 …"
    assert text.in_language("en-GB", {"name": Text("甲", "A"), "place": 1}) == "A in 1"


def test_a_finished_text_keeps_its_braces():
    text = Text("填写 info.x-service {availability: 0.999}", "state x-owner {name, email}")
    assert text.in_language("zh") == text.zh
    assert Text("{reason}", "{reason}").in_language("en", {"reason": text}) == text.en
