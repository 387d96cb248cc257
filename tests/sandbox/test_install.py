"""Installing the city: file, departments, contracts in the catalogue; again and again, on both databases."""

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.catalogue import outside
from api.catalogue.models import Publication, ServiceRecord, VersionRecord
from api.core import audit
from api.core.models import JournalEntry
from api.core.store import Stores
from api.identity.models import Organisation
from api.main.answers import outside_of
from api.settings import Settings
from sandbox.city import install, inventory
from sandbox.city.departments import BY_SLUG
from sandbox.city.population.generate import version_of


@pytest.fixture(autouse=True)
def answers(settings: Settings, stores: Stores) -> Any:
    before = outside.ask()
    outside.use(outside_of(settings))
    yield
    outside.use(before)


async def seed(settings: Settings, **sizes: int) -> dict[str, Any]:
    sizes = {"citizens": 200, "companies": 40, "seed": 3, **sizes}
    return await install.seed(settings.home_path, database_url=settings.database_url, **sizes)


async def test_everything_is_there_after_the_first_time(settings: Settings) -> None:
    told: list[tuple[str, int, int]] = []
    report = await install.seed(
        settings.home_path,
        citizens=200,
        companies=40,
        seed=3,
        progress=lambda *step: told.append(step),
        database_url=settings.database_url,
    )
    assert report["generated"]
    read = {**inventory.read_services(), **inventory.read_desks()}
    services = [read[one.slug].key for one in install.OWNERS]
    assert report["published"] == report["services"] == services
    assert inventory.meta_of(settings.home_path) == version_of(200, 40, 3)
    assert told[-1] == ("services", len(services), len(services))
    for department in install.OWNERS:
        owner = await Organisation.get(slug=department.slug)
        assert (owner.kind, owner.name_zh, owner.name_en) == ("department", department.zh, department.en)
        service = read[department.slug]
        assert (await ServiceRecord.get(name=service.name)).organisation_id == owner.id
        version = await VersionRecord.get(id=service.key)
        assert msgspec.json.decode(version.losses) == []
        publication = await Publication.get(id=f"{service.key}/sandbox")
        assert (publication.state, publication.upstream) == ("published", install.upstream_of(department))


async def test_again_changes_nothing_and_says_so(settings: Settings) -> None:
    await seed(settings)
    stamp = (settings.home_path / "city/city.sqlite3").stat().st_mtime_ns
    entries = await JournalEntry.all().count()
    started = time.perf_counter()
    report = await seed(settings)
    assert (report["generated"], report["published"]) == (False, [])
    assert (settings.home_path / "city/city.sqlite3").stat().st_mtime_ns == stamp
    assert await JournalEntry.all().count() == entries
    assert time.perf_counter() - started < 30
    count, fault = await audit.verify()
    assert count == entries
    assert fault is None


async def test_another_seed_makes_another_city_and_leaves_the_catalogue_alone(settings: Settings) -> None:
    await seed(settings)
    report = await seed(settings, seed=4)
    assert (report["generated"], report["published"], report["seed"]) == (True, [], 4)


async def test_a_retired_or_redirected_service_is_published_again(settings: Settings) -> None:
    await seed(settings)
    await Publication.filter(id="tax@v1/sandbox").update(upstream="")
    assert (await seed(settings))["published"] == ["tax@v1"]
    assert (await Publication.get(id="tax@v1/sandbox")).upstream == install.upstream_of(BY_SLUG["tax"])


async def test_a_new_edition_that_breaks_is_published_in_the_sandbox(settings: Settings) -> None:
    """An older edition offered a field more; the sandbox moves on, and the reason is on record."""
    await seed(settings)
    row = await Publication.get(id="post@v1/sandbox")
    document = msgspec.json.decode(row.document)
    document["components"]["schemas"]["Order"]["properties"]["colour"] = {"type": "string"}
    document["components"]["schemas"]["Order"]["required"].append("colour")
    await Publication.filter(id=row.id).update(
        document=msgspec.json.encode(document).decode(), contract_digest="sha256:older"
    )
    await VersionRecord.filter(id="post@v1").update(
        original=msgspec.json.encode({"entry": "contract.yaml", "files": {"contract.yaml": "older"}}).decode()
    )
    assert (await seed(settings))["published"] == ["post@v1"]
    assert "colour" not in (await Publication.get(id=row.id)).document


async def test_the_report_counts(settings: Settings) -> None:
    await seed(settings)
    report = install.report(settings.home_path)
    services = {**inventory.read_services(), **inventory.read_desks()}.values()
    assert report["departments"] == len(install.OWNERS) == sum(report["upstreams"].values())
    assert report["operations"] == sum(len(one.operations) for one in services)
    assert report["writes"] == sum(two.method != "GET" for one in services for two in one.operations)
    assert sum(report["by_level"].values()) == report["operations"]
    assert sum(report["by_protocol"].values()) == report["operations"]
    assert report["scenarios"] == sum(len(two.scenarios) for one in services for two in one.operations) > 80
    assert report["personas"] >= 12
    assert (report["citizens"], report["companies"], report["seed"]) == (200, 40, 3)


def test_the_report_without_a_city(tmp_path: Path) -> None:
    report = install.report(tmp_path)
    assert (report["citizens"], report["seed"], report["departments"]) == (
        0,
        None,
        len(install.OWNERS),
    )


def test_personas_are_complete() -> None:
    rows = install.personas()
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["kind"] in {"person", "organisation"}
        assert row["code"]
        assert row["story"]["zh"]
        assert row["story"]["en"]
    assert {row["status"] for row in rows if row["kind"] == "organisation"} == {
        "active",
        "revoked",
        "deregistered",
    }
    assert rows[0]["status"] == "active", "the first to try is one in business"
