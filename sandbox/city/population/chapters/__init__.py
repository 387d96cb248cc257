"""The chapters of the city file, in the order in which they are written: one module each, one line each.

What a chapter reads in `town.shared` was left there by one that stands above it.
"""

from sandbox.city.population.chapter import Chapter
from sandbox.city.population.chapters import (
    civil,
    entitlements,
    funds,
    homes,
    newcomers,
    standing,
    trade,
    vehicles,
)

CHAPTERS: tuple[Chapter, ...] = (newcomers, civil, entitlements, vehicles, homes, standing, funds, trade)
