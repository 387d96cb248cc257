"""Every error that leaves the platform, and the one renderer that writes it (RFC 9457).

    Exception
    └── Problem(kind, **facts)      kind is a ProblemType of api.core.problem_types
        ├── Refusal                 4xx: expected, the caller can mend it; never logged as an error
        └── Failure                 5xx: ours or the upstream's

A problem keeps its kind and its facts, not a sentence: the sentence is made when it is rendered, in the
reader's language, so that the answer, the request log and the portal explain it in the same words.
OAuth endpoints keep RFC 6749 bodies and do not use this module's renderer.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

CONTENT_TYPE = "application/problem+json"
RESERVED = frozenset({"type", "title", "status", "detail", "instance"})


class Text(Struct, frozen=True):
    """A text in the two languages of the platform. Facts stand in it as `{name}`."""

    zh: str
    en: str

    def in_language(self, language: str, facts: Mapping[str, Any] | None = None) -> str:
        """The text in `zh` or `en` (anything else reads as English), facts filled in; a missing one shows as `…`.

        Without facts it is said as it stands: it is finished, and may hold braces that somebody typed.
        """
        template = self.zh if language.startswith("zh") else self.en
        if facts is None:
            return template
        return template.format_map(
            _Facts({key: _said(value, language) for key, value in (facts or {}).items()})
        )


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def _said(fact: Any, language: str) -> Any:
    """A fact as the reader sees it: a Text, or its JSON form read back from the request log, in one language."""
    if isinstance(fact, dict) and fact.keys() == {"zh", "en"}:
        fact = Text(**fact)
    return fact.in_language(language) if isinstance(fact, Text) else fact


class ProblemType(Struct, frozen=True):
    """A kind of problem: what its documentation page, its `type` URI and its texts are made from.

    `step` is the step of the request that refuses (design §2), "" outside the gateway.
    `next` tells the caller what to do; `cause` explains on the documentation page.
    """

    slug: str
    status: int
    title: Text
    detail: Text
    next: Text
    cause: Text
    step: str = ""
    is_retryable: bool = False


REGISTRY: dict[str, ProblemType] = {}


def define(
    slug: str,
    status: int,
    title: tuple[str, str],
    detail: tuple[str, str],
    following: tuple[str, str],
    cause: tuple[str, str],
    *,
    step: str = "",
    retry: bool = False,
) -> ProblemType:
    """Enter a problem type in the registry. Texts are pairs (Chinese, English); a slug stands once."""
    kind = ProblemType(
        slug=slug,
        status=status,
        title=Text(*title),
        detail=Text(*detail),
        next=Text(*following),
        cause=Text(*cause),
        step=step,
        is_retryable=retry,
    )
    if slug in REGISTRY:
        raise ValueError(f"problem type {slug} is there twice")
    REGISTRY[slug] = kind
    return kind


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An answer that is no success. `facts` fill the texts and are shown as extension members.

    `errors` lists field errors `{"pointer", "message"}`; `headers` are added to the answer.
    Facts must never hold a token, a body or personal data: they go to the request log.
    A fact or a message that is a sentence is a Text, so that it too is said in the reader's language.
    """

    def __init__(
        self,
        kind: ProblemType,
        *,
        rule: str = "",
        errors: tuple[dict[str, Any], ...] = (),
        headers: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(kind.slug)
        self.kind = kind
        self.rule = rule or kind.slug
        self.errors = errors
        self.headers = dict(headers or {})
        self.facts = facts

    @property
    def status(self) -> int:
        return self.kind.status


class Refusal(Problem):
    """The caller's side: 4xx."""


class Failure(Problem):
    """Our side or the upstream's: 5xx."""


def preferred_language(accept_language: str) -> str:
    """`zh` where Chinese comes before English in an Accept-Language value, else `en`.

    Weights are obeyed; an absent or unreadable header reads as English, the language of the code samples.
    """
    best, chosen = 0.0, "en"
    for part in accept_language[:200].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        primary = tag.strip().lower().partition("-")[0]
        if primary in {"zh", "en"} and quality > best:
            best, chosen = quality, primary
    return chosen


def describe(kind: ProblemType, facts: Mapping[str, Any], *, language: str, docs_url: str) -> dict[str, str]:
    """The words of a problem: type, title, detail, step and next, for the answer and the request log."""
    return {
        "type": f"{docs_url}/problems/{kind.slug}/",
        "title": kind.title.in_language(language),
        "detail": kind.detail.in_language(language, facts),
        "step": kind.step,
        "next": kind.next.in_language(language, facts),
    }


def render(problem: Problem, *, language: str, docs_url: str, request_id: str, instance: str = "") -> bytes:
    """The JSON body of a problem. Reserved members come last, so no fact can overwrite them."""
    words = describe(problem.kind, problem.facts, language=language, docs_url=docs_url)
    body: dict[str, Any] = {
        key: _said(value, language) for key, value in problem.facts.items() if key not in RESERVED
    }
    if problem.errors:
        body["errors"] = [
            {name: _said(value, language) for name, value in error.items()} for error in problem.errors
        ]
    if words["step"]:
        body["step"] = words["step"]
    body |= {
        "rule": problem.rule,
        "next": words["next"],
        "request_id": request_id,
        "type": words["type"],
        "title": words["title"],
        "status": problem.kind.status,
        "detail": words["detail"],
        "instance": instance or f"/platform/v1/requests/{request_id}",
    }
    return msgspec.json.encode(body)
