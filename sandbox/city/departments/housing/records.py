"""Records of housing: sale contracts and leases, by their numbers; the projects that may be sold before they stand."""

from sandbox.city.base import City
from sandbox.city.departments.real_estate.records import settled
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "housing"


def _read_sale(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT e.unit, a.name, a.number, b.name, b.number, s.price_yuan, s.signed_on FROM sale_contract s "
        "JOIN home e ON e.id = s.home JOIN citizen a ON a.id = s.seller JOIN citizen b ON b.id = s.buyer WHERE s.number = ?",
        number,
    )
    if row is None:
        return None
    return {
        "number": number,
        "unit_number": row[0],
        "sellers": [{"name": row[1], "id_number": row[2]}],
        "buyers": [{"name": row[3], "id_number": row[4], "share_percent": 100}],
        "price_yuan": row[5],
        "signed_on": row[6],
        "filed_at": f"{row[6]}T15:20:00+08:00",
    }


def _read_lease(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT e.unit, a.name, a.number, b.name, b.number, l.rent_yuan, l.starts_on, l.ends_on FROM lease l "
        "JOIN home e ON e.id = l.home JOIN citizen a ON a.id = l.landlord JOIN citizen b ON b.id = l.tenant WHERE l.number = ?",
        number,
    )
    if row is None:
        return None
    return {
        "number": number,
        "unit_number": row[0],
        "landlord": {"name": row[1], "id_number": row[2]},
        "tenant": {"name": row[3], "id_number": row[4]},
        "rent_yuan": row[5],
        "starts_on": row[6],
        "ends_on": row[7],
    }


SALE_CONTRACT = Kind("sale", DEPARTMENT, _read_sale)
LEASE = Kind("lease", DEPARTMENT, _read_lease)


def sale_status(world: World, sale: Record) -> str:
    """filed, cancelled, or completed once the home was registered on the strength of it."""
    if "cancelled_at" in sale:
        return "cancelled"
    home = settled(world, sale["unit_number"])
    is_done = home is not None and home.get("contract_number") == sale["number"]
    return "completed" if is_done else "filed"


def lease_status(world: World, lease: Record) -> str:
    """upcoming, running or ended, by the world's day."""
    today = world.today.isoformat()
    if "terminated_on" in lease or lease["ends_on"] < today:
        return "ended"
    return "upcoming" if lease["starts_on"] > today else "running"


def sales_of(world: World, unit: str) -> list[Record]:
    """The sale contracts of a home, as the app sees them."""
    numbers = {
        number
        for (number,) in world.city.all(
            "SELECT s.number FROM sale_contract s JOIN home e ON e.id = s.home WHERE e.unit = ?", unit
        )
    }
    numbers |= {number for number, one in world.changed(SALE_CONTRACT) if one and one["unit_number"] == unit}
    found = [world.get(SALE_CONTRACT, number) for number in sorted(numbers)]
    return [one for one in found if one is not None]


def leases_of(world: World, *, unit: str = "", tenant: str = "") -> list[Record]:
    """The leases of a home, or those that a citizen has rented by, that are not over."""
    numbers = {
        number
        for (number,) in world.city.all(
            "SELECT l.number FROM lease l JOIN home e ON e.id = l.home JOIN citizen b ON b.id = l.tenant "
            "WHERE e.unit = ? OR b.number = ?",
            unit,
            tenant,
        )
    }
    numbers |= {number for number, _ in world.changed(LEASE)}
    found = [world.get(LEASE, number) for number in sorted(numbers)]
    return [
        one
        for one in found
        if one is not None
        and (one["unit_number"] == unit or one["tenant"]["id_number"] == tenant)
        and lease_status(world, one) != "ended"
    ]
