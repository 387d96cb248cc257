"""The WSDL and XSD of the departments that speak SOAP: well-formed, complete, and requests are held to them."""

import importlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.contract.mapping import compile_mapping, read_mapping
from api.contract.mapping_wsdl import schema_of, wsdl_of
from sandbox.city.connector import CitySide
from sandbox.city.inventory import read_services
from tests.sandbox.native import MAPPINGS, departments_with_mapping, spoken

etree: Any = importlib.import_module("lxml.etree")
SOAP = [one for one in departments_with_mapping() if one.protocol == "soap"]
XS = "{http://www.w3.org/2001/XMLSchema}"
CHOICE = """
mapping: 1
protocol: soap
soap: {version: "1.1", namespace: "urn:t", path: /t}
codes: {kind: {general: "1", small-scale: "2"}}
operations:
  getRating: {soap: {operation: Q, choice: [[SBH, ND]]}, request: {code: SBH, year: ND}, answer: {code: "PJ/@bm", "*": same}}
"""


@pytest.mark.parametrize("department", SOAP, ids=lambda one: one.slug)
def test_a_department_has_a_wsdl_and_an_xsd(department: Any) -> None:
    text = (department.folder / "mapping.yaml").read_text(encoding="utf-8")
    compiled = compile_mapping(read_mapping(text), read_services()[department.slug])
    etree.XMLSchema(etree.fromstring(schema_of(compiled).encode()))
    wsdl = etree.fromstring(wsdl_of(compiled, "http://127.0.0.1:1").encode())
    names = {one.get("name") for one in wsdl.iter("{http://schemas.xmlsoap.org/wsdl/}operation")}
    assert len(names) == sum(one.protocol == "soap" for one in compiled.operations.values())
    assert next(iter(wsdl.iter(f"{XS}element"))).get("name")


def test_what_others_drop_is_in_the_xsd() -> None:
    compiled = compile_mapping(read_mapping(CHOICE), read_services()["tax"])
    schema = etree.fromstring(schema_of(compiled).encode())
    validator = etree.XMLSchema(schema)
    assert [one.get("name") for one in next(schema.iter(f"{XS}choice"))] == ["SBH", "ND"]
    assert [one.get("name") for one in schema.iter(f"{XS}attribute")] == ["bm"]
    for inside, fits in (
        ("<SBH>1</SBH>", True),
        ("<ND>2025</ND>", True),
        ("<SBH>1</SBH><ND>2025</ND>", False),
        ("<X/>", False),
    ):
        assert validator.validate(etree.fromstring(f"<Q xmlns='urn:t'>{inside}</Q>")) == fits, inside


async def test_requests_are_held_to_the_xsd_and_to_the_signature(side: CitySide, city_home: Path) -> None:
    text = (MAPPINGS / "tax-soap.yaml").read_text(encoding="utf-8")
    async with spoken(side, city_home, "tax", text) as (_, native), httpx.AsyncClient() as client:
        address = native.address("tax") + "/services/TaxService"
        wsdl = await client.get(address + "?wsdl")
        assert wsdl.status_code == 200
        assert address in wsdl.text
        unsigned = await client.post(address, content=b"<x/>")
        assert unsigned.status_code == 401
        assert (await client.get(f"http://127.0.0.1:{native.port}/nobody/x")).status_code == 404
