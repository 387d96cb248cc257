"""What package managers ask for, as documents: a simple index, an npm packument, Maven metadata, a Go module list.

Source: PEP 503, PEP 658 (not offered); npm's registry API, "package metadata"; Maven 2 repository layout and repository
metadata 1.1; go.dev/ref/mod#goproxy-protocol. Pure functions of releases; who may see them is decided before.
"""

import html
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from msgspec import Struct

from api.downloads.builder import Made
from api.downloads.versions import read


class Edition(Struct, frozen=True):
    """One version of a package in one language."""

    release_id: str
    package: str
    version: str
    made_at: str
    made: Made


def sorted_editions(editions: Sequence[Edition]) -> list[Edition]:
    """Oldest version first."""
    return sorted(editions, key=lambda one: read(one.version))


# --- pip ----------------------------------------------------------------------------------------
def simple_root(names: Sequence[str]) -> bytes:
    """The list of projects."""
    links = "".join(f'<a href="{html.escape(one)}/">{html.escape(one)}</a><br>\n' for one in sorted(names))
    return _simple_page("Simple index", links)


def simple_project(name: str, editions: Sequence[Edition]) -> bytes:
    """The files of a project, with their digests and the Python that they need."""
    lines = []
    for one in sorted_editions(editions):
        needs = html.escape(str(one.made.facts.get("requires_python", "")))
        for file, facts in sorted(one.made.files.items()):
            if file.endswith((".whl", ".tar.gz")):
                address = f"../../files/{one.release_id}/python/{html.escape(file)}#sha256={facts.sha256}"
                lines.append(
                    f'<a href="{address}" data-requires-python="{needs}">{html.escape(file)}</a><br>\n'
                )
    return _simple_page(html.escape(name), "".join(lines))


def _simple_page(title: str, body: str) -> bytes:
    head = f'<head><meta charset="utf-8"><meta name="pypi:repository-version" content="1.0"><title>{title}</title></head>'
    return f"<!DOCTYPE html>\n<html>{head}<body>\n{body}</body></html>\n".encode()


# --- npm ----------------------------------------------------------------------------------------
def packument(name: str, editions: Sequence[Edition], base: str) -> bytes:
    """Everything about a package; `base` is the registry's address, without a slash at its end."""
    ordered = sorted_editions(editions)
    versions: dict[str, Any] = {}
    for one in ordered:
        facts = one.made.facts
        address = f"{base}/{name}/-/{facts['tarball']}"
        dist = {"tarball": address, "integrity": facts["integrity"], "shasum": facts["shasum"]}
        versions[one.version] = {**facts["manifest"], "_id": f"{name}@{one.version}", "dist": dist}
    return msgspec.json.encode(
        {
            "_id": name, "name": name, "dist-tags": {"latest": ordered[-1].version}, "versions": versions,
            "time": {one.version: one.made_at for one in ordered},
        }
    )  # fmt: skip


# --- Maven ----------------------------------------------------------------------------------------
def maven_metadata(group: str, artifact: str, editions: Sequence[Edition]) -> bytes:
    """maven-metadata.xml of an artifact."""
    ordered = sorted_editions(editions)
    listed = "".join(f"      <version>{escape(one.version)}</version>\n" for one in ordered)
    latest = escape(ordered[-1].version)
    stamp = "".join(char for char in ordered[-1].made_at if char.isdigit())[:14]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<metadata>\n'
        f"  <groupId>{escape(group)}</groupId>\n  <artifactId>{escape(artifact)}</artifactId>\n  <versioning>\n"
        f"    <latest>{latest}</latest>\n    <release>{latest}</release>\n    <versions>\n{listed}    </versions>\n"
        f"    <lastUpdated>{stamp}</lastUpdated>\n  </versioning>\n</metadata>\n"
    ).encode()


# --- Go -----------------------------------------------------------------------------------------
def go_list(editions: Sequence[Edition]) -> bytes:
    """The versions of a module, one a line."""
    return "".join(f"v{one.version}\n" for one in sorted_editions(editions)).encode()
