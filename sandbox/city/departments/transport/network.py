"""The bus network: lines, stops, and where each bus is at a given moment. All of it follows from the clock."""

from datetime import datetime, time, timedelta
from typing import Any

from msgspec import Struct

from sandbox.city.clock import ZONE, local_text

_MINUTES_A_STOP = 4
_SPEED_METRES = 380  # a minute


class Line(Struct, frozen=True):
    id: str
    zh: str
    en: str
    districts: tuple[str, ...]
    stops: tuple[str, ...]
    headway: int  # minutes between two buses
    first: time
    last: time
    fare_yuan: float = 2


_STOPS = {
    "1": "开门火车站 启门大道口 契约大街东 市民中心 样本路 沙盘路 目录街 西样公园 占位路口 幻塔路",
    "2": "市民中心 令牌路 网关路 样湖大桥 种子路 演武路 样湖科技园 样湖地铁口",
    "7": "南样汽车站 回声巷 纸桥巷 契约大街南 南样医院 草稿街口 市民中心 样本路 东样体育馆",
    "12": "北样广场 草稿街 练习路 北样中学 镜像街 西样公园 目录街",
    "18": "样山县政府 虚舟路 茶园路口 样山隧道 启门大道西 市民中心 开门火车站",
    "夜1": "开门火车站 市民中心 西样公园 南样医院 北样广场",
}
LINES = (
    Line("1", "1路", "Line 1", ("990101", "990102"), tuple(_STOPS["1"].split()), 8, time(5, 30), time(22, 30)),
    Line("2", "2路", "Line 2", ("990101", "990105"), tuple(_STOPS["2"].split()), 10, time(6), time(22)),
    Line("7", "7路", "Line 7", ("990103", "990101"), tuple(_STOPS["7"].split()), 12, time(6), time(21, 30)),
    Line("12", "12路", "Line 12", ("990104", "990102"), tuple(_STOPS["12"].split()), 15, time(6, 15), time(21)),
    Line("18", "18路", "Line 18", ("990106", "990101"), tuple(_STOPS["18"].split()), 30, time(6), time(19, 30), 4),
    Line("N1", "夜1路", "Night line 1", ("990101", "990102", "990103", "990104"), tuple(_STOPS["夜1"].split()), 30,
         time(22, 30), time(23, 30)),
)  # fmt: skip
BY_ID = {line.id: line for line in LINES}


def brief(line: Line) -> dict[str, Any]:
    """The line as lists show it."""
    return {
        "line": line.id,
        "name": line.zh,
        "english_name": line.en,
        "from_stop": line.stops[0],
        "to_stop": line.stops[-1],
        "first_bus": f"{line.first:%H:%M}",
        "last_bus": f"{line.last:%H:%M}",
        "headway_minutes": line.headway,
        "fare_yuan": line.fare_yuan,
    }


def whole(line: Line) -> dict[str, Any]:
    """The line with its stops; each way has the same ones."""
    stops = [{"sequence": place, "name": name} for place, name in enumerate(line.stops, start=1)]
    return {**brief(line), "districts": list(line.districts), "stops": stops}


def buses_at(line: Line, now: datetime) -> list[dict[str, Any]]:
    """The buses under way at this moment, both directions, those that left first before the others."""
    here = now.astimezone(ZONE)
    journey = timedelta(minutes=_MINUTES_A_STOP * (len(line.stops) - 1))
    found = []
    leaves = datetime.combine(here.date(), line.first, ZONE)
    last = datetime.combine(here.date(), line.last, ZONE)
    serial = 0
    while leaves <= min(last, here):
        serial += 1
        if here < leaves + journey:
            minutes = (here - leaves) / timedelta(minutes=1)
            for way, stops in (("out", line.stops), ("back", line.stops[::-1])):
                found.append(_bus(line, way, stops, serial, minutes, here))
        leaves += timedelta(minutes=line.headway)
    return found


def _bus(
    line: Line, way: str, stops: tuple[str, ...], serial: int, minutes: float, now: datetime
) -> dict[str, Any]:
    place = int(minutes // _MINUTES_A_STOP)
    left = _MINUTES_A_STOP * (place + 1) - minutes
    arrives = (now + timedelta(minutes=left)).replace(microsecond=0)
    return {
        "vehicle": f"样{line.id}-{serial:03d}{'A' if way == 'out' else 'B'}",
        "direction": way,
        "last_stop": stops[place],
        "next_stop": stops[place + 1],
        "metres_to_next_stop": int(left * _SPEED_METRES),
        "arrives_at": local_text(arrives),
    }
