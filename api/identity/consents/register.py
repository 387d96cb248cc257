"""The register's mandates: what it says of a subject now, taken over. See mandates for what they allow."""

from api.core import audit, clock, ids
from api.identity.consents.mandate_rows import EVERYTHING, SPEAKING, end_mandate, slot_of
from api.identity.consents.subjects import STANDS, Position, Subject
from api.identity.installation import current
from api.identity.models import Mandate

_BY = "system:register"


async def follow_everybody() -> None:
    """`follow_register` for all whom it can concern: a job, so that who never comes back is followed too."""
    directory = current().subjects
    subjects = {one.id: one for one in await directory.personas()}
    for subject_id in await Mandate.filter(
        environment=current().settings.environment, source="register", revoked_at=None
    ).values_list("subject_id", flat=True):
        if str(subject_id) not in subjects:
            found = await directory.find(str(subject_id))
            if found is not None:
                subjects[found.id] = found
    for subject in subjects.values():
        await follow_register(subject)


async def follow_register(subject: Subject) -> None:
    """Make the subject's mandates what the register says now: new ones made, those that it no longer says revoked.

    With a mandate end those delegated under it, and the consents given under either. Nothing is written where
    nothing differs, and nothing changes while the register cannot be asked.
    """
    register = current().register
    if not register.is_available:
        return
    positions = await register.positions_of(subject)
    wanted = {
        (one.organisation.code, one.role): one
        for one in positions
        if one.role in SPEAKING and one.organisation.status == STANDS
    }
    if not _differences(wanted, await _entered(subject)):
        return
    try:
        async with audit.write(_BY, "mandate:follow-register", f"citizen/{subject.id}") as entry:
            rows = await _entered(subject)
            different = _differences(wanted, rows)
            if not different:
                raise _NothingToDo  # noqa: TRY301 - undoes the journal entry
            for key in sorted(different):
                row, position = rows.get(key), wanted.get(key)
                if position is None and row is not None:
                    await end_mandate(entry, row, _BY, "register")
                elif position is not None and row is not None:
                    await _take_over(entry, subject, row, position)
                elif position is not None:
                    await _enter(entry, subject, position)
    except _NothingToDo:
        pass


class _NothingToDo(Exception):  # noqa: N818 - a racer was first; nothing is wrong
    pass


async def _entered(subject: Subject) -> dict[tuple[str, str], Mandate]:
    rows = await Mandate.filter(
        environment=current().settings.environment, subject_id=subject.id, source="register", revoked_at=None
    )
    return {(row.organisation, row.role): row for row in rows}


def _differences(
    wanted: dict[tuple[str, str], Position], rows: dict[tuple[str, str], Mandate]
) -> set[tuple[str, str]]:
    changed = {
        key
        for key in wanted.keys() & rows.keys()
        if (wanted[key].scope or EVERYTHING, wanted[key].until, wanted[key].organisation.name)
        != (rows[key].scope, rows[key].until, rows[key].organisation_name)
    }
    return changed | (wanted.keys() ^ rows.keys())


async def _enter(entry: audit.Entry, subject: Subject, position: Position) -> None:
    row = await Mandate.create(
        id=ids.random_id("m"),
        environment=current().settings.environment,
        subject_id=subject.id,
        organisation=position.organisation.code,
        organisation_name=position.organisation.name,
        role=position.role,
        scope=position.scope or EVERYTHING,
        source="register",
        slot=slot_of(subject.id, position.organisation.code, position.role, "register"),
        created_at=clock.now(),
        created_by=_BY,
        until=position.until,
    )
    entry.detail.setdefault("entered", []).append(row.id)
    entry.changed("mandate", row.id)


async def _take_over(entry: audit.Entry, subject: Subject, row: Mandate, position: Position) -> None:
    """A change of name or a longer term is taken over; whatever takes something away ends the mandate for a new one."""
    is_longer = position.until is None or (row.until is not None and position.until >= row.until)
    if (position.scope or EVERYTHING) != row.scope or not is_longer:
        await end_mandate(entry, row, _BY, "register")
        await _enter(entry, subject, position)
        return
    await Mandate.filter(id=row.id).update(until=position.until, organisation_name=position.organisation.name)
    entry.detail.setdefault("changed", []).append(row.id)
    entry.changed("mandate", row.id)
