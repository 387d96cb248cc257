"""The test databases themselves: the one asked for, migrated, fresh, writable."""

from api.core import audit
from api.core.models import JournalEntry
from api.core.store import Stores, control


async def test_stores_are_fresh_and_of_the_kind_asked_for(stores: Stores, database: str) -> None:
    assert control().capabilities.dialect == {"sqlite": "sqlite", "postgresql": "postgres"}[database]
    assert stores.is_postgresql == (database == "postgresql")
    assert await JournalEntry.all().count() == 0
    async with audit.write("operator:local", "test:write", "test/1") as entry:
        entry.detail["what"] = "一行"
    assert await JournalEntry.all().count() == 1
    assert await audit.verify() == (1, None)
