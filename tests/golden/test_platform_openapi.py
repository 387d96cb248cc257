"""The platform API's contract is a golden file, shipped in the package: a change of it has to be meant.

To accept one: KAIMEN_TEST_UPDATE_GOLDEN=1 python -m pytest tests/golden
"""

import difflib
import json
import os
from pathlib import Path

import api.main
from api.main.compose import platform_openapi

GOLDEN = Path(api.main.__file__).parent / "platform-openapi.json"


def test_the_platform_contract_changed_only_on_purpose() -> None:
    made = json.dumps(platform_openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if os.environ.get("KAIMEN_TEST_UPDATE_GOLDEN"):
        GOLDEN.write_text(made)
    kept = GOLDEN.read_text()
    if made != kept:
        lines = difflib.unified_diff(kept.splitlines(), made.splitlines(), "golden", "now", lineterm="", n=1)
        raise AssertionError("\n".join(list(lines)[:120]))


def test_every_operation_is_described() -> None:
    document = platform_openapi()
    names = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "responses" in operation:
                assert operation.get("summary"), f"{method} {path} has no summary"
                assert operation.get("tags"), f"{method} {path} has no tag"
                names.append(operation["operationId"])
    assert len(names) == len(set(names)), "operation ids are unique"
