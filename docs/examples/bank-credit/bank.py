"""A bank decides on a loan from what the company let it read. See README.md.

python bank.py --persona lin-xi --amount 2000000
python bank.py --browser --amount 2000000
"""

import argparse
import json
import os
import sys
from dataclasses import asdict

from decision import Decision, decide
from kaimen_bank import Bank, RefusedError

GRANTED, REFUSED, NOT_ASKED = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: a loan; 1: no loan; 2: the platform refused."""
    options = _options().parse_args(arguments)
    try:
        origin, client_id, secret = (
            os.environ[name] for name in ("KAIMEN_ORIGIN", "CLIENT_ID", "CLIENT_SECRET")
        )
    except KeyError as missing:
        sys.exit(f"set {missing.args[0]} (see README.md)")
    bank = Bank(origin, client_id, secret)
    try:
        if options.browser:
            consent = bank.ask_in_browser(
                options.port, lambda url: print(f"Open {url}", file=sys.stderr, flush=True)
            )
        else:
            consent = bank.ask_persona(options.persona, options.company, tuple(options.refuse))
        tax, report = bank.tax_paid(consent), bank.credit_report(consent)
    except RefusedError as refused:
        print(f"The platform refused.\n{refused}\nrequest {refused.request_id or '-'}", file=sys.stderr)
        return NOT_ASKED
    finally:
        bank.close()
    decision = decide(options.amount, tax, report)
    if options.json:
        print(json.dumps({"company": consent.company, **asdict(decision)}, ensure_ascii=False))
    else:
        _show(str(tax.get("name", consent.company)), decision)
    return GRANTED if decision.is_granted else REFUSED


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Decide on a loan to a company, with its consent.")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--persona", help="the representative, a persona of the sandbox (kaimen persona list)")
    who.add_argument("--browser", action="store_true", help="the representative decides on the consent page")
    parser.add_argument("--company", default="", help="credit code, where the persona may speak for several")
    parser.add_argument(
        "--refuse", action="append", default=[], help="a field the persona leaves unticked; repeatable"
    )
    parser.add_argument("--amount", type=int, default=1_000_000, help="yuan asked for")
    parser.add_argument("--port", type=int, default=8765, help="where the browser returns to")
    parser.add_argument("--json", action="store_true", help="print the decision as JSON")
    return parser


def _show(name: str, decision: Decision) -> None:
    if decision.is_granted:
        print(
            f"GRANTED  {name}: ¥{decision.amount_yuan:,} at {decision.rate_basis_points / 100:.2f} % a year"
        )
    else:
        print(f"REFUSED  {name}")
    for reason in decision.reasons:
        print(f"  · {reason}")


if __name__ == "__main__":
    sys.exit(main())
