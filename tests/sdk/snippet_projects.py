"""The samples of services as programs on disk, in one project for each language, beside the packages that they use."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from api.contract.model import Service
from sdk.building import unscoped
from sdk.go.emitter import emit as emit_go
from sdk.java.emitter import emit as emit_java
from sdk.model import SdkModel
from sdk.modelling import model_of
from sdk.python.emitter import emit as emit_python
from sdk.samples import APP_PACKAGE, packages_of, service_samples
from sdk.typescript.emitter import emit as emit_typescript
from tests.sdk import corpus, java_tools

_MODULES = corpus.ROOT / "tests" / "witness" / "node_modules"
_TS_OPTIONS = {
    "strict": True, "exactOptionalPropertyTypes": True, "noUncheckedIndexedAccess": True, "module": "nodenext",
    "target": "es2022", "types": ["node"], "typeRoots": [str(_MODULES / "@types")], "outDir": "out",
}  # fmt: skip
_SECONDS = 900
Opened = Mapping[str, Collection[str]]  # operations by service key


def sources(services: Sequence[Service], label: str) -> dict[str, tuple[str, str, str]]:
    """Program name -> (service, operation, source) in a language; each service's app has a package of its own."""
    found = {}
    for place, service in enumerate(services):
        for name, made in service_samples(service, base_url="http://127.0.0.1:1").items():
            source = next((one.source for one in made if one.label == label), None)
            if source is None:  # no SDK holds it: it is shown with JavaScript's standard library
                continue
            own = source.replace("0a1b2c3d", f"{place:08x}")
            found[f"s{len(found):04d}"] = (service.name, name, own)
    return found


def packages(services: Sequence[Service], opened: Opened | None = None) -> list[tuple[str, SdkModel]]:
    """The packages that the samples name. `opened`: what the app of each service may call, all where it is not said."""
    made = []
    for place, service in enumerate(services):
        for name, model in packages_of(service):
            is_cut = name == APP_PACKAGE and opened is not None
            cut = model_of([service], chosen=opened) if is_cut else unscoped(model)
            made.append((name.replace(APP_PACKAGE, f"app-{place:08x}"), cut))
    return made


def _is_open(program: tuple[str, str, str], services: Sequence[Service], opened: Opened | None) -> bool:
    name, operation, _ = program
    key = next(one.key for one in services if one.name == name)
    return opened is None or operation in opened[key]


def _put(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def run(command: Sequence[str], folder: Path, **environ: str) -> str:
    done = subprocess.run(
        list(command), cwd=folder, env=os.environ | {"LC_ALL": "C.UTF-8"} | environ, capture_output=True, text=True,
        encoding="utf-8", timeout=_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


def python(
    folder: Path, services: Sequence[Service], *, is_typed: bool = True, opened: Opened | None = None
) -> None:
    for name, model in packages(services, opened):
        _put(folder, emit_python(model, name=f"kaimen-{name}", version="1.0.0"))
    programs = {
        name: one for name, one in sources(services, "Python").items() if _is_open(one, services, opened)
    }
    _put(folder, {f"{name}.py": source for name, (_, _, source) in programs.items()})
    if is_typed:
        options = (
            "--strict",
            "--no-error-summary",
            "--python-version=3.11",
            f"--cache-dir={folder / '.mypy_cache'}",
        )
        run([sys.executable, "-m", "mypy", *options, *(f"{name}.py" for name in programs)], folder)


def typescript(folder: Path, services: Sequence[Service], *, opened: Opened | None = None) -> None:
    for name, model in packages(services, opened):
        place = folder / "node_modules" / "@kaimen" / name
        _put(place, emit_typescript(model, name=f"@kaimen/{name}", version="1.0.0"))
        exports = {".": {"types": "./index.d.ts", "default": "./index.js"}}
        _put(
            place,
            {"package.json": json.dumps({"name": f"@kaimen/{name}", "type": "module", "exports": exports})},
        )
    programs = sources(services, "TypeScript")
    _put(folder, {f"{name}.ts": one[2] for name, one in programs.items() if _is_open(one, services, opened)})
    _put(
        folder,
        {
            "package.json": '{"type": "module"}',
            "tsconfig.json": json.dumps({"compilerOptions": _TS_OPTIONS, "include": ["*.ts"]}),
        },
    )
    run(["node", str(_MODULES / "typescript" / "bin" / "tsc"), "-p", "."], folder)


def java(folder: Path, services: Sequence[Service], *, opened: Opened | None = None) -> None:
    for name, model in packages(services, opened):
        _put(folder / "src", emit_java(model, artifact=f"gov.kaimen.sdk:{name}", version="1.0.0"))
    for name, one in sources(services, "Java").items():
        if not _is_open(one, services, opened):
            continue
        head, _, rest = one[2].partition("\n")
        _put(folder / "src", {f"{name}/Sample.java": f"{head}\npackage {name};\n{rest}"})
    java_tools.compile_all(folder / "src", folder / "classes")


def go(folder: Path, services: Sequence[Service], *verbs: str, opened: Opened | None = None) -> None:
    (folder / "go.mod").write_text("module gov.kaimen/sdk\n\ngo 1.21\n")
    for name, model in packages(services, opened):
        made = emit_go(model, module=f"gov.kaimen/sdk/{name}", version="1.0.0")
        _put(folder / name, {path: text for path, text in made.items() if path != "go.mod"})
    programs = {name: one for name, one in sources(services, "Go").items() if _is_open(one, services, opened)}
    _put(folder / "samples", {f"{name}/main.go": source for name, (_, _, source) in programs.items()})
    command = shutil.which("go") or "/usr/local/go/bin/go"
    run(
        [command, *(verbs or ("vet",)), "./samples/..."],
        folder,
        GOPROXY="off",
        GOFLAGS="-mod=mod",
        GOTOOLCHAIN="local",
    )
