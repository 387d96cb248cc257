"""The documentation site: docs/ and the reference that is generated from the code, built by mkdocs-material.

Generated are one page for each problem type, the settings, the commands, the lint rules, the contract profile
and the list of the platform API. `build_site` is strict: a broken link is a fault.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from api.main import reference
from api.settings import Settings

SOURCE = Path(__file__).resolve().parents[2] / "docs"


class BuiltSite(Struct, frozen=True):
    """Where the site is, whether it was built just now, and what went wrong."""

    path: Path
    is_new: bool
    faults: tuple[str, ...] = ()


def build_site(settings: Settings, *, force: bool = False) -> BuiltSite:
    """Build the site into KAIMEN_HOME/site; nothing is done where nothing changed since."""
    home = settings.home_path.resolve()
    site, stamp = home / "site", home / "site.stamp"
    if not SOURCE.is_dir():
        return BuiltSite(
            site, is_new=False, faults=("the source folder docs/ is not part of this installation",)
        )
    pages = reference.pages()
    mark = _digest(pages, settings.docs_url)
    if not force and site.is_dir() and stamp.is_file() and stamp.read_text() == mark:
        return BuiltSite(site, is_new=False)
    work = home / "docs-build"
    shutil.rmtree(work, ignore_errors=True)
    _lay_out(work, pages, settings.docs_url)
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-f", str(work / "mkdocs.yml"), "-d", str(work / "site")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        return BuiltSite(site, is_new=False, faults=tuple(lines[-40:]))
    shutil.rmtree(site, ignore_errors=True)
    (work / "site").replace(site)
    shutil.rmtree(work, ignore_errors=True)
    stamp.write_text(mark)
    return BuiltSite(site, is_new=True)


def _lay_out(work: Path, pages: dict[str, str], docs_url: str) -> None:
    shutil.copytree(SOURCE, work / "pages", ignore=shutil.ignore_patterns("mkdocs.yml", "examples"))
    for name, text in pages.items():
        target = work / "pages" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    configuration = f"site_url: {docs_url}/\n" + (SOURCE / "mkdocs.yml").read_text()
    problems = sorted(name for name in pages if name.startswith("problems/"))
    decisions = sorted(f"decisions/{path.name}" for path in (SOURCE / "decisions").glob("*.md"))
    configuration = configuration.replace("problems/", _as_list(problems)).replace(
        "decisions/", _as_list(decisions), 1
    )
    (work / "mkdocs.yml").write_text(configuration)


def _as_list(names: list[str]) -> str:
    first = [name for name in names if name.endswith("index.md")]
    return "\n" + "\n".join(
        f"      - {name}" for name in first + [name for name in names if name not in first]
    )


def _digest(pages: dict[str, str], docs_url: str) -> str:
    mark = hashlib.sha256(docs_url.encode() + msgspec.json.encode(pages, order="sorted"))
    for path in sorted(SOURCE.rglob("*")):
        if path.is_file():
            mark.update(str(path.relative_to(SOURCE)).encode() + b"\0" + path.read_bytes())
    return mark.hexdigest()
