"""The builder of SDKs: a worker process for each build, ended when it takes too long, and the signing key."""

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.core.crypto import Vault
from api.downloads.builder import BuildError, Decision, Made, Order, Plan

_SECONDS = 120.0
_LINE_BYTES = 64 * 1024 * 1024
_CONTEXT = "sdk:signing-key"
_KEY_FILE = "signing-key.sealed"


class WorkerBuilder:
    """Builds by `python -m sdk.worker`: nothing of the generators is loaded into this process but their names."""

    def __init__(self, home: Path, vault: Callable[[], Vault]) -> None:
        self._home = home
        self._vault = vault
        self._key: Ed25519PrivateKey | None = None

    def languages(self) -> tuple[str, ...]:
        return tuple(_building().languages())

    def generator_digest(self, language: str) -> str:
        return str(_building().generator_digest(language))

    def name_of(self, language: str, package: str, version: str) -> str:
        return str(_building().package_name(language, package, version))

    async def build(
        self,
        order: Order,
        folder: Path,
        decide: Callable[[Plan], Awaitable[Decision]],
        step: Callable[[str], None],
    ) -> Made | None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sdk.worker", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, limit=_LINE_BYTES, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        try:
            async with asyncio.timeout(_SECONDS):
                return await _converse(process, order, folder, decide, step)
        except TimeoutError as error:
            raise BuildError("timeout", f"no end after {_SECONDS:.0f} s") from error
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def checksums_of(self, folder: Path, names: list[str]) -> bytes:
        manifest = importlib.import_module("sdk.packaging.manifest")
        return bytes(manifest.checksums_of({name: (folder / name).read_bytes() for name in names}))

    def sign(self, data: bytes) -> bytes:
        manifest = importlib.import_module("sdk.packaging.manifest")
        return bytes(manifest.signature_of(data, self._signing_key()))

    def public_key(self) -> bytes:
        manifest = importlib.import_module("sdk.packaging.manifest")
        return bytes(manifest.public_pem(self._signing_key()))

    def _signing_key(self) -> Ed25519PrivateKey:
        """Made at first use, sealed by the installation's vault."""
        if self._key is None:
            path = self._home / _KEY_FILE
            if not path.exists():
                self._home.mkdir(parents=True, exist_ok=True)
                sealed = self._vault().seal(Ed25519PrivateKey.generate().private_bytes_raw(), _CONTEXT)
                try:
                    with path.open("x") as file:
                        file.write(sealed)
                    path.chmod(0o600)
                except FileExistsError:
                    pass  # another process was first
            self._key = Ed25519PrivateKey.from_private_bytes(self._vault().open(path.read_text(), _CONTEXT))
        return self._key


def _building() -> Any:
    return importlib.import_module("sdk.building")  # heavy: at first use


async def _converse(
    process: asyncio.subprocess.Process, order: Order, folder: Path,
    decide: Callable[[Plan], Awaitable[Decision]], step: Callable[[str], None],
) -> Made | None:  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    written = msgspec.to_builtins(order) | {"folder": str(folder)}
    process.stdin.write(msgspec.json.encode(written) + b"\n")
    await process.stdin.drain()
    while line := await process.stdout.readline():
        said = msgspec.json.decode(line)
        if "step" in said:
            step(said["step"])
        elif "plan" in said:
            decision = await decide(msgspec.convert(said["plan"], Plan))
            process.stdin.write(msgspec.json.encode(decision) + b"\n")
            await process.stdin.drain()
            if not decision.version:
                return None
        else:
            return msgspec.convert(said["done"], Made)
    assert process.stderr is not None
    fault = (await process.stderr.read()).decode(errors="replace")
    raise BuildError("failed", fault[-4000:] or "the worker ended without an answer")
