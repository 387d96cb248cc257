"""All apps of one plane in packed tables: some 60 bytes each, a million of them in memory.

What was looked up once (for a verified token) is looked up again only when `version` has moved. A row's number
stays for as long as the table does, so meters count by it. Rows are found by open addressing over the 16 random
bytes of the app's id, in 256 parts, so that no growth ever stops the event loop for long. An app's token names
the id, and so does the change feed. It knows no database: snapshot_feed fills it.
"""

import hashlib
import itertools
import re
from array import array
from collections.abc import Sequence

from msgspec import Struct

from api.gateway.quota import KEY_BITS, PlanTable, QuotaPlan
from api.gateway.rights import Grant, Rights, RightsPool

ACTIVE, SUSPENDED, DELETED = 0, 1, 2
_STATUS = {"active": ACTIVE, "suspended": SUSPENDED, "deleted": DELETED}
KINDS = ("individual", "company", "department")  # of the organisation that owns the app
_KIND = {kind: number for number, kind in enumerate(KINDS)}

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_TO_BASE32 = str.maketrans(_CROCKFORD, "0123456789abcdefghijklmnopqrstuv")
_versions = itertools.count(1)  # no two tables of a process ever have the same version
_USUAL = re.compile(f"[0-7][{_CROCKFORD}]{{25}}")  # what api.core.ids makes of 16 bytes
_LENGTH = 26
_KEY = 16


def pack_id(identifier: str) -> bytes:
    """The 16 random bytes of an identifier such as `a_01h2…`; of any other text, 16 bytes of its hash."""
    text = identifier[2:]
    if _USUAL.fullmatch(text):
        return int(text.translate(_TO_BASE32), 32).to_bytes(_KEY, "big")
    return hashlib.blake2b(identifier.encode(), digest_size=_KEY).digest()


def unpack_id(prefix: str, key: bytes) -> str:
    """The identifier that `pack_id` packed."""
    number = int.from_bytes(key, "big")
    return prefix + "_" + "".join(_CROCKFORD[(number >> (5 * at)) & 31] for at in range(_LENGTH - 1, -1, -1))


class AppRow(Struct, frozen=True, gc=False):
    """What the steps read of one app; made when a token is first seen, and anew when the table has changed."""

    number: int
    id: str
    organisation_id: str
    organisation_kind: str  # individual, company or department
    status: int
    plan: QuotaPlan
    rights: Rights
    limit_key: int  # the quota's number is added


class AppTable:
    """The apps of one environment. `version` moves with every change."""

    __slots__ = (
        "_flags", "_index", "_keys", "_odd", "_organisations", "_plan_of", "_rights_of", "plans", "pool", "version",
    )  # fmt: skip

    def __init__(self) -> None:
        self.version = next(_versions)
        self.plans = PlanTable()
        self.pool = RightsPool()
        self._keys = bytearray()
        self._organisations = bytearray()
        self._rights_of = array("I")
        self._plan_of = array("H")
        self._flags = array("B")  # status in the lower two bits, kind of organisation above
        self._odd: dict[int, str] = {}  # rows whose organisation id is not of the usual form
        self._index = [_Part() for _ in range(256)]

    def __len__(self) -> int:
        return len(self._flags)

    def find(self, app_id: str) -> int:
        """The number of an app's row, -1 when there is none."""
        key = pack_id(app_id)
        return self._index[key[0]].find(key, self._keys)

    def put(
        self,
        app_id: str,
        organisation_id: str,
        *,
        kind: str = "individual",
        status: str = "active",
        plan: str = "standard",
        grants: Sequence[Grant] = (),
    ) -> int:
        """Add an app or write it anew. Returns its row's number."""
        key = pack_id(app_id)
        part = self._index[key[0]]
        row = part.find(key, self._keys)
        rights = self.pool.take(grants)
        flags = _STATUS.get(status, DELETED) | _KIND.get(kind, 0) << 2
        organisation = pack_id(organisation_id)
        if row < 0:
            row = len(self._flags)
            self._keys += key
            self._organisations += organisation
            self._rights_of.append(rights)
            self._plan_of.append(self.plans.number_of(plan))
            self._flags.append(flags)
            part.add(row, self._keys)
        else:
            self._organisations[row * _KEY : row * _KEY + _KEY] = organisation
            self.pool.give_back(self._rights_of[row])
            self._rights_of[row] = rights
            self._plan_of[row] = self.plans.number_of(plan)
            self._flags[row] = flags
        if organisation_id.startswith("o_") and _USUAL.fullmatch(organisation_id[2:]):
            self._odd.pop(row, None)
        else:
            self._odd[row] = organisation_id
        self.version = next(_versions)
        return row

    def set_rights(self, app_id: str, grants: Sequence[Grant]) -> None:
        """Write an app's subscriptions anew; nothing happens to an app that is not in the table."""
        row = self.find(app_id)
        if row >= 0:
            self.pool.give_back(self._rights_of[row])
            self._rights_of[row] = self.pool.take(grants)
            self.version = next(_versions)

    def remove(self, app_id: str) -> None:
        """Nobody can use the app any more. Its row stays: a number never means another app."""
        row = self.find(app_id)
        if row >= 0:
            self.pool.give_back(self._rights_of[row])
            self._rights_of[row] = self.pool.take(())
            self._flags[row] = DELETED
            self.version = next(_versions)

    def row(self, number: int, app_id: str) -> AppRow:
        """What the steps read of row `number`, which is the app `app_id`'s."""
        flags = self._flags[number]
        organisation = self._odd.get(number)
        if organisation is None:
            organisation = unpack_id("o", bytes(self._organisations[number * _KEY : number * _KEY + _KEY]))
        return AppRow(
            number=number,
            id=app_id,
            organisation_id=organisation,
            organisation_kind=KINDS[flags >> 2],
            status=flags & 3,
            plan=self.plans.plan(self._plan_of[number]),
            rights=self.pool.rights(self._rights_of[number]),
            limit_key=number << KEY_BITS,
        )

    def changed(self) -> None:
        """Something that rows are made of has changed: the plans."""
        self.version = next(_versions)

    def size_bytes(self) -> int:
        """Memory that the tables take, plans and interned subscriptions apart."""
        columns = (self._keys, self._organisations, self._rights_of, self._plan_of, self._flags)
        return sum(column.__sizeof__() for column in columns) + sum(
            part.slots.__sizeof__() for part in self._index
        )


class _Part:
    """One of 256 parts of the index: slots of row number + 1, 0 where free; linear probing."""

    __slots__ = ("slots", "used")

    def __init__(self) -> None:
        self.slots = array("I", bytes(4 * 8))
        self.used = 0

    def find(self, key: bytes, keys: bytearray) -> int:
        slots = self.slots
        mask = len(slots) - 1
        at = int.from_bytes(key[1:5], "big") & mask
        while True:
            entry = slots[at]
            if entry == 0:
                return -1
            start = (entry - 1) * _KEY
            if keys[start : start + _KEY] == key:
                return entry - 1
            at = (at + 1) & mask

    def add(self, row: int, keys: bytearray) -> None:
        if (self.used + 1) * 3 > len(self.slots) * 2:
            self._grow(keys)
        _place(self.slots, row + 1, keys)
        self.used += 1

    def _grow(self, keys: bytearray) -> None:
        old = self.slots
        self.slots = array("I", bytes(8 * len(old)))
        for entry in old:
            if entry:
                _place(self.slots, entry, keys)


def _place(slots: "array[int]", entry: int, keys: bytearray) -> None:
    mask = len(slots) - 1
    start = (entry - 1) * _KEY
    at = int.from_bytes(keys[start + 1 : start + 5], "big") & mask
    while slots[at]:
        at = (at + 1) & mask
    slots[at] = entry
