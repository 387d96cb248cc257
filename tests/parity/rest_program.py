"""A driver as an SDK would bring it: a program that is asked over its pipes, written from docs/reference/parity alone."""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request


def ask(hello: dict, question: dict) -> dict:
    path = question["path"]
    query = {}
    headers = {"Accept-Language": "en"}
    for one in question["parameters"]:
        value = one["value"]
        text = value if isinstance(value, str) else json.dumps(value)
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", urllib.parse.quote(text, safe=""))
        elif one["in"] == "query":
            query[one["name"]] = [str(part) for part in value] if isinstance(value, list) else text
        elif one["in"] == "header":
            headers[one["name"]] = text
    url = f"{hello['origin']}/api/{question['service']}/{question['version']}{path}"
    if query:
        url += "?" + urllib.parse.urlencode(query, doseq=True)
    if question["with_token"]:
        headers["Authorization"] = "Bearer " + hello["token"]
    for name, key in (
        ("Kaimen-Scenario", "scenario"),
        ("Kaimen-Purpose", "purpose"),
        ("Idempotency-Key", "idempotency_key"),
    ):
        if question.get(key):
            headers[name] = question[key]
    body = None
    if "body" in question:
        body = json.dumps(question["body"]).encode()
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data=body, headers=headers, method=question["method"])
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return told(question, answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return told(question, refused.code, refused.headers, refused.read())


def told(question: dict, status: int, headers, data: bytes) -> dict:
    is_json = "json" in headers.get("Content-Type", "json")
    body = (json.loads(data) if data else None) if is_json else data.decode("utf-8", "replace")
    synthetic = headers.get("Kaimen-Sandbox") == "synthetic"
    return {
        "case": question["case"],
        "status": status,
        "body": body,
        "is_json": is_json,
        "synthetic": synthetic,
    }


def main() -> None:
    hello = json.loads(sys.stdin.readline())
    print(json.dumps({"kaimen_parity": 1}), flush=True)
    for line in sys.stdin:
        print(json.dumps(ask(hello, json.loads(line))), flush=True)


main()
