"""What one difference between two versions of a contract is, and the hand that writes them down."""

from msgspec import Struct

from api.contract.model import Operation, Texts

BREAKING, COMPATIBLE, DOCS = "breaking", "compatible", "docs"
Said = tuple[str, str]  # Chinese, English


class Change(Struct, frozen=True):
    """One difference. `field` is "query:code", "body:/a/b", "response:200:/b" or "" for the operation itself.

    `pointer` leads into the new document, into the old one for what was removed.
    """

    kind: str  # removed, added, narrowed, widened, required, relaxed, policy or docs
    severity: str  # breaking, compatible or docs
    operation: str  # "" = the whole service
    pointer: str
    field: str
    message: Texts
    rule: str


class Teller:
    """Writes down the changes of one operation."""

    def __init__(self, before: Operation, after: Operation) -> None:
        self.before = before
        self.after = after
        self.found: list[Change] = []

    def tell(
        self, kind: str, severity: str, rule: str, said: Said, *, field: str = "", pointer: str | None = None
    ) -> None:
        place = self.after.pointer if pointer is None else pointer
        texts = {"zh": said[0], "en": said[1]}
        self.found.append(Change(kind, severity, self.before.id, place, field, texts, rule))

    def policy(self, *, is_stricter: bool, rule: str, said: Said) -> None:
        self.tell("policy", BREAKING if is_stricter else COMPATIBLE, rule, said)
