"""What apps are subscribed to, interned: apps with the same subscriptions share one entry.

A set of subscriptions is a few numbers packed in bytes; its readable form, `Rights`, is made when somebody
asks and kept for a bounded number of sets.
"""

from array import array
from collections.abc import Sequence

from api.gateway.exchange import Decision

Grant = tuple[
    str, str, str, str
]  # version id (company@v1), purpose, status (active or pending), level granted

_KEPT = 4096  # readable sets


class Standing:
    """How an app stands to one service version.

    `purposes` maps each purpose of an active subscription to (level granted, ready decision); `single` is the
    one of them where there is exactly one. `is_pending`: something awaits its department.
    """

    __slots__ = ("is_pending", "purposes", "single", "single_level")

    def __init__(self) -> None:
        self.purposes: dict[str, tuple[str, Decision]] = {}
        self.is_pending = False
        self.single: Decision | None = None
        self.single_level = ""

    def add(self, version_id: str, purpose: str, status: str, level: str) -> None:
        if status != "active" or not level:
            self.is_pending = True
            return
        name = f"{version_id}:{purpose}" if purpose else version_id
        decision = Decision(subscription=name, purpose=purpose)
        self.purposes[purpose] = (level, decision)
        is_only = len(self.purposes) == 1
        self.single, self.single_level = (decision, level) if is_only else (None, "")


Rights = dict[str, Standing]  # by version id


class RightsPool:
    """Sets of subscriptions by number; a set that no app has any more gives its number back."""

    __slots__ = ("_free", "_grant_numbers", "_grants", "_members", "_numbers", "_readable", "_uses")

    def __init__(self) -> None:
        self._grants: list[Grant] = []
        self._grant_numbers: dict[Grant, int] = {}
        self._members: list[bytes] = [b""]
        self._numbers: dict[bytes, int] = {b"": 0}
        self._uses = array("I", [0])  # number 0, the empty set, is not counted
        self._free: list[int] = []
        self._readable: dict[int, Rights] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def take(self, grants: Sequence[Grant]) -> int:
        """The number of this set, one more app having it."""
        if not grants:
            return 0
        members = array("I", sorted({self._grant_number(grant) for grant in grants})).tobytes()
        number = self._numbers.get(members)
        if number is None:
            if self._free:
                number = self._free.pop()
                self._members[number] = members
                self._uses[number] = 0
            else:
                number = len(self._members)
                self._members.append(members)
                self._uses.append(0)
            self._numbers[members] = number
        self._uses[number] += 1
        return number

    def give_back(self, number: int) -> None:
        """One app fewer has this set."""
        if number == 0:
            return
        self._uses[number] -= 1
        if self._uses[number] == 0:
            del self._numbers[self._members[number]]
            self._members[number] = b""
            self._readable.pop(number, None)
            self._free.append(number)

    def rights(self, number: int) -> Rights:
        """The readable form of a set; whoever has it keeps it, a change makes another set."""
        rights = self._readable.get(number)
        if rights is None:
            rights = {}
            numbers = array("I")
            numbers.frombytes(self._members[number])
            for grant in numbers:
                version_id, purpose, status, level = self._grants[grant]
                rights.setdefault(version_id, Standing()).add(version_id, purpose, status, level)
            if len(self._readable) >= _KEPT:
                self._readable.clear()
            self._readable[number] = rights
        return rights

    def _grant_number(self, grant: Grant) -> int:
        number = self._grant_numbers.get(grant)
        if number is None:
            number = self._grant_numbers[grant] = len(self._grants)
            self._grants.append(grant)
        return number
