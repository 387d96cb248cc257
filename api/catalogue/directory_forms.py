"""The directory in its three forms: a workbook, CSV, and DCAT-AP in JSON-LD.

Source: GB/T 21063.3-2007 for the columns; DCAT 3 (W3C Recommendation, 2024) and DCAT-AP 3.0 for the graph.
"""

from typing import Any

import msgspec

from api.catalogue.directory import CYCLES, OPENS, SHARES, Entry
from api.catalogue.spreadsheet import to_csv, to_xlsx

COLUMNS = (
    ("信息资源代码", "Code"), ("信息资源名称", "Name"), ("英文名称", "English name"), ("信息资源提供方", "Provider"),
    ("信息资源摘要", "Summary"), ("信息资源格式", "Format"), ("信息项", "Items"), ("共享类型", "Sharing"),
    ("共享条件", "Conditions of sharing"), ("共享方式", "Way of sharing"), ("开放类型", "Opening"), ("更新周期", "Update cycle"),
    ("数据级别", "Level"), ("目录路径", "Path"), ("发布日期", "Published on"), ("版本", "Version"), ("状态", "Status"),
    ("操作", "Operations"), ("访问地址", "Address"), ("契约地址", "Contract"), ("联系方式", "Contact"),
)  # fmt: skip
ITEM_COLUMNS = (
    ("信息资源代码", "Code"), ("信息资源名称", "Name"), ("信息项", "Item"), ("中文名称", "Chinese name"), ("英文名称", "English name"),
    ("数据类型", "Type"), ("数据元", "Data element"), ("级别", "Level"), ("操作", "Operation"),
)  # fmt: skip
_EU = "http://publications.europa.eu/resource/authority"
_FREQUENCY = {"realtime": "UPDATE_CONT", "hourly": "HOURLY", "daily": "DAILY", "weekly": "WEEKLY", "monthly": "MONTHLY",
              "quarterly": "QUARTERLY", "yearly": "ANNUAL", "irregular": "IRREG"}  # fmt: skip
_ACCESS = {"open": "PUBLIC", "conditional": "RESTRICTED", "closed": "NON_PUBLIC"}
_CONTEXT: dict[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "adms": "http://www.w3.org/ns/adms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def header(columns: tuple[tuple[str, str], ...]) -> list[str]:
    return [f"{zh} {en}" for zh, en in columns]


def rows_of(entries: list[Entry]) -> list[list[str]]:
    """The directory as rows, header first."""
    return [header(COLUMNS), *(_row(one) for one in entries)]


def _row(one: Entry) -> list[str]:
    return [
        one.code,
        one.names["zh"],
        one.names["en"],
        one.provider.get("zh", one.provider_slug),
        one.summaries["zh"],
        " ".join(one.formats),
        "；".join(item.texts.get("zh-CN") or item.name for item in one.items),
        _both(SHARES, one.share),
        "；".join(text for text in (one.share_basis, one.share_conditions) if text),
        "接口 API",
        _both(OPENS, one.open),
        _both(CYCLES, one.update),
        one.level,
        one.path,
        one.published_on,
        one.release,
        one.status,
        "；".join(f"{zh} {name}" for name, zh, _ in one.operations),
        one.address,
        one.contract,
        one.contact,
    ]


def _both(words: dict[str, tuple[str, str]], key: str) -> str:
    zh, en = words.get(key, (key, ""))
    return f"{zh} {en}".strip()


def _item_rows(entries: list[Entry]) -> list[list[str]]:
    return [
        header(ITEM_COLUMNS),
        *(
            [one.code, one.names["zh"], item.name, item.texts.get("zh-CN", ""), item.texts.get("en", ""), item.type, item.element, item.level, item.operation]
            for one in entries
            for item in one.items
        ),
    ]  # fmt: skip


def as_xlsx(entries: list[Entry]) -> bytes:
    """Two sheets: the directory, and its information items one by one."""
    return to_xlsx([("目录 Directory", rows_of(entries)), ("信息项 Items", _item_rows(entries))])


def as_csv(entries: list[Entry]) -> bytes:
    """The directory as CSV."""
    return to_csv(rows_of(entries))


def as_dcat(entries: list[Entry], base: str) -> bytes:
    """A `dcat:Catalog` with a data service and its dataset for each entry. The context stands inside: nothing is fetched."""
    catalogue = f"{base}/catalogue"
    publishers = {one.provider_slug or "platform": one for one in entries}
    graph: list[dict[str, Any]] = [
        {
            "@id": catalogue,
            "@type": "dcat:Catalog",
            "dct:title": _texts({"zh": "开门服务目录", "en": "Kaimen catalogue"}),
            "dct:description": _texts(
                {
                    "zh": "由契约生成的政务数据目录。",
                    "en": "The government data directory, made from the contracts.",
                }
            ),
            "dct:publisher": {"@id": f"{catalogue}#platform"},
            "foaf:homepage": {"@id": catalogue},
            "dct:language": [{"@id": f"{_EU}/language/ZHO"}, {"@id": f"{_EU}/language/ENG"}],
            "dcat:service": [{"@id": f"{one.page}#service"} for one in entries],
            "dcat:dataset": [{"@id": f"{one.page}#dataset"} for one in entries],
        },
        {
            "@id": f"{catalogue}#platform",
            "@type": "foaf:Agent",
            "foaf:name": _texts({"zh": "开门", "en": "Kaimen"}),
        },
    ]
    for slug, one in publishers.items():
        if slug != "platform":
            graph.append(
                {
                    "@id": f"{catalogue}#{slug}",
                    "@type": "foaf:Agent",
                    "foaf:name": _texts(one.provider) or slug,
                }
            )
    for one in entries:
        graph += [_dataset(one, catalogue), _service(one, catalogue)]
    return msgspec.json.format(msgspec.json.encode({"@context": _CONTEXT, "@graph": graph}), indent=1)


def _texts(texts: dict[str, str]) -> list[dict[str, str]]:
    return [{"@value": texts[key], "@language": key} for key in ("zh", "en") if texts.get(key)]


def _shared(one: Entry, catalogue: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "dct:title": _texts(one.names),
        "dct:description": _texts(one.summaries),
        "dct:publisher": {"@id": f"{catalogue}#{one.provider_slug or 'platform'}"},
        "dct:accessRights": {"@id": f"{_EU}/access-right/{_ACCESS.get(one.open, 'NON_PUBLIC')}"},
        "dcat:keyword": list(one.keywords),
        "dcat:landingPage": {"@id": one.page},
        "dcat:version": one.release,
        "adms:status": one.status,
    }
    if one.contact:
        made["dcat:contactPoint"] = {"@type": "vcard:Organization", "vcard:fn": one.contact}
    return made


def _dataset(one: Entry, catalogue: str) -> dict[str, Any]:
    made = {
        "@id": f"{one.page}#dataset",
        "@type": "dcat:Dataset",
        "dct:identifier": one.code,
        **_shared(one, catalogue),
        "dct:accrualPeriodicity": {"@id": f"{_EU}/frequency/{_FREQUENCY.get(one.update, 'IRREG')}"},
        "dcat:distribution": [
            {
                "@id": f"{one.page}#distribution",
                "@type": "dcat:Distribution",
                "dcat:accessURL": {"@id": one.address},
                "dcat:accessService": {"@id": f"{one.page}#service"},
                "dct:format": list(one.formats),
            }
        ],
    }
    if one.published_on:
        made["dct:issued"] = {"@value": one.published_on, "@type": "xsd:date"}
    return made


def _service(one: Entry, catalogue: str) -> dict[str, Any]:
    return {
        "@id": f"{one.page}#service",
        "@type": "dcat:DataService",
        "dct:identifier": one.id,
        **_shared(one, catalogue),
        "dcat:endpointURL": {"@id": one.address},
        "dcat:endpointDescription": {"@id": one.contract},
        "dct:conformsTo": {"@id": "https://spec.openapis.org/oas/v3.1"},
        "dcat:servesDataset": {"@id": f"{one.page}#dataset"},
    }
