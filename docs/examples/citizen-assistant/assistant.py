"""Answers what citizens ask of a government. See README.md.

python assistant.py support --persona feng-ting --id-number 990104199004170025 --name 冯婷 [--apply disability/travel]
python assistant.py birth birth.json [--scenario insurance-down]
python assistant.py case case_… [--resume]
"""

import argparse
import datetime as dt
import json
import os
import sys
from pathlib import Path

import consent
import support
from kaimen_app_0a1b2c3d import ApiError, Kaimen, models

DONE, OPEN, REFUSED = 0, 1, 2
_MARKS = {"done": "✓", "refused": "✗", "failed": "✗", "not-wanted": "·"}
_DATE = dt.date(2026, 6, 30)  # the day of the sandbox, unless the app moved its clock


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: done; 1: something is still open; 2: the platform refused."""
    options = _options().parse_args(arguments)
    missing = [
        name
        for name in ("KAIMEN_BASE_URL", "KAIMEN_CLIENT_ID", "KAIMEN_CLIENT_SECRET")
        if name not in os.environ
    ]
    if missing:
        sys.exit(f"set {', '.join(missing)} (see README.md)")
    try:
        with consent.as_app(options.language) as app:
            if options.question == "support":
                return _support(app, options)
            return _birth(app, options)
    except consent.RefusedError as refused:
        print(refused, file=sys.stderr)
    except ApiError as refused:
        print(
            f"{refused.title}\n{refused.detail}\n{refused.next}\nrequest {refused.request_id}",
            file=sys.stderr,
        )
    return REFUSED


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="问政务，有回答 · Answers what citizens ask.")
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    questions = parser.add_subparsers(dest="question", required=True)
    what = questions.add_parser("support", help="我能申请什么？ What can I apply for?")
    what.add_argument("--persona", required=True, help="who consents (kaimen persona list)")
    what.add_argument("--id-number", required=True)
    what.add_argument("--name", required=True)
    what.add_argument("--apply", default="", help="apply for one of the offers")
    birth = questions.add_parser("birth", help="孩子出生了，要办什么？ A child is born: what is to be done?")
    birth.add_argument("form", type=Path)
    birth.add_argument(
        "--scenario", default="", help="a scenario of the sandbox, insurance-down for instance"
    )
    case = questions.add_parser("case", help="办到哪一步了？ How far is it?")
    case.add_argument("number")
    case.add_argument("--resume", action="store_true", help="go on with what is open")
    return parser


def _support(app: Kaimen, options: argparse.Namespace) -> int:
    citizen = support.Citizen(options.id_number, options.name)
    in_english = options.language == "en"
    if options.apply:
        number = support.apply(app, citizen, options.apply)
        print(f"Applied: {number}" if in_english else f"已申请：{number}")
        return DONE
    token = consent.ask_persona(options.persona, options.language)
    found = 0
    with consent.as_citizen(token, options.language) as own:
        for offer in support.offers(app, own, citizen, _DATE):
            name, why = (offer.english_name, offer.why[1]) if in_english else (offer.name, offer.why[0])
            print(f"{'✓' if offer.is_open else '✗'} {offer.code:24} {name}  {why}")
            found += offer.is_open
    if not found:
        print("Nothing that you could apply for." if in_english else "目前没有可申请的项目。")
    return DONE if found else OPEN


def _birth(app: Kaimen, options: argparse.Namespace) -> int:
    if options.question == "birth":
        form = json.loads(options.form.read_text(encoding="utf-8"))
        case = app.newborn.case.create(form, options={"scenario": options.scenario})
    elif options.resume:
        case = app.newborn.case.resume(options.number)
    else:
        case = app.newborn.case.get(options.number)
    print(f"{case.number}  {case.status}")
    for item in case.items:
        _show(item)
    if case.next:
        print(f"→ {case.next}")
    return DONE if case.status == "done" else OPEN


def _show(item: models.Item) -> None:
    got = "  ".join(f"{name}={value}" for name, value in (item.result or {}).items())
    print(f"  {_MARKS.get(str(item.status), '…')} {item.title}  {got}".rstrip())
    if item.problem is not None:
        print(f"      {item.problem.title}  {item.problem.next or ''}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
