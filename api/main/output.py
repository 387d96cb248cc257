"""What commands print: for people a short text or table, for scripts one JSON object with `--json`.

Exit codes: 0 done · 1 refused or failed (the reason is printed) · 2 wrong usage · 3 the server cannot be reached.
"""

import json
import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import click

FAILED, USAGE, UNREACHABLE = 1, 2, 3


def accept_language() -> str:
    """What to ask servers for: Chinese in a Chinese locale, else English, the language of this command's own words."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def print_json(value: Any) -> None:
    """One JSON object on one line, UTF-8, keys in the order given."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def fail(message: str, *, following: str = "", code: int = FAILED) -> NoReturn:
    """Tell what went wrong and what to do next on standard error, and end with the code."""
    click.echo(f"✗ {message}", err=True)
    if following:
        click.echo(f"  → {following}", err=True)
    sys.exit(code)


def fail_with_problem(problem: Mapping[str, Any], *, as_json: bool) -> NoReturn:
    """Show a problem+json answer in words (or as it is, with `--json`) and end with code 1."""
    if as_json:
        print_json(problem)
        sys.exit(FAILED)
    click.echo(f"✗ {problem.get('title', 'refused')}: {problem.get('detail', '')}", err=True)
    for error in problem.get("errors", []):
        click.echo(f"  · {error.get('pointer', '')} {error.get('message', '')}", err=True)
    if problem.get("next"):
        click.echo(f"  → {problem['next']}", err=True)
    if problem.get("request_id"):
        click.echo(f"  request {problem['request_id']}", err=True)
    sys.exit(FAILED)


def width_of(text: str) -> int:
    """Columns that a terminal gives to the text: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str) -> None:
    """A plain table of the named columns; `empty` is said when there are no rows."""
    if not rows:
        click.echo(empty)
        return
    lines = [[column.upper() for column in columns]]
    lines += [[str(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(width_of(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        padded = (text + " " * (width - width_of(text)) for text, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())
