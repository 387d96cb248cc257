"""What the city promises in numbers, and where the dependence of each department on another is shown.

`DEPENDS` names, for each department, the test that changes the cause in another department and sees the effect.
A department without one is red, and so is a name that no test has.
"""

import ast
from pathlib import Path

import pytest

from sandbox.city.departments import DEPARTMENTS
from sandbox.city.inventory import read_services

HERE = Path(__file__).parent / "departments"
SAFE = {"GET", "HEAD"}
DEPENDS = {
    "civil-affairs": "test_families.py::test_a_death_is_felt_everywhere",
    "credit": "test_credit_and_justice.py::test_a_paid_arrear_is_credit",
    "culture-tourism": "test_culture_tourism.py::test_a_death_that_is_registered_ends_visits_and_cards",
    "customs": "test_trade.py::test_a_deregistered_company_exports_nothing",
    "disability": "test_work_and_cards.py::test_a_subsidy_for_the_jobless_follows_the_job",
    "ecology": "test_ecology.py::test_a_permit_ends_with_its_company",
    "education": "test_families.py::test_a_move_costs_the_place_at_school",
    "emergency": "test_emergency.py::test_a_volunteer_who_died_is_suspended",
    "health": "test_families.py::test_a_newborn_goes_from_hospital_to_register_to_insurance",
    "hotline": "test_hotline.py::test_a_company_that_is_gone_is_a_matter_of_the_courts",
    "housing": "test_homes.py::test_a_lease_follows_ownership_and_the_clock",
    "housing-fund": "test_fund.py::test_an_employer_that_ends_pays_no_more",
    "justice": "test_credit_and_justice.py::test_a_freeze_is_lifted_and_the_home_is_sold",
    "licence": "test_licence.py::test_a_sold_home_has_a_new_certificate",
    "market-regulation": "test_company_life.py::test_the_missing_reports_clear_an_abnormal_company",
    "medical-insurance": "test_families.py::test_insurance_waits_for_the_register",
    "meteorology": "test_meteorology.py::test_warnings_count_the_residents_of_the_base_city",
    "post": "test_post.py::test_a_property_certificate_goes_to_an_owner_as_long_as_it_holds",
    "procurement": "test_trade.py::test_a_paid_arrear_is_one_obstacle_less",
    "public-security": "test_families.py::test_a_wedding_is_booked_registered_and_known_everywhere",
    "real-estate": "test_homes.py::test_a_home_is_sold_step_by_step",
    "social-security": "test_work_and_cards.py::test_contributions_end_with_the_employer",
    "statistics": "test_statistics.py::test_what_an_app_changes_is_in_no_statistics_but_another_base_is",
    "tax": "test_company_life.py::test_an_address_moves_tax_office_and_all",
    "transport": "test_transport.py::test_a_death_that_is_registered_ends_a_licence",
    "utilities": "test_utilities.py::test_an_account_follows_a_transfer_of_the_real_estate_register",
    "veterans": "test_work_and_cards.py::test_tax_relief_for_a_veteran_rests_without_his_job",
}  # fmt: skip


def test_departments_operations_and_writes_are_many() -> None:
    operations = [one for service in read_services().values() for one in service.operations]
    assert len(DEPARTMENTS) >= 24
    assert len(operations) >= 120
    assert sum(one.method not in SAFE for one in operations) >= 40


@pytest.mark.parametrize("slug", [one.slug for one in DEPARTMENTS])
def test_each_department_depends_on_another(slug: str) -> None:
    file, _, name = DEPENDS[slug].partition("::")
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in tests, f"{slug}: {file} has no {name}"
