"""Packages of whole services, for everybody: services that the public may see, cut to what is of level L1 and L2."""

import re

import msgspec

from api.catalogue.browsing import Card
from api.catalogue.models import Publication
from api.core.problems import Problem
from api.downloads.models import SdkRelease
from api.downloads.selection import public_selection
from api.downloads.versions import read
from api.downloads.workshop import Workshop

APP_PACKAGE = re.compile(r"app-[0-9a-f]{8}")


async def public_services() -> dict[str, list[Publication]]:
    """Publications that have a public package, by service: of each version the live one, else that of the sandbox."""
    found: dict[str, Publication] = {}
    rows = await Publication.filter(state="published").order_by("version_id", "environment").only(
        "id", "version_id", "service", "version", "environment", "digest", "offer", "card", "release"
    )  # fmt: skip
    for row in rows:
        card = msgspec.json.decode(row.card, type=Card)
        if row.version_id in found or card.audience == "department" or APP_PACKAGE.fullmatch(row.service):
            continue
        if not (await public_selection(row)).is_empty:
            found[row.version_id] = row
    services: dict[str, list[Publication]] = {}
    for row in found.values():
        services.setdefault(row.service, []).append(row)
    return services


async def ensure_public(workshop: Workshop, package: str, language: str) -> bool:
    """Build the newest release of a service's package in a language; whether there is such a package.

    A release that cannot be built leaves the earlier ones to be had. Raises the problem where there are none.
    """
    rows = (await public_services()).get(package, [])
    failed: Problem | None = None
    for row in rows:
        try:
            await workshop.ready(
                await public_selection(row), language, package, line=row.version_id, floor=_floor(row)
            )
        except Problem as problem:
            failed = problem
    if failed is not None and not await _has_releases(package, language):
        raise failed
    return bool(rows) or await _has_releases(package, language)


async def _has_releases(package: str, language: str) -> bool:
    return await SdkRelease.filter(package=package, language=language).exclude(line="").exists()


def _floor(row: Publication) -> str:
    """The contract's release; its first number is that of the service version."""
    major, minor, patch = read(row.release)
    stated = int(row.version[1:]) if row.version[1:].isdigit() else major
    return f"{stated}.{minor}.{patch}" if stated == major else f"{stated}.0.0"
