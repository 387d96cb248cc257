"""In the embedded mode the city's identity provider is set up as the platform's: for staff, and for citizens live."""

from typing import Any

from api.core.caller import OPERATOR
from api.identity.installation import current
from api.identity.models import Organisation
from api.identity.outside.models import OutsideProvider
from api.identity.outside.providers import ProviderInput, add_provider, change_provider
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.identity_provider import protocol

_ASSURANCE = {protocol.acr_of(level): level for level in protocol.LEVELS}


async def ensure_providers() -> list[str]:
    """Set up what is missing, and follow a changed address; the slugs of what was changed. Nothing unless embedded."""
    if not current().settings.embedded:
        return []
    changed = []
    for said in await _wanted():
        present = await OutsideProvider.get_or_none(slug=said.slug)
        if present is None:
            await add_provider(OPERATOR, said)
        elif present.issuer != said.issuer or len(present.mapping) != len(said.mapping):
            await change_provider(OPERATOR, present.id, said)
        else:
            continue
        changed.append(said.slug)
    return changed


async def _wanted() -> list[ProviderInput]:
    clients = protocol.clients()
    organisations = {
        str(row.slug) for row in await Organisation.filter(slug__in=[one.slug for one in DEPARTMENTS])
    }
    rules: list[dict[str, Any]] = []
    for department in DEPARTMENTS:
        if department.slug in organisations:
            for role in ("publisher", "approver"):
                post = f"{department.slug}:{role}"
                rules.append(
                    {"claim": "posts", "value": post, "organisation": department.slug, "roles": [role]}
                )
    return [
        ProviderInput(
            slug="city-staff", audience="staff", issuer=protocol.issuer(), name_zh="城市统一身份认证", name_en="City identity",
            client_id="kaimen-staff", client_secret=clients["kaimen-staff"].secret, scopes="openid profile email offline_access",
            trusts_email=True, mapping=rules, assurance=_ASSURANCE, mfa_values=["otp", "hwk"],
        ),
        ProviderInput(
            slug="city-citizens", audience="citizens", issuer=protocol.issuer(), name_zh="城市统一身份认证", name_en="City identity",
            client_id="kaimen-citizens", client_secret=clients["kaimen-citizens"].secret, scopes="openid profile national",
            assurance=_ASSURANCE, mfa_values=["otp", "hwk"],
        ),
    ]  # fmt: skip
