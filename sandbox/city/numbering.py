"""Numbers of what departments write: applications, bookings, certificates.

A number follows from what it is given for, so the same application gets the same number in every app, and the
examples of the contracts stay true. Where a number is taken, the next one is given.
"""

import hashlib

from sandbox.city.world import Kind, World


def digits_of(*parts: object, places: int = 10) -> str:
    """Decimal digits that follow from `parts`, the first one never 0."""
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).digest()
    least = 10 ** (places - 1)
    return str(least + int.from_bytes(digest[:8], "big") % (9 * least))


def free_number(world: World, kind: Kind, prefix: str, *parts: object, places: int = 10) -> str:
    """A number that no record of this kind has yet: `prefix` and digits that follow from `parts`."""
    turn = 0
    while True:
        number = prefix + digits_of(prefix, turn, *parts, places=places)
        if world.get(kind, number) is None:
            return number
        turn += 1


def share_of(*parts: object, of: int = 100) -> int:
    """A number from 0 to `of` - 1 that follows from `parts`: chance that is the same for everybody and forever."""
    digest = hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % of
