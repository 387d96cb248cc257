"""The Python SDK as a driver of the certificate: `driver.py FOLDER MODULE TABLE`, then the protocol of `kaimen parity`."""

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])
sdk: Any = importlib.import_module(sys.argv[2])
OPERATIONS = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))["operations"]
TRIES = 8
NO_TOKEN = "an SDK sends its token with every call"


def plain(value: Any) -> Any:
    """The JSON that an answer came from."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.to_dict() if hasattr(value, "to_dict") else value


def asked(client: Any, question: dict[str, Any]) -> dict[str, Any]:
    one = OPERATIONS.get(f"{question['service']}/{question['operation']}")
    if one is None:
        return {"unsaid": "no SDK holds it"}
    if not question["with_token"]:
        return {"unsaid": NO_TOKEN}
    values = {each["name"]: each["value"] for each in question["parameters"]}
    arguments = [values[name] for name in one["positional"]]
    named = {one["optional"][name]: value for name, value in values.items() if name in one["optional"]}
    if one["has_body"]:
        arguments.append(question["body"])
    headers = {"accept-language": "en"} | (
        {"kaimen-purpose": question["purpose"]} if "purpose" in question else {}
    )
    options = {"headers": headers, "max_retries": 0} | {
        name: question[name] for name in ("scenario", "idempotency_key") if name in question
    }
    method = client
    for name in one["path"]:
        method = getattr(method, name)
    for attempt in range(TRIES):
        try:
            raw = client.with_raw(method, *arguments, **named, options=options)
            break
        except sdk.ApiError as refused:  # a quota is no difference between faces
            if refused.status != 429 or attempt == TRIES - 1:
                return {"status": refused.status, "body": dict(refused.problem)}
            time.sleep(min(refused.retry_after or 1.0, 30.0))
    value = raw.value.value if one["is_paged"] else raw.value
    return {
        "status": raw.status, "body": plain(value), "synthetic": raw.headers.get("kaimen-sandbox") == "synthetic",
    }  # fmt: skip


def main() -> None:
    begin = json.loads(sys.stdin.readline())
    print(json.dumps({"kaimen_parity": 1}), flush=True)
    with sdk.Kaimen(base_url=begin["origin"], access_token=begin["token"]) as client:
        for line in sys.stdin:
            question = json.loads(line)
            print(json.dumps({"case": question["case"], **asked(client, question)}), flush=True)


main()
