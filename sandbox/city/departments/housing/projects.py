"""The projects with a pre-sale permit: what may be sold before it is built. All invented."""

from datetime import date
from typing import Any

from msgspec import Struct


class Project(Struct, frozen=True):
    permit: str
    name: str
    english_name: str
    district_code: str
    permitted_on: date
    homes: int
    sold_per_day: float
    price_yuan: int  # a square metre, on average


PROJECTS = (
    Project(
        "YS20250001", "样湖新区契约花园", "Contract Gardens", "990105", date(2025, 3, 18), 420, 0.8, 18_600
    ),
    Project("YS20250002", "东样区令牌公馆", "Token Mansions", "990101", date(2025, 6, 9), 264, 0.7, 22_300),
    Project("YS20250003", "西样区镜像里", "Mirror Place", "990102", date(2025, 9, 26), 318, 0.6, 17_900),
    Project("YS20250004", "样山县虚舟小镇", "Empty Boat Town", "990106", date(2025, 11, 3), 560, 0.5, 9_400),
    Project("YS20260001", "北样区草稿雅苑", "Draft Court", "990104", date(2026, 4, 20), 196, 0.9, 15_200),
    Project("YS20260002", "南样区回声府", "Echo Residence", "990103", date(2026, 7, 15), 302, 0.9, 16_100),
    Project("YS20260003", "样湖新区种子社区", "Seed Quarter", "990105", date(2026, 10, 12), 488, 0.8, 18_200),
)


def project_shown(project: Project, today: date) -> dict[str, Any]:
    """The project as of that day: homes sell as time passes."""
    sold = min(project.homes, int((today - project.permitted_on).days * project.sold_per_day))
    return {
        "permit": project.permit,
        "name": project.name,
        "english_name": project.english_name,
        "district_code": project.district_code,
        "permitted_on": project.permitted_on.isoformat(),
        "homes": project.homes,
        "homes_left": project.homes - sold,
        "price_yuan_m2": project.price_yuan,
        "status": "sold-out" if sold == project.homes else "selling",
    }
