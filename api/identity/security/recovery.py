"""Recovery codes: ten, each good for one sign-in when phone or key is gone. Only their hashes are stored.

80 random bits each, so a fast hash is right for them; people type them, so case, dashes and look-alikes do not count.
"""

from api.core import clock, crypto, ids
from api.identity.security.models import RecoveryCode

COUNT = 10
_BYTES = 10  # 16 characters
_GROUP = 4
_LOOK_ALIKES = str.maketrans({"o": "0", "i": "1", "l": "1"})


def normalise(code: str) -> str:
    """The form that is hashed, "" for what can be none."""
    plain = "".join(code.lower().split()).replace("-", "").translate(_LOOK_ALIKES)
    return plain if plain.isascii() and plain.isalnum() and len(plain) == 16 else ""


def _hash(person_id: str, plain: str) -> str:
    return crypto.hash_secret(f"{person_id}:{plain}")


async def make_codes(person_id: str) -> list[str]:
    """Inside an open `audit.write`: ten new codes instead of all older ones, as people read them."""
    await RecoveryCode.filter(person_id=person_id).delete()
    moment = clock.now()
    codes = []
    for _ in range(COUNT):
        plain = ids.random_id("r", _BYTES).partition("_")[2]
        await RecoveryCode.create(hash=_hash(person_id, plain), person_id=person_id, created_at=moment)
        codes.append("-".join(plain[start : start + _GROUP] for start in range(0, len(plain), _GROUP)))
    return codes


async def use_code(person_id: str, code: str) -> bool:
    """Inside an open `audit.write`: whether this was an unused code of the person; now it is used."""
    plain = normalise(code)
    if not plain:
        return False
    used = await RecoveryCode.filter(hash=_hash(person_id, plain), person_id=person_id, used_at=None).update(
        used_at=clock.now()
    )
    return used == 1


async def codes_left(person_id: str) -> int:
    """How many unused codes the person has."""
    return await RecoveryCode.filter(person_id=person_id, used_at=None).count()
