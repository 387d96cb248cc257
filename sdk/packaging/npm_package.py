"""The npm package: a gzipped tar below `package/`. Source: npm's package.json and pack documentation."""

import base64
import hashlib
import json
from typing import Any

from sdk.packaging.archives import Files, tar_gz_of


def package_json(name: str, version: str, summary: str, *, node: str = ">=20") -> dict[str, Any]:
    """package.json of an ES module package whose entry is `index.js` with types beside it."""
    return {
        "name": name, "version": version, "description": " ".join(summary.split())[:512], "license": "Apache-2.0",
        "type": "module", "main": "./index.js", "types": "./index.d.ts", "sideEffects": False,
        "exports": {".": {"types": "./index.d.ts", "default": "./index.js"}, "./package.json": "./package.json"},
        "engines": {"node": node},
    }  # fmt: skip


def tgz_of(name: str, version: str, manifest: dict[str, Any], files: Files) -> tuple[str, bytes]:
    """File name (`kaimen-company-1.0.0.tgz`) and bytes."""
    everything = dict(files)
    everything["package.json"] = (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()
    flat = name.removeprefix("@").replace("/", "-")
    return f"{flat}-{version}.tgz", tar_gz_of(everything, "package")


def integrity_of(data: bytes) -> str:
    """Subresource integrity, as registries state it: `sha512-…`."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def shasum_of(data: bytes) -> str:
    """The SHA-1 that older npm clients compare; integrity is what counts."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
