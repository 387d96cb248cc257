"""Records of medical insurance: who is insured and how, settlements, treatment in other cities, the drug catalogue.

Who has a job is insured by it, everybody else as a resident; newborns have to be enrolled.
"""

from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from sandbox.city.base import City
from sandbox.city.departments.health.records import HOSPITALS
from sandbox.city.departments.public_security.records import living
from sandbox.city.departments.social_security.records import job_of
from sandbox.city.numbering import share_of
from sandbox.city.population.personas import number_of
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "medical-insurance"
NEWBORN_DAYS = 90  # within these days a newborn is insured from birth
MATERNITY_DAYS = 365  # after the birth, in which its expenses are claimed
MATERNITY_PERCENT = {"employee": 90, "resident": 70}
FIRST_REMOTE = "YD1000000001"


class Drug(Struct, frozen=True):
    code: str  # ATC
    zh: str
    en: str
    category: str  # A or B
    form: str
    self_paid_percent: int


DRUGS = (
    Drug("A02BC01", "奥美拉唑", "Omeprazole", "A", "口服常释剂型", 0),
    Drug("A10AB01", "胰岛素", "Insulin (human)", "A", "注射剂", 0),
    Drug("A10BA02", "二甲双胍", "Metformin", "A", "口服常释剂型", 0),
    Drug("A10BH01", "西格列汀", "Sitagliptin", "B", "口服常释剂型", 10),
    Drug("B01AC06", "阿司匹林", "Acetylsalicylic acid", "A", "口服常释剂型", 0),
    Drug("B01AF01", "利伐沙班", "Rivaroxaban", "B", "口服常释剂型", 10),
    Drug("C03CA01", "呋塞米", "Furosemide", "A", "口服常释剂型", 0),
    Drug("C07AB02", "美托洛尔", "Metoprolol", "A", "口服常释剂型", 0),
    Drug("C08CA01", "氨氯地平", "Amlodipine", "A", "口服常释剂型", 0),
    Drug("C09CA01", "氯沙坦", "Losartan", "B", "口服常释剂型", 5),
    Drug("C10AA05", "阿托伐他汀", "Atorvastatin", "A", "口服常释剂型", 0),
    Drug("H02AB06", "泼尼松龙", "Prednisolone", "A", "口服常释剂型", 0),
    Drug("J01CA04", "阿莫西林", "Amoxicillin", "A", "口服常释剂型", 0),
    Drug("J01DC02", "头孢呋辛", "Cefuroxime", "B", "口服常释剂型", 10),
    Drug("J01FA10", "阿奇霉素", "Azithromycin", "B", "口服常释剂型", 10),
    Drug("J05AH02", "奥司他韦", "Oseltamivir", "B", "口服常释剂型", 10),
    Drug("L01EB02", "厄洛替尼", "Erlotinib", "B", "口服常释剂型", 20),
    Drug("M01AE01", "布洛芬", "Ibuprofen", "A", "口服常释剂型", 0),
    Drug("N02BE01", "对乙酰氨基酚", "Paracetamol", "A", "口服常释剂型", 0),
    Drug("N05BA01", "地西泮", "Diazepam", "A", "口服常释剂型", 0),
    Drug("N06AB06", "舍曲林", "Sertraline", "B", "口服常释剂型", 10),
    Drug("R03AC02", "沙丁胺醇", "Salbutamol", "A", "吸入剂", 0),
    Drug("R03BA02", "布地奈德", "Budesonide", "B", "吸入剂", 10),
    Drug("S01ED01", "噻吗洛尔", "Timolol", "A", "滴眼剂", 0),
)
DRUGS_BY_CODE = {drug.code: drug for drug in DRUGS}


def _read_enrolment(city: City, number: str) -> Record | None:
    """Everybody of the base city is enrolled but those born in the last ninety days."""
    row = city.one("SELECT born FROM citizen WHERE number = ?", number)
    if row is None:
        return None
    born = date.fromisoformat(row[0])
    if born > date.fromisoformat(city.meta["as_of"]) - timedelta(days=NEWBORN_DAYS):
        return None
    return {"id_number": number, "since": max(row[0], "2001-01-01")}


def _read_settlements(city: City, number: str) -> Record | None:
    """What was settled for somebody in the two years before the city was counted."""
    row = city.one(
        "SELECT c.born, c.died, h.district FROM citizen c JOIN household h ON h.id = c.household WHERE c.number = ?",
        number,
    )
    if row is None:
        return None
    counted = date.fromisoformat(city.meta["as_of"])
    nearby = [one for one in HOSPITALS if one.district == row[2]] or list(HOSPITALS)
    items = []
    for place in range(share_of(number, "settlements", of=7)):
        day = (counted - timedelta(days=1 + share_of(number, place, "day", of=730))).isoformat()
        if day < row[0] or (row[1] is not None and day > row[1]):
            continue
        kind = "inpatient" if share_of(number, place, "kind", of=8) == 0 else "outpatient"
        total = (4000 + 200 * share_of(number, place, "total", of=90)) if kind == "inpatient" else (
            60 + 5 * share_of(number, place, "total", of=120))  # fmt: skip
        fund = total * (75 if kind == "inpatient" else 55) // 100
        hospital = nearby[share_of(number, place, "hospital", of=len(nearby))]
        items.append({"settled_on": day, "hospital_code": hospital.code, "kind": kind, "total_yuan": total,
                      "fund_yuan": fund, "self_paid_yuan": total - fund})  # fmt: skip
    return {"items": sorted(items, key=lambda item: str(item["settled_on"]), reverse=True)}


def _read_remote(city: City, number: str) -> Record | None:
    """One registration that is in every city; all others are made by apps."""
    if number != FIRST_REMOTE:
        return None
    return {"number": number, "id_number": number_of("qian-shouyi"), "destination_code": "990201", "from": "2026-05-01",
            "until": "2026-10-31", "reason": "long-term-stay"}  # fmt: skip


ENROLMENT = Kind("enrolment", DEPARTMENT, _read_enrolment)  # key: identity number
SETTLEMENTS = Kind(
    "settlements", DEPARTMENT, _read_settlements
)  # key: identity number; {"items": newest first}
REMOTE = Kind("remote-treatment", DEPARTMENT, _read_remote)  # key: number of the registration


def enrolment_of(world: World, number: str) -> dict[str, Any] | None:
    """How somebody is insured now: scheme, employer and status follow from the register of people and the job."""
    record = world.get(ENROLMENT, number)
    if record is None or record["since"] > world.today.isoformat():
        return None
    job = job_of(world, number)
    found = {"scheme": "employee" if job else "resident", "since": record["since"],
             "status": "active" if living(world, number) else "ended"}  # fmt: skip
    if job is not None:
        found["company_code"] = job["company_code"]
    return found


def _read_no_claim(city: City, certificate: str) -> Record | None:
    """Nobody had claimed when the city was counted."""
    return None


MATERNITY = Kind("maternity-claim", DEPARTMENT, _read_no_claim)  # key: number of the birth certificate
