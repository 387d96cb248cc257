"""Contracts, a choice of operations and a language into the files of a package: everything but who may have it.

The same order and the same version give the same bytes. What a language's archives look like stands in sdk.packaging.
"""

import hashlib
import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from api.contract import diff
from api.contract.model import Level, Service
from sdk.escaping import in_words
from sdk.model import SdkModel
from sdk.modelling import model_of
from sdk.packaging.archives import Files
from sdk.packaging.manifest import Component, bill_of_materials

LANGUAGES = ("python", "typescript", "java", "go")
_MODULES = {one: f"sdk.{one}.emitter" for one in LANGUAGES} | {"maven": "sdk.packaging.maven"}
_HOME = Path(__file__).parent
_CHANGES = 200  # told of one release


class Choice(Struct, frozen=True):
    """What goes into a package: operations and the highest level of fields, by service key (`company@v1`)."""

    operations: dict[str, tuple[str, ...]]
    levels: dict[str, Level]


class Made(Struct, frozen=True):
    """The files of one language, and what its registry has to know beside them."""

    name: str  # as the language's registry knows it
    files: dict[str, bytes]
    facts: dict[str, Any] = {}


class Told(Struct, frozen=True):
    """One difference to the release before, in both languages."""

    severity: str
    service: str
    zh: str
    en: str


def languages() -> tuple[str, ...]:
    """The languages that this build can make."""
    return tuple(one for one in LANGUAGES if _is_there(one) and (one != "java" or _is_there("maven")))


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(_MODULES[name]) is not None
    except ModuleNotFoundError:
        return False


@cache
def generator_digest(language: str) -> str:
    """What makes the packages of a language, as one digest: what all share, its emitter and its shipped runtime."""
    found = hashlib.sha256()
    shared = [*_HOME.glob("*.py"), *(_HOME / "packaging").glob("*.py")]
    for path in sorted([*shared, *(_HOME / language).rglob("*")]):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(path.relative_to(_HOME).as_posix().encode() + b"\0")
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def model_for(services: Sequence[Service], choice: Choice) -> SdkModel:
    """The model of exactly this choice: nothing in it tells of what was left out."""
    model = model_of(services, chosen=choice.operations, max_level=Level.L3, levels=choice.levels)
    bare = tuple(msgspec.structs.replace(one, digest="") for one in model.services)
    return SdkModel(bare, model.types)


def unscoped(model: SdkModel) -> SdkModel:
    """The model of a whole service's package: it asks for no scopes, so a token opens what its app is subscribed to.

    An app's own package asks for the scopes of its operations; a subscriber to a part could get no token for all.
    """
    return msgspec.structs.replace(model, services=tuple(
        msgspec.structs.replace(service, resources=tuple(
            msgspec.structs.replace(resource, operations=tuple(
                msgspec.structs.replace(one, scopes=()) for one in resource.operations
            )) for resource in service.resources
        )) for service in model.services
    ))  # fmt: skip


def digest_of(model: SdkModel) -> str:
    """SHA-256 of the canonical model."""
    return hashlib.sha256(msgspec.json.encode(model, order="deterministic")).hexdigest()


# --- what changed ---------------------------------------------------------------------------------
def changes_between(
    old: Sequence[Service], new: Sequence[Service], before: Choice, after: Choice
) -> tuple[str, tuple[Told, ...]]:
    """The part of the version to raise (major, minor, patch), and what to tell of it."""
    found: list[Told] = []
    olds, news = {one.name: one for one in old}, {one.name: one for one in new}
    found += [
        Told("breaking", olds[name].key, f"不再包含服务 {name}。", f"The service {name} is no longer in it.")
        for name in sorted(olds.keys() - news.keys())
    ]
    found += [
        Told("compatible", news[name].key, f"新增服务 {name}。", f"The service {name} is new.")
        for name in sorted(news.keys() - olds.keys())
    ]
    for name in sorted(olds.keys() & news.keys()):
        found += _changes_of(olds[name], news[name], before, after)
    severities = {one.severity for one in found}
    part = "major" if "breaking" in severities else "minor" if "compatible" in severities else "patch"
    return part, tuple(found[:_CHANGES])


def _changes_of(old: Service, new: Service, before: Choice, after: Choice) -> list[Told]:
    had, has = set(before.operations.get(old.key, ())), set(after.operations.get(new.key, ()))
    found = [
        Told(one.severity, new.key, one.message.get("zh", ""), one.message.get("en", ""))
        for one in diff.compare(_cut(old, had), _cut(new, has))
    ]
    if after.levels.get(new.key, Level.L3) < before.levels.get(old.key, Level.L3):
        found.append(Told("breaking", new.key, "可用的字段变少。", "Fewer fields may be had."))
    return found


def _cut(service: Service, operations: set[str]) -> Service:
    kept = tuple(one for one in service.operations if one.id in operations)
    return msgspec.structs.replace(service, operations=kept)


# --- packages ---------------------------------------------------------------------------------------
def package_name(language: str, package: str, version: str = "1.0.0") -> str:
    """`company` as the registry of the language knows it."""
    if language == "go":
        major = int(version.partition(".")[0])
        return f"gov.kaimen/sdk/{package}" + (f"/v{major}" if major > 1 else "")
    return {
        "python": f"kaimen-{package}",
        "typescript": f"@kaimen/{package}",
        "java": f"gov.kaimen.sdk:{package}",
    }[language]


def make(model: SdkModel, language: str, package: str, version: str) -> Made:
    """The files of a package: archives as the registry serves them, and the bill of materials.

    Raises ValueError for a language that this build cannot make.
    """
    if language not in languages():
        raise ValueError(f"no packages are made for {language!r}")
    made = _MAKERS[language](model if package.startswith("app-") else unscoped(model), package, version)
    contracts = {one.key: one.release for one in model.services}
    bill = bill_of_materials(made.name, version, _purl(language, made.name, version), _needs(made), contracts)
    return Made(made.name, {**made.files, f"{package}-{version}.cdx.json": bill}, made.facts)


def _needs(made: Made) -> tuple[Component, ...]:
    """What a package needs at run time: the name of each requirement and, as its version, the range that it states."""
    found = []
    for one in made.facts.get("needs", ()):
        name = re.split(r"[^A-Za-z0-9._-]", str(one), maxsplit=1)[0]
        found.append(Component(name, str(one)[len(name) :].strip(), f"pkg:pypi/{name}"))
    return tuple(found)


def _purl(language: str, name: str, version: str) -> str:
    kind = {"python": "pypi", "typescript": "npm", "java": "maven", "go": "golang"}[language]
    path = name.replace("@", "%40").replace(":", "/")
    return f"pkg:{kind}/{path}@{'v' if language == 'go' else ''}{version}"


def readme_of(model: SdkModel, language: str, name: str, version: str) -> str:
    """README.md: what is in it, how it is installed, and where its documentation is."""
    lines = [f"# {name}", "", f"Version {version}. Made from the contracts; it holds no credential.", ""]
    for service in model.services:
        title = " ".join(in_words(service.title).split())
        lines += [f"## {_plain(service.key)} {_plain(title)}", "", f"Contract {_plain(service.release)}", ""]
        for resource in service.resources:
            for operation in resource.operations:
                about = " ".join(in_words(operation.text).split())
                lines.append(f"- {operation.http_method} {_plain(operation.id)} {_plain(about)}")
        lines.append("")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """A department's text in Markdown: printable, no markup of its own."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>#|!&" else char for char in text if char.isprintable())


def _encoded(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}


def _summary(model: SdkModel) -> str:
    return "Client of " + ", ".join(one.key for one in model.services)


def _typescript(model: SdkModel, package: str, version: str) -> Made:
    from sdk.packaging.npm_package import integrity_of, package_json, shasum_of, tgz_of
    from sdk.typescript.emitter import emit

    name = package_name("typescript", package)
    files = _encoded(emit(model, name=name, version=version))
    files["README.md"] = readme_of(model, "typescript", name, version).encode()
    manifest = package_json(name, version, _summary(model))
    file_name, data = tgz_of(name, version, manifest, files)
    facts = {
        "manifest": manifest,
        "integrity": integrity_of(data),
        "shasum": shasum_of(data),
        "tarball": file_name,
    }
    return Made(name, {file_name: data}, facts)


def _go(model: SdkModel, package: str, version: str) -> Made:
    from sdk.go.emitter import emit
    from sdk.packaging.go_module import hash1_of, info_of, zip_of_module

    name, tag = package_name("go", package, version), f"v{version}"
    files: Files = {
        **_encoded(emit(model, module=name, version=version)),
        "README.md": readme_of(model, "go", name, version).encode(),
    }
    made = {
        f"{tag}.zip": zip_of_module(name, tag, files),
        f"{tag}.mod": files["go.mod"],
        f"{tag}.info": info_of(tag),
    }
    return Made(name, made, {"h1": hash1_of(name, tag, files)})


def _python(model: SdkModel, package: str, version: str) -> Made:
    emitter = importlib.import_module("sdk.python.emitter")
    from sdk.packaging.python_dist import PythonProject, sdist_of, wheel_of

    name = package_name("python", package)
    files = _encoded(emitter.emit(model, name=name, version=version))
    readme = readme_of(model, "python", name, version)
    project: PythonProject = emitter.project_of(name, version, _summary(model), readme)
    wheel, sdist = wheel_of(project, files), sdist_of(project, files)
    needs = list(project.dependencies)
    return Made(name, dict([wheel, sdist]), {"requires_python": project.requires_python, "needs": needs})


def _java(model: SdkModel, package: str, version: str) -> Made:
    emitter, maven = (
        importlib.import_module("sdk.java.emitter"),
        importlib.import_module("sdk.packaging.maven"),
    )
    name = package_name("java", package)
    made: Made = maven.made(model, emitter, package, version)
    return Made(name, dict(made.files), dict(made.facts))


_MAKERS: dict[str, Callable[[SdkModel, str, str], Made]] = {
    "python": _python, "typescript": _typescript, "java": _java, "go": _go,
}  # fmt: skip
