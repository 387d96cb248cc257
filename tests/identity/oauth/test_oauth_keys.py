"""The key ring: racers make one key of each kind, rotation loses no request, a retired key never signs again."""

import asyncio
from datetime import timedelta

import pytest

from api.core import clock, store
from api.core.crypto import Vault
from api.core.store import Stores
from api.identity.oauth import tokens
from api.identity.oauth.keys import KeyRing
from api.identity.oauth.models import SigningKey
from tests.identity.oauth.plane import SCOPES, Plane

ISSUER, AUDIENCE = "https://kaimen.example", "https://kaimen.example/api"
MASTER = b"m" * 32


@pytest.fixture
async def emptied(stores: Stores) -> Stores:
    """The live plane without any key: it is nobody else's here."""
    await SigningKey.all().using_db(store.plane("live")).delete()
    return stores


def make_ring(master: bytes = MASTER) -> KeyRing:
    return KeyRing("live", Vault(master))


def issue(ring: KeyRing) -> bytes:
    token = tokens.issue(
        ring, issuer=ISSUER, audience=AUDIENCE, client_id="kl_a", app_id="a_1", scope="a:b:c", seconds=600
    )
    return token.compact.encode()


async def states() -> list[str]:
    return sorted(await SigningKey.all().using_db(store.plane("live")).values_list("state", flat=True))


async def test_eight_racers_make_one_active_and_one_next_key(emptied: Stores) -> None:
    rings = [make_ring() for _ in range(8)]
    await asyncio.gather(*(ring.ensure() for ring in rings))
    assert await states() == ["active", "next"]
    assert len({ring.signer.kid for ring in rings}) == 1
    assert len({ring.jwks for ring in rings}) == 1


async def test_eight_racers_rotate_once(emptied: Stores) -> None:
    rings = [make_ring() for _ in range(8)]
    await asyncio.gather(*(ring.ensure() for ring in rings))
    before = rings[0].signer.kid
    after = await asyncio.gather(*(ring.rotate() for ring in rings))
    assert len(set(after)) == 1
    assert after[0] != before
    assert await states() == ["active", "next", "retired"]


async def test_next_is_published_before_it_signs_and_retired_after(emptied: Stores) -> None:
    ring = make_ring()
    await ring.ensure()
    first, published = ring.signer.kid, ring.jwks
    second = await ring.rotate()
    assert second.encode() in published
    for kid in (first, second):
        assert kid.encode() in ring.jwks
    assert b'"d"' not in ring.jwks


async def test_signing_key_retired_never_signs(emptied: Stores) -> None:
    ring, other = make_ring(), make_ring()
    await ring.ensure()
    await other.ensure()
    old_token, old_kid = issue(ring), ring.signer.kid
    await ring.rotate()
    assert ring.signer.kid != old_kid
    assert tokens.verify(old_token, ring, ISSUER, AUDIENCE).app == "a_1"
    assert await other.refresh()
    assert other.signer.kid == ring.signer.kid
    assert not await other.refresh()


async def test_retired_key_is_forgotten_when_its_tokens_have_expired(emptied: Stores) -> None:
    ring = make_ring()
    await ring.ensure()
    token, kid = issue(ring), ring.signer.kid
    await ring.rotate()
    past = clock.now() - timedelta(seconds=600 + 121)
    await SigningKey.filter(kid=kid).using_db(store.plane("live")).update(retired_at=past)
    await ring.refresh()
    assert kid.encode() not in ring.jwks
    with pytest.raises(tokens.UnknownSigningKey):
        tokens.verify(token, ring, ISSUER, AUDIENCE)
    assert await ring.sweep() == 1
    assert await states() == ["active", "next"]


async def test_token_of_a_key_that_is_new_to_this_process(emptied: Stores) -> None:
    """Two rotations at once: the other process knew neither key; it looks again instead of refusing."""
    ring, other = make_ring(), make_ring()
    await ring.ensure()
    await other.ensure()
    await ring.rotate()
    await ring.rotate()
    token = issue(ring)
    other._looked_at = 0.0  # the last look is longer ago than a second
    answers = await asyncio.gather(
        *(tokens.verify_or_look_again(token, other, ISSUER, AUDIENCE) for _ in range(8))
    )
    assert {claims.client_id for claims in answers} == {"kl_a"}


async def test_unknown_keys_make_a_process_look_once_a_second_at_most(emptied: Stores) -> None:
    ring, other = make_ring(), make_ring()
    await ring.ensure()
    await other.ensure()
    await ring.rotate()
    await ring.rotate()
    with pytest.raises(tokens.UnknownSigningKey):  # it looked a moment ago
        await tokens.verify_or_look_again(issue(ring), other, ISSUER, AUDIENCE)


async def test_private_keys_are_sealed_with_their_kid(emptied: Stores) -> None:
    ring = make_ring()
    await ring.ensure()
    rows = {row.slot: row for row in await SigningKey.all().using_db(store.plane("live"))}
    for row in rows.values():
        assert row.sealed.startswith("intl$")
        assert "d" not in row.public_jwk
    with pytest.raises(RuntimeError, match="another master key"):
        await make_ring(b"x" * 32).ensure()
    swapped = rows["next"].sealed
    await SigningKey.filter(slot="active").using_db(store.plane("live")).update(sealed=swapped)
    with pytest.raises(RuntimeError, match="another master key"):
        await make_ring().ensure()


async def test_no_key_no_signature() -> None:
    with pytest.raises(RuntimeError, match="no signing key"):
        issue(make_ring())


async def test_rotation_under_load_fails_no_request(plane: Plane) -> None:
    """Tokens are asked for and introspected while the key is rotated five times."""
    client = await plane.new_app(SCOPES[0])
    seen: set[str] = set()

    async def work() -> None:
        for _ in range(15):
            token = await plane.token(client)
            seen.add(token.partition(".")[0])
            answer = await plane.http.post(
                "/oauth/introspect", data={"token": token}, auth=(client.client_id, client.secret)
            )
            assert answer.json()["active"] is True, answer.text

    async def rotate() -> None:
        for _ in range(5):
            await plane.service.ring.rotate()
            await asyncio.sleep(0.02)

    await asyncio.gather(rotate(), *(work() for _ in range(8)))
    assert len(seen) > 1


async def test_a_revoked_key_is_trusted_no_longer_by_any_process(emptied: Stores) -> None:
    ring, other = make_ring(), make_ring()
    await ring.ensure()
    await other.ensure()
    forgotten: list[str] = []
    other.when_revoked = lambda: forgotten.append("all")
    token, old = issue(ring), ring.signer.kid
    assert await ring.revoke(old)
    assert ring.signer.kid != old
    assert await states() == ["active", "next", "revoked"]
    assert await other.refresh()
    assert forgotten == ["all"]
    for one in (ring, other):
        with pytest.raises(tokens.UnknownSigningKey):
            tokens.verify(token, one, ISSUER, AUDIENCE)
        assert old.encode() not in one.jwks
        assert tokens.verify(issue(ring), one, ISSUER, AUDIENCE)
    assert not await ring.revoke(old)
    assert not await ring.revoke("unknown")
    await ring.rotate()
    await other.refresh()
    assert forgotten == ["all"]  # a rotation takes no trust away


async def test_a_next_and_a_retired_key_can_be_revoked_too(emptied: Stores) -> None:
    ring = make_ring()
    await ring.ensure()
    active = ring.signer.kid
    following = (await SigningKey.get(slot="next", using_db=store.plane("live"))).kid
    assert await ring.revoke(following)
    assert ring.signer.kid == active
    assert await states() == ["active", "next", "revoked"]
    token = issue(ring)
    await ring.rotate()
    assert await ring.revoke(active)
    with pytest.raises(tokens.UnknownSigningKey):
        tokens.verify(token, ring, ISSUER, AUDIENCE)
    past = clock.now() - timedelta(seconds=600 + 121)
    await SigningKey.filter(state="revoked").using_db(store.plane("live")).update(retired_at=past)
    assert await ring.sweep() == 2


async def test_eight_racers_revoke_once(emptied: Stores) -> None:
    rings = [make_ring() for _ in range(8)]
    await asyncio.gather(*(ring.ensure() for ring in rings))
    kid = rings[0].signer.kid
    assert sorted(await asyncio.gather(*(ring.revoke(kid) for ring in rings))) == [False] * 7 + [True]
    assert await states() == ["active", "next", "revoked"]
