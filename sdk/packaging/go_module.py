"""The zip, mod and info files of a Go module, as a GOPROXY serves them. Source: go.dev/ref/mod#zip-files, #goproxy-protocol."""

import base64
import hashlib
import json

from sdk.packaging.archives import Files, zip_of


def zip_of_module(module: str, version: str, files: Files) -> bytes:
    """Every file below `module@version/`; `version` begins with `v`."""
    return zip_of({f"{module}@{version}/{path}": data for path, data in files.items()})


def info_of(version: str) -> bytes:
    """The .info file: version and a fixed time, so that it never changes."""
    return json.dumps({"Version": version, "Time": "2000-01-01T00:00:00Z"}).encode()


def escaped(module: str) -> str:
    """A module path in a proxy's address: capitals are written `!` and the small letter."""
    return "".join(f"!{char.lower()}" if char.isupper() else char for char in module)


def hash1_of(module: str, version: str, files: Files) -> str:
    """The module's `h1:` hash, as go.sum states it. Source: golang.org/x/mod/sumdb/dirhash Hash1."""
    lines = "".join(
        f"{hashlib.sha256(files[path]).hexdigest()}  {module}@{version}/{path}\n"
        for path in sorted(files, key=lambda one: f"{module}@{version}/{one}")
    )
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()
