"""The public catalogue: cards of published services, searched in Chinese and English, ranked.

Cards and words are made at publish and stored beside the document, so that a list or a search reads no
document. What is only for departments (`x-audience: department` on every operation) is shown to members of
departments alone.
"""

import unicodedata
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from api.catalogue import outside
from api.catalogue.models import Publication, ServiceRecord, VersionRecord
from api.contract.model import Service, Texts
from api.core.caller import Caller, CallerKind

QUERY_LIMIT = 100
_WORDS_LIMIT = 200_000


class Card(Struct, frozen=True):
    """What a list shows of a published version. Texts are by language (zh, en), never empty in both."""

    name: str
    version: str
    release: str
    titles: Texts
    descriptions: Texts
    department: str
    level: str
    open: str
    audience: str
    status: str
    operations: int
    tags: tuple[str, ...] = ()
    sunset: str = ""


class Listed(Struct, frozen=True):
    """A service version in the public catalogue, in one environment or both."""

    id: str
    card: Card
    environments: tuple[str, ...]
    organisation_id: str
    organisations: Texts = {}
    score: int = 0


def _in_two_languages(texts: dict[str, Texts], key: str, fallback: str) -> Texts:
    """A text in zh and en; what is missing is said in the other language."""
    found = {tag.partition("-")[0].lower(): value[key] for tag, value in texts.items() if value.get(key)}
    return {"zh": found.get("zh") or fallback or found.get("en", ""),
            "en": found.get("en") or fallback or found.get("zh", "")}  # fmt: skip


def card_of(service: Service) -> Card:
    """The card of a service as published."""
    levels = [operation.level for operation in service.operations]
    opens = {operation.open for operation in service.operations}
    audiences = {operation.audience for operation in service.operations}
    tags = dict.fromkeys(tag for operation in service.operations for tag in operation.tags)
    return Card(
        name=service.name,
        version=service.version,
        release=service.release,
        titles=_in_two_languages(service.texts, "title", service.title),
        descriptions=_in_two_languages(service.texts, "description", service.description),
        department=service.department,
        level=max(levels, default="L1"),
        open=next((word for word in ("open", "conditional", "closed") if word in opens), ""),
        audience="department" if audiences == {"department"} else "public",
        status=service.status.value,
        operations=len(service.operations),
        tags=tuple(tags)[:50],
        sunset=service.deprecation.sunset if service.deprecation else "",
    )


def words_of(service: Service) -> str:
    """What the search looks into besides the card: operations, scopes and tags, folded."""
    parts: list[str] = []
    for operation in service.operations:
        parts += [operation.id, operation.summary, operation.path, *operation.tags, *operation.scopes]
        parts += [text for texts in operation.texts.values() for text in texts.values()]
    text = fold("\n".join(dict.fromkeys(parts)))[:_WORDS_LIMIT]
    return "".join(char if char.isprintable() else "\n" for char in text)


def fold(text: str) -> str:
    """Text as it is compared: width and case do not count (NFKC, case-folded)."""
    return unicodedata.normalize("NFKC", text).casefold()


def terms_of(query: str) -> list[str]:
    """The terms of a query, at most ten, folded; between two Chinese words no space is needed."""
    return fold(query[:QUERY_LIMIT]).replace("\u3000", " ").split()[:10]


def _is_chinese(term: str) -> bool:
    return len(term) > 2 and all("\u4e00" <= char <= "\u9fff" for char in term)


def score_of(terms: Sequence[str], card: Card, words: str, organisations: Texts) -> int:
    """How well a version answers a query: 0 when a term is found nowhere.

    Weights: name 100 whole, 60 as a beginning, 50 within; title 90, 60, 50; organisation 30; tag 25;
    operations 15; description 10. A Chinese term that is nowhere as a whole counts by its pairs of
    characters, when at least half of them are found.
    """
    named = [(fold(card.name), 100, 60, 50)] + [(fold(text), 90, 60, 50) for text in card.titles.values()]
    others = [
        (fold(" ".join([card.department, *organisations.values()])), 30),
        (fold(" ".join(card.tags)), 25),
        (words, 15),
        (fold(" ".join(card.descriptions.values())), 10),
    ]
    total = 0
    for term in terms:
        best = _best(term, named, others)
        if not best and _is_chinese(term):
            pairs = [_best(term[at : at + 2], named, others) for at in range(len(term) - 1)]
            is_near = 2 * sum(1 for pair in pairs if pair) >= len(pairs)  # 寄递证照 finds 证照寄递
            best = sum(pairs) // (2 * len(pairs)) if is_near else 0
        if not best:
            return 0
        total += best
    return total


def _best(term: str, named: Iterable[tuple[str, int, int, int]], others: Iterable[tuple[str, int]]) -> int:
    best = 0
    for text, whole, start, within in named:
        if term in text:
            best = max(best, whole if term == text else start if text.startswith(term) else within)
    return max([best, *(weight for text, weight in others if term in text)])


async def is_of_a_department(caller: Caller) -> bool:
    """Whether the caller may see what is for departments only."""
    if caller.kind == CallerKind.OPERATOR or caller.is_administrator:
        return True
    for organisation_id in caller.organisations:
        organisation = await outside.ask().organisation(organisation_id)
        if organisation is not None and organisation.kind == "department":
            return True
    return False


async def browse(
    caller: Caller,
    *,
    query: str = "",
    department: str = "",
    level: str = "",
    open_: str = "",
    status: str = "",
    environment: str = "",
) -> list[Listed]:
    """Published versions that the caller may see, best first; without a query by name.

    `department` is a slug or an organisation's id; `level` is the highest level of a version; `open_` is
    open, conditional or closed. Deprecated versions come last, retired ones not at all.
    """
    rows = await _published_rows(environment)
    owners = {record.name: record.organisation_id for record in await ServiceRecord.all()}
    names = await _names_of(set(owners.values()))
    sees_all = await is_of_a_department(caller)
    terms = terms_of(query)
    found = []
    for row_id, (card, words, environments) in rows.items():
        organisation_id = owners.get(card.name, "")
        if card.audience == "department" and not (sees_all or organisation_id in caller.organisations):
            continue
        slug = names.get(organisation_id, {}).get("slug", "")
        if department and department not in {card.department, slug, organisation_id}:
            continue
        if (
            (level and card.level != level)
            or (open_ and card.open != open_)
            or (status and card.status != status)
        ):
            continue
        organisations = {key: text for key, text in names.get(organisation_id, {}).items() if key != "slug"}
        score = score_of(terms, card, words, organisations) if terms else 1
        if score:
            found.append(Listed(row_id, card, environments, organisation_id, organisations, score))
    return sorted(
        found, key=lambda one: (one.card.status == "deprecated", -one.score, one.card.name, one.card.version)
    )


async def _published_rows(environment: str) -> dict[str, tuple[Card, str, tuple[str, ...]]]:
    """By version id; where a version is published twice the live card stands."""
    query = Publication.filter(state="published")
    if environment:
        query = query.filter(environment=environment)
    rows: dict[str, tuple[Card, str, tuple[str, ...]]] = {}
    for row in await query.order_by("version_id", "-environment").values(
        "version_id", "environment", "card", "words"
    ):
        known = rows.get(row["version_id"])
        environments = (*(known[2] if known else ()), row["environment"])
        card = msgspec.json.decode(row["card"], type=Card)
        is_live = row["environment"] == "live"
        rows[row["version_id"]] = (
            (card, row["words"], environments) if is_live or known is None else (*known[:2], environments)
        )
    return rows


async def _names_of(organisation_ids: set[str]) -> dict[str, Texts]:
    names: dict[str, Texts] = {}
    for organisation_id in organisation_ids:
        organisation = await outside.ask().organisation(organisation_id)
        if organisation is not None:
            names[organisation_id] = {
                "slug": organisation.slug,
                "zh": organisation.name_zh,
                "en": organisation.name_en,
            }
    return names


def card_in(rows: Sequence[Publication]) -> Card | None:
    """The card of a version from its publications, live before sandbox; None when it is published nowhere."""
    published = sorted((row for row in rows if row.state == "published"), key=lambda row: row.environment)
    return msgspec.json.decode(published[0].card, type=Card) if published else None


async def organisation_texts(organisation_id: str) -> Texts:
    """Slug and names (zh, en) of an organisation; empty where it is unknown."""
    return (await _names_of({organisation_id})).get(organisation_id, {})


async def services() -> list[ServiceRecord]:
    """All service names with their owners, by name; drafts included."""
    return await ServiceRecord.all().order_by("name")


async def versions_of(service: str) -> list[VersionRecord]:
    """All versions of a service, newest major first, without their texts (`document` and the like stay unloaded)."""
    rows = await VersionRecord.filter(service=service).only(
        "id", "service", "version", "release", "title", "status", "status_before", "wanted_status", "deprecation",
        "digest", "operations", "imported_by", "imported_at",
    )  # fmt: skip
    return sorted(rows, key=lambda row: -int(row.version[1:] or 0) if row.version[1:].isdigit() else 0)
