"""Forms: what a field takes, what was sent, what is wrong with it, and the values kept for another try.

    SIGN_UP = Form(Field("email", kind="email"), Field("password", kind="new-password", minimum=12), …)

    form = await SIGN_UP.read(request)
    if form.is_valid:
        try: …
        except Refusal as problem: form.take(problem)

A form knows no HTML; templates/forms.html draws it. The service behind it checks again: a form's checks are
there to answer kindly, not to guard.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from litestar import Request
from litestar.datastructures import UploadFile
from msgspec import Struct, field

from api.core import problem_types_platform as platform_types
from api.core.problems import Problem, Text

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Field(Struct, frozen=True):
    """One input. `kind` is text, email, password, new-password, area, choice, choices, file, files or flag."""

    name: str
    kind: str = "text"
    required: bool = True
    minimum: int = 0  # characters
    maximum: int = 200
    pattern: str = ""  # whole value; `hint_key` then says its form
    hint_key: str = ""
    label: str = ""  # for fields that are known at run time only; else the text `field.NAME`


class Fault(Struct, frozen=True):
    """What is wrong: a text of the portal, or words as a service said them."""

    key: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    words: Text | str = ""


class Filled(Struct):
    """A form as it was sent (or empty), with its faults."""

    fields: dict[str, Field]
    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, list[UploadFile]] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)  # by field name, "" for the whole form
    problem: Problem | None = None

    @property
    def is_valid(self) -> bool:
        return not self.faults and self.problem is None

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows the form again."""
        return self.problem.status if self.problem else 422

    def value(self, name: str) -> str:
        """The text of a field, "" where nothing was sent."""
        return str(self.values.get(name, ""))

    def chosen(self, name: str) -> list[str]:
        """The choices of a field of kind `choices`."""
        return list(self.values.get(name, ()))

    def fault(self, name: str, key: str, **facts: Any) -> None:
        """Mark a field; the first fault of a field stays."""
        self.faults.setdefault(name, Fault(key=key, facts=facts))

    def say(self, name: str, words: Text | str) -> None:
        """Mark a field with words of a service; the first fault of a field stays."""
        self.faults.setdefault(name, Fault(words=words))

    def take(self, problem: Problem) -> None:
        """Put what a service refused where it belongs: at its fields, or at the top of the form."""
        placed = False
        if problem.kind is platform_types.INPUT_INVALID:
            for error in problem.errors:
                name = str(error.get("pointer", "")).strip("/").split("/")[0]
                if name in self.fields:
                    self.say(name, error.get("message", ""))
                    placed = True
        if not placed:
            self.problem = problem


class Form:
    """The fields of a form, in the order in which they are drawn."""

    def __init__(self, *fields: Field) -> None:
        self.fields = {one.name: one for one in fields}

    def blank(self, values: Mapping[str, Any] | None = None, extra: Iterable[Field] = ()) -> Filled:
        """The form before anyone wrote into it."""
        return Filled(fields=self.fields | {one.name: one for one in extra}, values=dict(values or {}))

    async def read(self, request: Request[Any, Any, Any], extra: Iterable[Field] = ()) -> Filled:
        """What was sent, checked field by field; `extra` fields are known only at run time."""
        fields = self.fields | {one.name: one for one in extra}
        filled = Filled(fields=fields)
        sent = await request.form()
        for name, one in fields.items():
            parts = list(sent.getall(name, []))
            if one.kind in {"file", "files"}:
                filled.files[name] = [
                    part for part in parts if isinstance(part, UploadFile) and part.filename
                ]
                if one.required and not filled.files[name]:
                    filled.fault(name, "form.file_missing")
                continue
            texts = [part for part in parts if isinstance(part, str)]
            if one.kind == "choices":
                filled.values[name] = [
                    text[: one.maximum] for text in texts[:200] if not _CONTROL.search(text)
                ]
                if one.required and not filled.values[name]:
                    filled.fault(name, "form.choose")
            elif one.kind == "flag":
                filled.values[name] = bool(texts)
                if one.required and not texts:
                    filled.fault(name, "form.confirm")
            else:
                _read_text(filled, one, texts[0] if texts else "")
        return filled


def _read_text(filled: Filled, one: Field, text: str) -> None:
    if one.kind not in {"password", "new-password"}:
        text = text.strip().replace("\r\n", "\n")
    filled.values[one.name] = text
    if not text:
        if one.required:
            filled.fault(one.name, "form.missing")
    elif _CONTROL.search(text):
        filled.fault(one.name, "form.control")
    elif len(text) > one.maximum:
        filled.fault(one.name, "form.long", maximum=one.maximum)
    elif len(text) < one.minimum:
        filled.fault(one.name, "form.short", minimum=one.minimum)
    elif one.kind == "email" and not _EMAIL.fullmatch(text):
        filled.fault(one.name, "form.email")
    elif one.pattern and not re.fullmatch(one.pattern, text):
        filled.fault(one.name, one.hint_key or "form.pattern")
