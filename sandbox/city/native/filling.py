"""What the departments without a server have written before anybody asks: the tables that `fill` of a mapping names."""

from pathlib import Path

from sandbox.city.base import CityFile
from sandbox.city.connector import CitySide
from sandbox.city.department import Department
from sandbox.city.inventory import read_services
from sandbox.city.native.exchange import DROPS, Keeper
from sandbox.city.native.side import compiled_mapping
from sandbox.city.native.tables import TablesFactory
from sandbox.city.state import States


async def fill_tables(home: Path, departments: tuple[Department, ...], tables: TablesFactory) -> int:
    """Write the views and drop folders of these departments anew; how many answers stand in them. The stores are open."""
    side = CitySide(departments, CityFile(home), States("sandbox"), "")
    count = 0
    try:
        for department in departments:
            await tables(department.slug).forget()
            _forget(home, department.slug)
            service = read_services()[department.slug]
            compiled = compiled_mapping(department, service)
            if compiled is not None:
                keeper = Keeper(
                    compiled,
                    side.connector(f"city:{department.slug}", service),
                    side.states,
                    side.file,
                    home,
                    tables,
                )
                count += await keeper.fill(side.file.open())
                keeper.close()
    finally:
        await side.close()
    return count


def _forget(home: Path, slug: str) -> None:
    """What stood there of another city, or by another mapping."""
    folder = home / DROPS / slug
    for path in folder.glob("*") if folder.is_dir() else ():
        path.unlink(missing_ok=True)
