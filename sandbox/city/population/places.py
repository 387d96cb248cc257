"""The city and its addresses. 开门市 is invented, and its districts are named after samples (样), so that it shows."""

from random import Random

from msgspec import Struct

CITY = ("开门市", "Kaimen City")
DIVISION = "990100"


class District(Struct, frozen=True):
    code: str
    zh: str
    en: str


DISTRICTS = (
    District("990101", "东样区", "East Sample District"),
    District("990102", "西样区", "West Sample District"),
    District("990103", "南样区", "South Sample District"),
    District("990104", "北样区", "North Sample District"),
    District("990105", "样湖新区", "Sample Lake New Area"),
    District("990106", "样山县", "Sample Hill County"),
)
BY_CODE = {district.code: district for district in DISTRICTS}
_SHARES = (28, 22, 18, 14, 12, 6)

STREETS = (
    ("启门大道", "Open Gate Avenue"),
    ("契约大街", "Contract Street"),
    ("样本路", "Sample Road"),
    ("沙盘路", "Sandbox Road"),
    ("镜像街", "Mirror Street"),
    ("回声巷", "Echo Lane"),
    ("令牌路", "Token Road"),
    ("网关路", "Gateway Road"),
    ("目录街", "Catalogue Street"),
    ("种子路", "Seed Road"),
    ("占位路", "Placeholder Road"),
    ("草稿街", "Draft Street"),
    ("示例大道", "Example Avenue"),
    ("练习路", "Practice Road"),
    ("演武路", "Rehearsal Road"),
    ("仿真路", "Simulation Road"),
    ("拟作街", "Make-believe Street"),
    ("虚舟路", "Empty Boat Road"),
    ("幻塔路", "Mirage Tower Road"),
    ("纸桥巷", "Paper Bridge Lane"),
)


class Address(Struct, frozen=True):
    district: str  # division code
    zh: str
    en: str


def pick_district(random: Random) -> District:
    """A district, the larger ones more often."""
    return random.choices(DISTRICTS, _SHARES)[0]


def _base(district: District, random: Random) -> tuple[tuple[str, str], int]:
    return STREETS[random.randrange(len(STREETS))], random.randint(1, 398)


def home_address(random: Random) -> Address:
    """A flat in a residential building."""
    district = pick_district(random)
    street, number = _base(district, random)
    building, unit = random.randint(1, 24), random.randint(1, 4)
    room = random.randint(1, 18) * 100 + random.randint(1, 4)
    return Address(
        district.code,
        f"{CITY[0]}{district.zh}{street[0]}{number}号{building}幢{unit}单元{room}室",
        f"Room {room}, Unit {unit}, Building {building}, {number} {street[1]}, {district.en}, {CITY[1]}",
    )


def office_address(random: Random) -> Address:
    """An office or workshop."""
    district = pick_district(random)
    street, number = _base(district, random)
    floor, room = random.randint(1, 26), random.randint(1, 12)
    return Address(
        district.code,
        f"{CITY[0]}{district.zh}{street[0]}{number}号{floor}层{floor:02d}{room:02d}室",
        f"Room {floor:02d}{room:02d}, Floor {floor}, {number} {street[1]}, {district.en}, {CITY[1]}",
    )
