"""The departments of the city: a folder each, with `contract.yaml` and `behaviour.py`.

A new department is a new folder and a line in DEPARTMENTS; nothing else names it.
"""

from sandbox.city.department import Department
from sandbox.city.departments.market_regulation.behaviour import department as market_regulation
from sandbox.city.departments.post.behaviour import department as post
from sandbox.city.departments.tax.behaviour import department as tax

DEPARTMENTS: tuple[Department, ...] = (market_regulation, tax, post)
BY_SLUG = {department.slug: department for department in DEPARTMENTS}
