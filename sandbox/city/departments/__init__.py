"""The departments of the city: a folder each, with `contract.yaml` and `behaviour.py`.

A new department is a new folder and a line in DEPARTMENTS; nothing else names it.
"""

from sandbox.city.department import Department
from sandbox.city.departments.civil_affairs.behaviour import department as civil_affairs
from sandbox.city.departments.credit.behaviour import department as credit
from sandbox.city.departments.culture_tourism.behaviour import department as culture_tourism
from sandbox.city.departments.customs.behaviour import department as customs
from sandbox.city.departments.disability.behaviour import department as disability
from sandbox.city.departments.ecology.behaviour import department as ecology
from sandbox.city.departments.education.behaviour import department as education
from sandbox.city.departments.emergency.behaviour import department as emergency
from sandbox.city.departments.health.behaviour import department as health
from sandbox.city.departments.hotline.behaviour import department as hotline
from sandbox.city.departments.housing.behaviour import department as housing
from sandbox.city.departments.housing_fund.behaviour import department as housing_fund
from sandbox.city.departments.justice.behaviour import department as justice
from sandbox.city.departments.licence.behaviour import department as licence
from sandbox.city.departments.market_regulation.behaviour import department as market_regulation
from sandbox.city.departments.medical_insurance.behaviour import department as medical_insurance
from sandbox.city.departments.meteorology.behaviour import department as meteorology
from sandbox.city.departments.post.behaviour import department as post
from sandbox.city.departments.procurement.behaviour import department as procurement
from sandbox.city.departments.public_security.behaviour import department as public_security
from sandbox.city.departments.real_estate.behaviour import department as real_estate
from sandbox.city.departments.social_security.behaviour import department as social_security
from sandbox.city.departments.statistics.behaviour import department as statistics
from sandbox.city.departments.tax.behaviour import department as tax
from sandbox.city.departments.transport.behaviour import department as transport
from sandbox.city.departments.utilities.behaviour import department as utilities
from sandbox.city.departments.veterans.behaviour import department as veterans

DEPARTMENTS: tuple[Department, ...] = (
    civil_affairs,
    credit,
    culture_tourism,
    customs,
    disability,
    ecology,
    education,
    emergency,
    health,
    hotline,
    housing,
    housing_fund,
    justice,
    licence,
    market_regulation,
    medical_insurance,
    meteorology,
    post,
    procurement,
    public_security,
    real_estate,
    social_security,
    statistics,
    tax,
    transport,
    utilities,
    veterans,
)
BY_SLUG = {department.slug: department for department in DEPARTMENTS}
