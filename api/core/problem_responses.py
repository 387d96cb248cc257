"""How the platform API's own OpenAPI document tells its problems: one schema, one example for each kind.

@post("/platform/v1/apps", responses=problem_responses(INPUT_INVALID, PERMISSION_DENIED))
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from msgspec import Meta, Struct

from api.core.problem_types import INTERNAL_ERROR
from api.core.problem_types_platform import INPUT_INVALID, TOO_MANY_REQUESTS
from api.core.problems import CONTENT_TYPE, ProblemType, describe

_DOCS = "https://kaimen.example/docs"


class FieldProblem(Struct, frozen=True):
    """One faulty input: where it stands (RFC 6901) and what is wrong with it."""

    pointer: str
    message: str


class ProblemBody(Struct, frozen=True, kw_only=True):
    """RFC 9457. Facts of the kind stand beside these members. Texts are in the language of Accept-Language."""

    type: Annotated[str, Meta(description="Address of the page that explains this kind of problem.")]
    title: str
    status: int
    detail: str
    next: Annotated[str, Meta(description="What to do about it.")]
    rule: Annotated[str, Meta(description="The rule that refused.")]
    request_id: str
    instance: str
    step: Annotated[str, Meta(description="The step of the request that refused.")] = ""
    errors: list[FieldProblem] = []


@dataclass
class _NamedExample(Example):
    """Litestar names an example by `id`, and then writes it into the document, where OpenAPI knows no such member."""

    @property
    def _exclude_fields(self) -> set[str]:
        return {"id"}


def _example(kind: ProblemType) -> Example:
    words = describe(kind, {}, language="en", docs_url=_DOCS)
    body: dict[str, Any] = {
        "type": words["type"], "title": words["title"], "status": kind.status, "detail": words["detail"],
        "next": words["next"], "rule": kind.slug, "request_id": "rp_0123456789abcdefghjkmnpqrs",
        "instance": "urn:kaimen:request:rp_0123456789abcdefghjkmnpqrs",
    }  # fmt: skip
    if kind is INPUT_INVALID:
        body["errors"] = [{"pointer": "/name", "message": "It is required."}]
    return _NamedExample(id=kind.slug, summary=words["title"], value=body)


def problem_responses(*kinds: ProblemType, is_limited: bool = False) -> dict[int, ResponseSpec]:
    """The `responses` of a handler that raises these kinds; 400 and 500 always stand there.

    `is_limited` adds the 429 of a handler with an edge limit.
    """
    every = [INPUT_INVALID, *kinds, INTERNAL_ERROR, *([TOO_MANY_REQUESTS] if is_limited else [])]
    by_status: dict[int, dict[str, ProblemType]] = {}
    for kind in every:
        by_status.setdefault(kind.status, {})[kind.slug] = kind
    return {status: _response(by_status[status].values()) for status in sorted(by_status)}


def document_response(description: str, media_type: str = "application/json") -> dict[int, ResponseSpec]:
    """The 200 of a handler that answers with a finished document: an object, though it is bytes in Python."""
    spec = ResponseSpec(
        data_container=dict[str, Any], media_type=media_type, description=description, generate_examples=False
    )
    return {200: spec}


def empty_response(description: str) -> dict[int, ResponseSpec]:
    """The 204 of a handler that sets cookies: it has no content, not even null."""
    return {204: ResponseSpec(data_container=None, description=description, generate_examples=False)}


def _response(kinds: Iterable[ProblemType]) -> ResponseSpec:
    titles = "; ".join(f"{kind.title.en} (`{kind.slug}`)" for kind in kinds)
    return ResponseSpec(
        data_container=ProblemBody,
        media_type=CONTENT_TYPE,
        description=titles,
        generate_examples=False,
        examples=[_example(kind) for kind in kinds],
    )
