"""What is kept of packages, and what goes: by days without use, by bytes, and never the newest before an older one."""

import datetime as dt
import os
from pathlib import Path

import pytest

from api.core.store import Stores
from api.downloads.builder import Made
from api.downloads.models import SdkRelease
from api.downloads.retention import Keep, sweep
from api.downloads.shelf import META, Shelf, facts_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
NOW = 2_000_000_000.0
DAY = 86_400.0


async def put(shelf: Shelf, package: str, version: str, *, unused_days: float, size: int = 1000) -> str:
    """A package on the shelf, its release and its order."""
    release = f"sdk_{package}_{version}"
    digest = shelf.keep_document(f"{package} {version}")
    await SdkRelease.create(
        id=release, package=package, language="go", line="", version=version, digest=f"{package}{version}",
        documents={f"{package}@v1": digest}, made_at=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    workplace = shelf.workplace()
    (workplace / "a.zip").write_bytes(bytes(size))
    shelf.put(workplace, release, "go", Made(package, {}, {"a.zip": facts_of(bytes(size))}))
    shelf.note_order(f"order-{release}", release)
    touch(shelf.folder(release, "go") / META, unused_days)
    touch(shelf.home / "contracts" / f"{digest}.json", unused_days)
    return release


def touch(path: Path, days: float) -> None:
    os.utime(path, (NOW - days * DAY, NOW - days * DAY))


@pytest.fixture
async def shelf(stores: Stores, tmp_path: Path) -> Shelf:
    await SdkRelease.all().delete()
    return Shelf(tmp_path / "sdk")


def is_there(shelf: Shelf, release: str) -> bool:
    return shelf.meta(release, "go") is not None


async def test_what_nobody_asked_for_goes_but_the_newest_stays(shelf: Shelf) -> None:
    old = await put(shelf, "app-00000001", "1.0.0", unused_days=200)
    used = await put(shelf, "app-00000001", "1.1.0", unused_days=20)
    newest = await put(shelf, "app-00000001", "2.0.0", unused_days=300)
    swept = await sweep(shelf, Keep(180, 10**9), NOW)
    assert swept.packages == (f"{old}/go",)
    assert [is_there(shelf, one) for one in (old, used, newest)] == [False, True, True]
    assert shelf.release_of(f"order-{old}") == "", "the same order builds it again"
    assert shelf.release_of(f"order-{used}") == used
    assert not shelf.folder(old, "go").parent.exists()
    kept = {one.read_text() for one in (shelf.home / "contracts").iterdir()}
    assert kept == {"app-00000001 2.0.0"}, "the next release is compared with the newest"


async def test_above_the_bytes_older_versions_go_before_the_newest(shelf: Shelf) -> None:
    older = await put(shelf, "app-00000002", "1.0.0", unused_days=1, size=4000)
    newest = await put(shelf, "app-00000002", "1.1.0", unused_days=9, size=4000)
    other = await put(shelf, "company", "1.0.0", unused_days=3, size=4000)
    swept = await sweep(shelf, Keep(180, 10_000), NOW)
    assert swept.packages == (f"{older}/go",)
    assert swept.bytes_left <= 10_000
    swept = await sweep(shelf, Keep(180, 6_000), NOW)
    assert swept.packages == (f"{newest}/go",), "of the newest that which was asked for longest ago"
    assert is_there(shelf, other)


async def test_reading_is_using(shelf: Shelf) -> None:
    old = await put(shelf, "app-00000003", "1.0.0", unused_days=200)
    await put(shelf, "app-00000003", "1.1.0", unused_days=0)
    assert shelf.read(old, "go", "a.zip") == bytes(1000)
    assert (await sweep(shelf, Keep(180, 10**9), shelf.used_at(shelf.folder(old, "go")))).packages == ()
    assert is_there(shelf, old)


async def test_what_was_left_half_made_goes_after_a_day(shelf: Shelf) -> None:
    fresh, left = shelf.workplace(), shelf.workplace()
    touch(fresh, 0.5)
    touch(left, 2)
    shelf.note_progress("b1", {"step": "writing"})
    touch(shelf.home / "builds" / "b1.json", 2)
    await sweep(shelf, Keep(180, 10**9), NOW)
    assert (fresh.exists(), left.exists()) == (True, False)
    assert shelf.progress("b1") == {}
    assert shelf.read("sdk_nothing", "go", "a.zip") is None
