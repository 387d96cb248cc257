"""What goes with the archives: checksums, their signature, a bill of materials.

Source: sha256sum's format; RFC 8032 (Ed25519); CycloneDX 1.6.
"""

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct


class Component(Struct, frozen=True):
    """A package that the SDK needs at run time."""

    name: str
    version: str
    purl: str
    licence: str = ""


def checksums_of(files: Mapping[str, bytes]) -> bytes:
    """SHA256SUMS: what `sha256sum --check` reads."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def signature_of(data: bytes, key: Ed25519PrivateKey) -> bytes:
    """The detached signature, base64 on one line."""
    return base64.b64encode(key.sign(data)) + b"\n"


def is_signed(data: bytes, signature: bytes, key: Ed25519PublicKey) -> bool:
    """Whether the signature is this key's over this data."""
    try:
        key.verify(base64.b64decode(signature, validate=False), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """The public key, as the download page shows it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def bill_of_materials(
    name: str, version: str, purl: str, components: tuple[Component, ...], contracts: Mapping[str, str]
) -> bytes:
    """CycloneDX JSON. `contracts`: the service versions that it was made from and their digests. No time, no serial
    number, so that the same package has the same bill.
    """
    made = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "component": {
                "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "properties": [{"name": f"kaimen:contract:{key}", "value": contracts[key]} for key in sorted(contracts)],
            }
        },
        "components": [
            {
                "type": "library", "bom-ref": one.purl, "name": one.name, "version": one.version, "purl": one.purl,
                **({"licenses": [{"license": {"id": one.licence}}]} if one.licence else {}),
            }
            for one in components
        ],
        "dependencies": [{"ref": purl, "dependsOn": [one.purl for one in components]}],
    }  # fmt: skip
    return (json.dumps(made, ensure_ascii=False, indent=2) + "\n").encode()
