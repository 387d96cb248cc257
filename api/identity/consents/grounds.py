"""Legal grounds other than consent: nobody is asked, and what the use rests on is recorded."""

from api.contract.model import Basis
from api.core import audit, clock, ids
from api.identity.consents import published
from api.identity.consents.subjects import Subject
from api.identity.models import App, Grant


async def record_ground(app: App, subject: Subject, scope: str) -> Grant | None:
    """The record that a subject's data are used on another ground than consent, which asks nobody.

    For the operations that these scopes open and that are about a person or an organisation on the ground of a
    duty by law or of a contract. None where there is no such operation. It cannot be withdrawn, since it was not
    given; its details name service, operations, ground and law.
    """
    opened = await published.opened_to(app.id, app.environment)
    scopes = frozenset(scope.split())
    grounds = []
    for key, purposes in sorted(opened.items()):
        service = await published.service(key, app.environment)
        if service is None:
            continue
        for purpose, operations in sorted(purposes.items()):
            for one in service.service.operations:
                is_meant = one.id in operations and one.scopes and scopes.issuperset(one.scopes)
                if is_meant and one.subject and one.basis in {Basis.STATUTORY_DUTY, Basis.CONTRACT}:
                    ground = {
                        "service": key,
                        "operation": one.id,
                        "purpose": purpose,
                        "basis": one.basis.value,
                    }
                    grounds.append(ground | dict(one.basis_law))
    if not grounds:
        return None
    async with audit.write(
        f"citizen:{subject.id}", "ground:record", f"app/{app.id}", organisation=app.organisation_id
    ) as entry:
        grant = await Grant.create(
            id=ids.random_id("g"),
            environment=app.environment,
            app_id=app.id,
            client_id=app.client_id,
            subject_id=subject.id,
            details=[{"type": "legal-ground", **one} for one in grounds],
            scope=scope,
            basis=grounds[0]["basis"],
            created_at=clock.now(),
        )
        entry.detail |= {"grant": grant.id, "subject": subject.id, "grounds": grounds}
    return grant
