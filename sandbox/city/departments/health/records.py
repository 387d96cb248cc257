"""Records of health: hospitals, birth certificates, vaccinations, appointments.

Hospitals are few and the same in every city, so they stand here. What nobody else asks for follows from the
identity number and the day.
"""

from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from sandbox.city.base import City
from sandbox.city.departments.public_security.records import citizen_of_certificate
from sandbox.city.numbering import share_of
from sandbox.city.population.personas import number_of
from sandbox.city.state import Record
from sandbox.city.world import Kind

DEPARTMENT = "health"


class Hospital(Struct, frozen=True):
    code: str
    zh: str
    en: str
    grade: str  # 3A, 2A or community
    district: str
    address: str
    sections: tuple[str, ...]


SECTIONS = {
    "internal": ("内科", "Internal medicine"),
    "surgery": ("外科", "Surgery"),
    "obstetrics": ("妇产科", "Obstetrics and gynaecology"),
    "paediatrics": ("儿科", "Paediatrics"),
    "ophthalmology": ("眼科", "Ophthalmology"),
    "dentistry": ("口腔科", "Dentistry"),
    "rehabilitation": ("康复科", "Rehabilitation"),
    "general": ("全科", "General practice"),
}
_ALL = tuple(name for name in SECTIONS if name != "general")
_MIDDLE = ("internal", "surgery", "obstetrics", "paediatrics")
HOSPITALS = (
    Hospital("H990101001", "开门市第一医院（样例）", "Kaimen First Hospital (Sample)", "3A", "990101", "开门市东样区启门大道1号", _ALL),
    Hospital("H990101002", "东样区妇幼保健院（样例）", "East Sample Women and Children Hospital (Sample)", "2A", "990101", "开门市东样区样本路99号",
             ("obstetrics", "paediatrics", "internal")),
    Hospital("H990101003", "样本路社区卫生服务中心（样例）", "Sample Road Community Health Centre (Sample)", "community", "990101", "开门市东样区样本路30号", ("general", "paediatrics")),
    Hospital("H990102001", "西样区医院（样例）", "West Sample District Hospital (Sample)", "2A", "990102", "开门市西样区镜像街88号", _MIDDLE),
    Hospital("H990102002", "镜像街社区卫生服务中心（样例）", "Mirror Street Community Health Centre (Sample)", "community", "990102", "开门市西样区镜像街12号", ("general", "paediatrics")),
    Hospital("H990103001", "开门市中医院（样例）", "Kaimen Hospital of Chinese Medicine (Sample)", "3A", "990103", "开门市南样区契约大街20号", _ALL),
    Hospital("H990103002", "回声巷社区卫生服务中心（样例）", "Echo Lane Community Health Centre (Sample)", "community", "990103", "开门市南样区回声巷5号", ("general", "paediatrics")),
    Hospital("H990104001", "北样区医院（样例）", "North Sample District Hospital (Sample)", "2A", "990104", "开门市北样区草稿街60号", _MIDDLE),
    Hospital("H990105001", "样湖新区医院（样例）", "Sample Lake Hospital (Sample)", "3A", "990105", "开门市样湖新区种子路9号", _ALL),
    Hospital("H990106001", "样山县医院（样例）", "Sample Hill County Hospital (Sample)", "2A", "990106", "开门市样山县虚舟路2号", _MIDDLE),
)  # fmt: skip
BY_CODE = {hospital.code: hospital for hospital in HOSPITALS}

# code, dose, age in days from which it is given, names. Source: 《国家免疫规划疫苗儿童免疫程序及说明（2021年版）》
SCHEDULE = (
    ("BCG", 1, 0, "卡介苗", "BCG"),
    ("HepB", 1, 0, "乙肝疫苗", "Hepatitis B"),
    ("HepB", 2, 30, "乙肝疫苗", "Hepatitis B"),
    ("IPV", 1, 60, "脊髓灰质炎灭活疫苗", "Polio, inactivated"),
    ("IPV", 2, 90, "脊髓灰质炎灭活疫苗", "Polio, inactivated"),
    ("DTaP", 1, 90, "百白破疫苗", "Diphtheria, tetanus, pertussis"),
    ("DTaP", 2, 120, "百白破疫苗", "Diphtheria, tetanus, pertussis"),
    ("DTaP", 3, 150, "百白破疫苗", "Diphtheria, tetanus, pertussis"),
    ("HepB", 3, 180, "乙肝疫苗", "Hepatitis B"),
    ("MMR", 1, 240, "麻腮风疫苗", "Measles, mumps, rubella"),
    ("JE", 1, 240, "乙脑减毒活疫苗", "Japanese encephalitis"),
    ("DTaP", 4, 540, "百白破疫苗", "Diphtheria, tetanus, pertussis"),
    ("MMR", 2, 540, "麻腮风疫苗", "Measles, mumps, rubella"),
)
LEAST_INTERVAL_DAYS = 28  # between two doses of one vaccine

# The twin sister of the newborn persona: certified, not yet in the register of people.
_SISTER = {
    "number": "K900000001",
    "child_name": "赵新禾",
    "sex": "F",
    "born_at": "2026-06-18T03:26:00+08:00",
    "weight_grams": 2610,
    "hospital_code": "H990101002",
    "mother": number_of("lin-xiaoya"),
    "father": number_of("zhao-lei"),
    "issued_on": "2026-06-20",
}


def certificate_number(citizen: int) -> str:
    """The number of the birth certificate of a citizen of the base city."""
    return f"K99{citizen:07d}"


def _read_certificate(city: City, number: str) -> Record | None:
    if number == _SISTER["number"]:
        return dict(_SISTER)
    row = city.one(
        "SELECT c.name, c.sex, c.born, m.number, f.number, h.district FROM citizen c JOIN citizen m ON m.id = c.mother "
        "LEFT JOIN citizen f ON f.id = c.father JOIN household h ON h.id = c.household WHERE c.id = ? AND c.born >= '1996'",
        citizen_of_certificate(number),
    )
    if row is None:
        return None
    name, sex, born, mother, father, district = row
    record: dict[str, Any] = {
        "number": number,
        "child_name": name,
        "sex": sex,
        "born_at": f"{born}T{share_of(number, 'hour', of=24):02d}:{share_of(number, 'minute', of=60):02d}:00+08:00",
        "weight_grams": 2500 + 10 * share_of(number, "weight", of=150),
        "hospital_code": maternity(district).code,
        "mother": mother,
        "issued_on": (date.fromisoformat(born) + timedelta(days=2)).isoformat(),
    }
    if father is not None:
        record["father"] = father
    return record


def maternity(district: str) -> Hospital:
    """Where children of a district are born: the first hospital there that has obstetrics."""
    nearby = [one for one in HOSPITALS if "obstetrics" in one.sections]
    return next((one for one in reversed(nearby) if one.district == district), nearby[0])


def _read_vaccinations(city: City, number: str) -> Record | None:
    """What a child of the base city has got: every dose that fell due before the city was counted, but for newborns."""
    row = city.one(
        "SELECT c.born, h.district FROM citizen c JOIN household h ON h.id = c.household WHERE c.number = ?",
        number,
    )
    if row is None:
        return None
    born = date.fromisoformat(row[0])
    counted = date.fromisoformat(city.meta["as_of"])
    place = next(one.code for one in HOSPITALS if one.district == row[1])
    items = []
    for code, dose, age, _, _ in SCHEDULE:
        given = born + timedelta(days=age + share_of(number, code, dose, of=12) * (age > 0))
        if given <= counted and not (born > counted - timedelta(days=14) and code != "BCG"):
            items.append(
                {"vaccine": code, "dose": dose, "given_on": given.isoformat(), "hospital_code": place}
            )
    return {"items": items}


def _read_appointment(city: City, number: str) -> Record | None:
    """One appointment that is in every city; all others are made by apps."""
    if number != FIRST_APPOINTMENT:
        return None
    return {"number": number, "hospital_code": "H990101001", "section": "internal", "date": "2026-07-02", "period": "08:00",
            "patient": number_of("lin-xi"), "booked_on": "2026-06-28"}  # fmt: skip


FIRST_APPOINTMENT = "YY1000000001"
CERTIFICATE = Kind("birth-certificate", DEPARTMENT, _read_certificate)  # key: number of the certificate
VACCINATIONS = Kind(
    "vaccinations", DEPARTMENT, _read_vaccinations
)  # key: identity number; {"items": oldest first}
APPOINTMENT = Kind("appointment", DEPARTMENT, _read_appointment)  # key: number of the appointment
