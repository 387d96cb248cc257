"""Citizens who sign in on the live plane through an outside provider: out to it, and back as a Subject."""

from collections.abc import Mapping
from datetime import date

from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.consents.subjects import Subject, SubjectIds
from api.identity.installation import current, vault
from api.identity.outside.mapping import assurance_of, line_of, values_of
from api.identity.outside.models import OutsideProvider
from api.identity.outside.relying_party import Departure, Identity, RelyingParty

STAFF, CITIZENS, LINK = "staff", "citizens", "link"
_WHAT = Text("身份提供方", "identity provider")
# what the registers of this environment ask for, by the claims that hold it
_NATIONAL = {
    "number": "national_id",
    "organisation_code": "organisation_code",
    "organisation_name": "organisation_name",
}


async def providers_for(audience: str) -> list[OutsideProvider]:
    """The providers in use for staff or citizens."""
    return await OutsideProvider.filter(audience=audience, is_enabled=True).order_by("slug")


async def provider_for(audience: str, slug: str) -> OutsideProvider:
    """The provider in use with this slug. Raises not-found."""
    found = None
    if slug.isascii() and slug.isprintable() and len(slug) <= 40:
        found = await OutsideProvider.get_or_none(slug=slug, audience=audience, is_enabled=True)
    if found is None:
        raise Refusal(NOT_FOUND, what=_WHAT)
    return found


def citizens_callback(slug: str) -> str:
    """The address to which a provider sends citizens back, on this process's plane."""
    return f"{current().settings.issuer}/consents/outside/{slug}/callback"


async def start(
    party: RelyingParty, slug: str, go_on: str, *, assurance: str = "", locale: str = "zh"
) -> Departure:
    """Begin a citizen's sign-in; `assurance` asks for at least that level. Raises not-found, outside-provider-away."""
    provider = await provider_for(CITIZENS, slug)
    return await party.depart(
        provider, CITIZENS, citizens_callback(slug), go_on=go_on, assurance=assurance, locale=locale
    )


async def finish(
    party: RelyingParty, slug: str, query: Mapping[str, str], sealed: str
) -> tuple[Subject, Identity]:
    """Who came back, as a Subject of this plane. Raises outside-sign-in-failed, outside-provider-away, not-found."""
    provider = await provider_for(CITIZENS, slug)
    identity = await party.arrive(provider, query, sealed, frozenset({CITIZENS}))
    return subject_of(provider, identity), identity


def subject_of(provider: OutsideProvider, identity: Identity) -> Subject:
    """The Subject of an identity: its id is keyed by issuer and subject, so it tells nobody who it is."""
    claims = identity.claims
    maker = SubjectIds(vault(), current().settings.environment)
    born = next(iter(values_of(claims, "birthdate")), None)
    return Subject(
        id=maker.of(provider.issuer, identity.subject),
        name=line_of(claims, "name"),
        birth_date=born if born and _is_date(born) else None,
        assurance=assurance_of(provider, claims),
        source=provider.issuer,
        national={key: value for key, claim in _NATIONAL.items() for value in values_of(claims, claim)[:1]},
        english_name=line_of(claims, "name#en"),
    )


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2000-01-31")
