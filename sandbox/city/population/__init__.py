"""The synthetic population of the city: citizens, companies and what they did, deterministic from a seed.

`generate.generate` writes it, `sandbox.city.base.City` reads it. Nothing here belongs to anybody: the
identifiers are valid by check digit and lie in ranges that are assigned to nobody (`identifiers`).
"""
