"""The tariff lines that the city's customs knows: a few of the national tariff, with what export rules say of them."""

from typing import Any

from msgspec import Struct


class Tariff(Struct, frozen=True):
    code: str  # ten digits
    name: str
    english_name: str
    unit: str
    rebate_percent: int  # of VAT, when exported
    control: str = "none"  # none, licence or banned


TARIFFS = (
    Tariff("0902101000", "花茶，每件净重不超过 3 公斤", "Flavoured green tea, packed up to 3 kg", "kg", 9),
    Tariff("0902109000", "绿茶，每件净重不超过 3 公斤", "Green tea, packed up to 3 kg", "kg", 9),
    Tariff("1006302000", "长粒米精米", "Long grain rice, milled", "kg", 0, "licence"),
    Tariff("2505900090", "天然砂", "Natural sand", "kg", 0, "banned"),
    Tariff("3004909099", "其他已配剂量药品", "Other medicines in doses", "kg", 13),
    Tariff("6109100021", "棉制针织T恤衫", "T-shirts, knitted, of cotton", "piece", 13),
    Tariff("6907219000", "陶瓷砖", "Ceramic tiles", "m2", 9),
    Tariff("8413709990", "其他离心泵", "Other centrifugal pumps", "piece", 13),
    Tariff("8466939000", "机床零件", "Parts of machine tools", "kg", 13),
    Tariff("8471300000", "便携式自动数据处理设备", "Portable computers", "piece", 13),
    Tariff("8541430000", "光电池组件", "Photovoltaic modules", "piece", 9),
    Tariff("9403609990", "其他木家具", "Other wooden furniture", "piece", 13),
)
BY_CODE = {tariff.code: tariff for tariff in TARIFFS}


def tariff_shown(tariff: Tariff) -> dict[str, Any]:
    return {
        "code": tariff.code,
        "name": tariff.name,
        "english_name": tariff.english_name,
        "unit": tariff.unit,
        "rebate_percent": tariff.rebate_percent,
        "control": tariff.control,
    }
