"""The WSDLs that the city's SOAP departments publish: each is drafted from, and what the drafted mapping sends fits its XSD."""

import pytest
from lxml import etree

from api.contract.draft.drafting import Options
from api.contract.importing import read_contract
from api.contract.load import load_path
from api.contract.mapping import compile_mapping, read_mapping, write_request
from api.contract.mapping_soap import binding_of
from api.contract.mapping_wsdl import schema_of, wsdl_of
from api.contract.mapping_xml import write_xml
from sandbox.city.department import Department
from sandbox.city.departments import DEPARTMENTS
from tests.contract.draft.drafts import check_sound, from_bytes


def speaks_soap(department: Department) -> bool:
    mapping = department.folder / "mapping.yaml"
    return mapping.exists() and read_mapping(mapping.read_bytes()).protocol == "soap"


SOAP = [one for one in DEPARTMENTS if speaks_soap(one)]


@pytest.mark.parametrize("department", SOAP, ids=lambda one: one.slug)
def test_a_department_of_the_city_is_drafted_from_its_wsdl(department: Department) -> None:
    service = read_contract(load_path(department.contract)).service
    assert service is not None
    compiled = compile_mapping(read_mapping((department.folder / "mapping.yaml").read_bytes()), service)
    made = from_bytes(
        "wsdl", wsdl_of(compiled, "http://127.0.0.1:1/service"), "a.wsdl", Options(basis="contract")
    )
    check_sound(made)
    assert made.imported is not None
    drafted_service = made.imported.service
    assert drafted_service is not None
    spoken = [one for one in compiled.operations.values() if one.protocol == "soap"]
    assert len(drafted_service.operations) == len(spoken)
    drafted = compile_mapping(read_mapping(made.mapping), drafted_service)
    schema = etree.XMLSchema(etree.fromstring(schema_of(compiled).encode()))
    for mapped in drafted.operations.values():
        values = {one.name: one.example for one in mapped.operation.parameters if one.has_example}
        body = mapped.operation.body.media[0].example if mapped.operation.body is not None else None
        binding = binding_of(drafted.file, mapped)
        tree = write_request(mapped, values, body, {})
        message = etree.fromstring(write_xml(binding.request, tree, namespace=binding.namespace).encode())
        assert schema.validate(message), f"{mapped.operation.id}: {schema.error_log}"
