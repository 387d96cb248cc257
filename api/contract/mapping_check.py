"""Look at a mapping beside its contract: does it fit, what does it lose, do the contract's own examples come back?

    python -m api.contract.mapping_check FOLDER          (contract.yaml and mapping.yaml in it)

Nothing is called. Each example of an answer and of a request body is written natively, as XML or as a tree of
rows where the protocol is so, and read back.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from api.contract.build import service_of
from api.contract.load import load_path
from api.contract.mapping import (
    CompiledMapping,
    MappedOperation,
    compile_mapping,
    read_answer,
    read_mapping,
    read_request,
    write_answer,
    write_request,
)
from api.contract.mapping_shapes import MappingError, ShapeError
from api.contract.mapping_xml import XmlError, read_xml, write_xml
from api.contract.model import Service
from api.contract.normalise import normalise


class Checked(Struct):
    """What was found. `faults` must be mended, `losses` should be known, `unmapped` operations go unmapped."""

    faults: list[str]
    losses: list[str]
    unmapped: list[str]
    unused: list[str]  # problems of the contract that no code stands for
    examples: int


def check(text: str | bytes, service: Service) -> Checked:
    """Check a mapping against a contract. It never raises: what is wrong stands in `faults`."""
    try:
        compiled = compile_mapping(read_mapping(text), service)
    except MappingError as error:
        return Checked([str(error)], [], [], [], 0)
    faults = []
    count = 0
    for mapped in compiled.operations.values():
        for name, fault in _round_trips(mapped):
            count += 1
            if fault:
                faults.append(f"/operations/{mapped.operation.id}: {name}: {fault}")
    losses = [f"{pointer}: {what}" for pointer, what in compiled.losses]
    return Checked(faults, losses, list(compiled.unmapped), _unused(compiled), count)


def _unused(compiled: CompiledMapping) -> list[str]:
    slugs = compiled.service.document.get("x-problems") or {}
    said = {slug for mapped in compiled.operations.values() for slug in mapped.outcome.by_slug}
    return [slug for slug in slugs if slug not in said]


def _round_trips(mapped: MappedOperation) -> Iterator[tuple[str, str]]:
    operation = mapped.operation
    for response in operation.responses:
        for media in response.media:
            if response.status[:1] == "2" and media.has_example and media.content_type.endswith("json"):
                yield f"example of {response.status}", _answer_fault(mapped, media.example)
    values = {one.name: one.example for one in operation.parameters if one.has_example}
    body = None
    if operation.body is not None:
        body = next((media.example for media in operation.body.media if media.has_example), None)
    yield "example of the request", _request_fault(mapped, values, body)


def _through(mapped: MappedOperation, tree: dict[str, Any]) -> Any:
    if not mapped.medium.repeats:
        return tree
    plain = {key: value for key, value in tree.items() if ":" not in key}
    read = read_xml(write_xml("root", plain)).tree
    placed = {key: value for key, value in tree.items() if ":" in key}
    return {**(read if isinstance(read, dict) else {}), **placed}


def _answer_fault(mapped: MappedOperation, example: Any) -> str:
    try:
        found = read_answer(mapped, _through(mapped, write_answer(mapped, example)))
    except (ShapeError, XmlError) as error:
        return str(error)
    return _difference(example, found)


def _request_fault(mapped: MappedOperation, values: dict[str, Any], body: Any) -> str:
    try:
        tree = write_request(mapped, values, body, {})
        _, found = read_request(mapped, _through(mapped, tree))
    except (ShapeError, XmlError) as error:
        return str(error)
    return "" if body is None else _difference(body, found)


def _difference(one: Any, other: Any) -> str:
    """Where two values first differ, "" where they are the same."""
    return next(_differences(one, other, ""), "")


def _differences(one: Any, other: Any, at: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        yield from (f"{at}/{key} does not come back" for key in one if key not in other)
        yield from (f"{at}/{key} comes back and was not there" for key in other if key not in one)
        for key in one.keys() & other.keys():
            yield from _differences(one[key], other[key], f"{at}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (mine, yours) in enumerate(zip(one, other, strict=True)):
            yield from _differences(mine, yours, f"{at}/{number}")
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield f"{at} comes back as {str(other)[:60]!r}, not {str(one)[:60]!r}"


def check_folder(folder: Path) -> Checked:
    """Check `mapping.yaml` of a folder against its `contract.yaml`."""
    loaded = load_path(folder / "contract.yaml")
    if loaded.document is None:
        return Checked([f"contract.yaml: {finding.message}" for finding in loaded.findings], [], [], [], 0)
    service = service_of(normalise(loaded.document).document)
    return check((folder / "mapping.yaml").read_bytes(), service)


def main() -> int:
    """Say what `check_folder` found of the folders given; 1 where something is to be mended."""
    wrong = 0
    for argument in sys.argv[1:]:
        found = check_folder(Path(argument))
        wrong += len(found.faults)
        lines = [
            f"{argument}: {len(found.faults)} faults, {len(found.losses)} losses, {found.examples} round trips"
        ]
        lines += [f"  FAULT  {one}" for one in found.faults] + [f"  loss   {one}" for one in found.losses]
        lines += [f"  no code stands for the problem {one}" for one in found.unused]
        lines += [f"  not mapped: {one}" for one in found.unmapped]
        sys.stdout.write("\n".join(lines) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
