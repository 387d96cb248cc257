"""Onboarding: drafts, names, re-imports, overlays; nothing that is stored is lost, nothing published changes."""

import asyncio
import copy
from typing import Any

import msgspec
import pytest

from api.catalogue import drafts, onboarding, readings
from api.catalogue.inputs import SERVICE_NAME
from api.catalogue.models import ServiceRecord, VersionRecord
from api.catalogue.uploads import from_texts
from api.contract.load import load_files, load_path
from api.core.models import JournalEntry
from api.core.problems import Refusal
from api.core.store import Stores
from tests.catalogue import documents
from tests.catalogue.conftest import World, unique


class Desk:
    """A department with a publisher."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.department = world.organisation("department")
        self.publisher = world.person(**{self.department: "publisher"})

    async def take(self, document: dict[str, Any], who: str = "", **options: Any) -> readings.ImportReport:
        options.setdefault("organisation_id", self.department)
        return await onboarding.import_contract(
            self.world.caller(who or self.publisher), loaded=documents.load(document), **options
        )


@pytest.fixture
def desk(stores: Stores, world: World) -> Desk:
    return Desk(world)


async def test_everything_about_a_document_is_stored(desk: Desk) -> None:
    name = unique("library")
    document = documents.own(name)
    report = await desk.take(document)
    assert (report.version_id, report.operations, report.is_new) == (f"{name}@v1", 2, True)
    assert report.verdicts["rest"] == "ok"
    row = await VersionRecord.get(id=f"{name}@v1")
    original = msgspec.json.decode(row.original)
    assert original == {
        "entry": "openapi.json",
        "files": {"openapi.json": msgspec.json.encode(document).decode()},
    }
    assert msgspec.json.decode(row.document)["info"]["x-name"] == name
    assert row.status == "beta"
    assert len(msgspec.json.decode(row.findings)) == len(report.findings)
    assert (row.imported_by, row.operations) == (desk.publisher, 2)
    service = await ServiceRecord.get(name=name)
    assert (service.organisation_id, service.title_zh, service.title_en) == (
        desk.department,
        "图书馆馆藏",
        "Library",
    )
    assert await JournalEntry.filter(action="contract:import", subject=f"version/{name}@v1").count() == 1


async def test_lint_stores_nothing(desk: Desk) -> None:
    name = unique("lint")
    report = await onboarding.lint(documents.load(documents.own(name)))
    assert report.service == name
    assert not await VersionRecord.exists(service=name)


async def test_the_same_again_changes_nothing(desk: Desk) -> None:
    name = unique("same")
    await desk.take(documents.own(name))
    row, entries = await VersionRecord.get(id=f"{name}@v1"), await JournalEntry.all().count()
    again = await desk.take(documents.own(name))
    assert again.is_unchanged
    assert (await VersionRecord.get(id=f"{name}@v1")).imported_at == row.imported_at
    assert await JournalEntry.all().count() == entries


async def test_a_new_edition_updates_the_draft_a_new_major_is_a_version(desk: Desk) -> None:
    name = unique("edition")
    await desk.take(documents.own(name))
    newer = documents.own(name, "1.1.0")
    newer["paths"]["/items"]["get"]["summary"] = "Find items"
    report = await desk.take(newer)
    assert (report.is_new, report.is_unchanged, report.release) == (False, False, "1.1.0")
    assert (await VersionRecord.get(id=f"{name}@v1")).release == "1.1.0"
    major = await desk.take(documents.own(name, "2.0.0"))
    assert (major.version_id, major.is_new) == (f"{name}@v2", True)
    assert await VersionRecord.filter(service=name).count() == 2


async def test_another_owners_stated_name_is_refused(desk: Desk, world: World) -> None:
    name = unique("taken")
    await desk.take(documents.own(name))
    other = Desk(world)
    for attempt in (other.take(documents.own(name)), other.take(documents.foreign(), name=name)):
        with pytest.raises(Refusal) as refused:
            await attempt
        assert refused.value.rule == "name-taken"
    assert (await ServiceRecord.get(name=name)).organisation_id == desk.department


async def test_another_document_of_the_same_title_gets_a_number(desk: Desk, world: World) -> None:
    title = unique("permit").replace("-", " ")
    first = await desk.take(documents.foreign(title))
    second = await desk.take(documents.foreign(title, "/somewhere/else"))
    assert second.service == f"{first.service}-2"
    assert second.notes
    assert first.service in second.notes[0].en
    row = await VersionRecord.get(id=second.version_id)
    stored = msgspec.json.decode(row.document)
    assert stored["info"]["x-name"] == second.service
    scopes = {scope for item in stored["paths"].values() for one in item.values() if isinstance(one, dict)
              for need in one.get("security", []) for names in need.values() for scope in names}  # fmt: skip
    assert scopes
    assert all(scope.startswith(f"{second.service}:") for scope in scopes)
    # each is found again under its own name, also in a new edition
    assert (await desk.take(documents.foreign(title, "/somewhere/else"))).is_unchanged
    edition = await desk.take(documents.foreign(title, "/somewhere/else", "1.1"))
    assert (edition.service, edition.is_new) == (second.service, False)
    assert (await desk.take(documents.foreign(title))).is_unchanged
    # a department that comes later with the same title is numbered on
    third = await Desk(world).take(documents.foreign(title))
    assert third.service == f"{first.service}-3"


async def test_a_name_may_be_given(desk: Desk) -> None:
    name = unique("parking")
    report = await desk.take(documents.foreign(), name=name)
    assert report.version_id == f"{name}@v1"
    with pytest.raises(Refusal) as refused:
        await desk.take(documents.foreign(), name="Bad Name")
    assert refused.value.errors[0]["pointer"] == "/name"


@pytest.mark.parametrize("stated", ["Bad Name!", "../../etc", "a\u0000b", "名称", "x" * 200, "9lives", " "])
async def test_a_stated_name_that_is_none_is_replaced(desk: Desk, stated: str) -> None:
    document = documents.own(unique("odd"))
    document["info"]["x-name"] = stated
    report = await desk.take(document)
    assert SERVICE_NAME.fullmatch(report.service)
    assert (await VersionRecord.get(id=report.version_id)).service == report.service


async def test_a_refused_document_is_stored_and_readable(desk: Desk) -> None:
    title = unique("empty").replace("-", " ")
    report = await desk.take({"openapi": "3.1.0", "info": {"title": title, "version": "1"}, "paths": {}})
    assert set(report.verdicts.values()) == {"refused"}
    row = await VersionRecord.get(id=report.version_id)
    assert msgspec.json.decode(row.verdicts)["rest"]["verdict"] == "refused"


@pytest.mark.parametrize(
    "text",
    ["", "a: [", "- 1\n- 2\n", "!!python/object/apply:os.system ['true']\n", '{"openapi": "3.1.0", "info": {"title": "\\u0000 \\ud800", "version": 1}}',
     "openapi: 3.0.0\ninfo: 7\npaths: []\n", "swagger: '2.0'\ninfo: {title: x, version: 1}\npaths: {/a: {get: {responses: {200: {$ref: 'http://169.254.169.254/x'}}}}}\n"],
)  # fmt: skip
async def test_hostile_documents_are_reports_not_errors(desk: Desk, text: str) -> None:
    loaded = load_files({"hostile.yaml": text.encode()}, "hostile.yaml")
    report = await onboarding.import_contract(
        desk.world.caller(desk.publisher), organisation_id=desk.department, loaded=loaded
    )
    assert report.findings
    assert (await VersionRecord.get(id=report.version_id)).findings != "[]"


async def test_only_the_departments_publishers_import(desk: Desk, world: World) -> None:
    company = world.organisation("company")
    people = {
        "viewer": world.person(**{desk.department: "viewer developer approver"}),
        "stranger": world.person(**{company: "owner"}),
        "administrator": world.person(administrator=True),
    }
    for who in (*people.values(), "anonymous"):
        with pytest.raises(Refusal):
            await desk.take(documents.own(unique("x")), who=who)
    with pytest.raises(Refusal) as refused:
        await desk.take(documents.own(unique("x")), who=people["stranger"], organisation_id=company)
    assert refused.value.rule == "only-departments"
    app = world.app(desk.department)
    with pytest.raises(Refusal):
        await desk.take(documents.own(unique("x")), who=app)
    machine = world.caller(app, "platform:contracts:write")
    report = await onboarding.import_contract(
        machine, organisation_id=desk.department, loaded=documents.load(documents.own(unique("ci")))
    )
    assert report.is_new


async def test_whose_it_is_when_nobody_says(desk: Desk, world: World) -> None:
    slug = unique("culture")
    culture = world.organisation("department", slug)
    operator = world.caller("operator")
    stated = await onboarding.import_contract(
        operator, loaded=documents.load(documents.own(unique("lib"), department=slug))
    )
    assert (await ServiceRecord.get(name=stated.service)).organisation_id == culture
    with pytest.raises(Refusal) as refused:
        await onboarding.import_contract(operator, loaded=documents.load(documents.own(unique("lib"))))
    assert refused.value.errors[0]["pointer"] == "/organisation"
    world.default = desk.department
    taken = await onboarding.import_contract(operator, loaded=documents.load(documents.own(unique("lib"))))
    assert (await ServiceRecord.get(name=taken.service)).organisation_id == desk.department
    by_slug = await desk.take(documents.own(unique("lib")), who="operator", organisation_id=slug)
    assert (await ServiceRecord.get(name=by_slug.service)).organisation_id == culture
    with pytest.raises(Refusal) as refused:
        await desk.take(documents.own(unique("lib")), who="operator", organisation_id="nobody")
    assert refused.value.kind.slug == "not-found"


async def test_an_owner_edits_the_overlay_and_keeps_it(desk: Desk, world: World) -> None:
    title = unique("toll").replace("-", " ")
    report = await desk.take(documents.foreign(title))
    overlay = copy.deepcopy(report.overlay)
    overlay["actions"].append(
        {
            "target": "$.info",
            "update": {
                "x-level": "L1",
                "x-open": "open",
                "x-owner": {"name": "Desk", "email": "d@toll.example"},
            },
        }
    )
    caller = world.caller(desk.publisher)
    edited = await drafts.edit_overlay(caller, report.version_id, overlay)
    row = await VersionRecord.get(id=report.version_id)
    assert msgspec.json.decode(row.document)["info"]["x-level"] == "L1"
    assert row.overlay_edited
    assert msgspec.json.decode(row.original)["files"] == {
        "openapi.json": msgspec.json.encode(documents.foreign(title)).decode()
    }
    assert edited.service == report.service
    # a new edition with another operation keeps the edit and gets a proposal for what is new
    newer = documents.foreign(title, version="1.1")
    newer["paths"]["/zones"] = {"get": {"responses": {"200": {"description": "OK"}}}}
    again = await desk.take(newer)
    document = msgspec.json.decode((await VersionRecord.get(id=report.version_id)).document)
    assert document["info"]["x-level"] == "L1"
    assert document["paths"]["/zones"]["get"]["security"]
    assert any("overlay" in note.en for note in again.notes)
    before = (await VersionRecord.get(id=report.version_id)).overlay
    assert (await desk.take(newer)).is_unchanged  # the overlay does not grow
    assert (await VersionRecord.get(id=report.version_id)).overlay == before


async def test_bad_overlays_change_nothing(desk: Desk, world: World) -> None:
    name = unique("keep")
    report = await desk.take(documents.own(name))
    before = await VersionRecord.get(id=report.version_id)
    caller = world.caller(desk.publisher)
    for overlay, slug in [
        ({}, "input-invalid"),
        (
            {"overlay": "1.0.0", "actions": [{"target": "$.info", "update": {"version": "7.0.0"}}]},
            "contract-refused",
        ),
        ({"overlay": "1.0.0", "actions": [{"target": "$.paths", "remove": True}]}, "contract-refused"),
    ]:
        with pytest.raises(Refusal) as refused:
            await drafts.edit_overlay(caller, report.version_id, overlay)
        assert refused.value.kind.slug == slug
    with pytest.raises(Refusal):
        await drafts.edit_overlay(world.caller(world.person()), report.version_id, report.overlay)
    assert (await VersionRecord.get(id=report.version_id)).document == before.document


async def test_a_draft_may_be_deleted(desk: Desk, world: World) -> None:
    name = unique("gone")
    report = await desk.take(documents.own(name))
    with pytest.raises(Refusal):
        await drafts.delete_draft(world.caller(world.person()), report.version_id)
    await drafts.delete_draft(world.caller(desk.publisher), report.version_id)
    assert not await ServiceRecord.exists(name=name)


async def test_eight_racers_make_one_version(desk: Desk) -> None:
    name = unique("race")
    reports = await asyncio.gather(*(desk.take(documents.own(name)) for _ in range(8)))
    assert {report.version_id for report in reports} == {f"{name}@v1"}
    assert await VersionRecord.filter(service=name).count() == 1


async def test_progress_is_told_and_the_loop_is_not_blocked(desk: Desk) -> None:
    stages: list[str] = []
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await desk.take(documents.own(unique("tell")), progress=stages.append)
    ticking.cancel()
    assert stages == ["read", "check", "store"]
    assert ticks > 10


@pytest.mark.corpus
@pytest.mark.full
@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
async def test_the_corpus_is_stored_whole(desk: Desk) -> None:
    """All documents are kept with a verdict; names collide nowhere."""
    seen = set()
    files = documents.corpus()
    for file, root in files:
        loaded = await asyncio.to_thread(load_path, file, root)
        report = await onboarding.import_contract(
            desk.world.caller(desk.publisher), organisation_id=desk.department, loaded=loaded
        )
        assert set(report.verdicts.values()) <= {"ok", "degraded", "refused"}, file
        assert report.version_id not in seen, (file, report.version_id)
        seen.add(report.version_id)
    assert len(seen) == len(files) >= 60


def test_texts_make_an_upload() -> None:
    assert from_texts({"a.yaml": "openapi: 3.1.0"}).entry == "a.yaml"
