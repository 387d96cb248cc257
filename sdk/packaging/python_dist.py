"""Wheel and sdist of a pure Python package. Source: PEP 427, PEP 517, PEP 639, PEP 643; the wheel's RECORD by PEP 376."""

import base64
import hashlib

from msgspec import Struct

from sdk.packaging.archives import Files, tar_gz_of, zip_of


class PythonProject(Struct, frozen=True):
    """What a distribution says of itself. `dependencies` are PEP 508 requirements."""

    name: str  # kaimen-company
    version: str
    summary: str
    readme: str
    requires_python: str
    dependencies: tuple[str, ...] = ()
    licence: str = "Apache-2.0"
    extras: dict[str, tuple[str, ...]] = {}  # optional requirements by the name that asks for them


def wheel_of(project: PythonProject, modules: Files) -> tuple[str, bytes]:
    """File name and bytes; `modules` are paths from the import root, `kaimen_company/__init__.py`."""
    folder = f"{_escaped(project.name)}-{project.version}.dist-info"
    files = dict(modules)
    files[f"{folder}/METADATA"] = _metadata(project).encode()
    files[f"{folder}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: kaimen\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = "".join(f"{path},{_digest(files[path])},{len(files[path])}\n" for path in sorted(files))
    files[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n".encode()
    return f"{_escaped(project.name)}-{project.version}-py3-none-any.whl", zip_of(files)


def sdist_of(project: PythonProject, modules: Files) -> tuple[str, bytes]:
    """File name and bytes. Its pyproject.toml builds the same modules with hatchling."""
    root = f"{_escaped(project.name)}-{project.version}"
    tops = sorted({path.partition("/")[0] for path in modules})
    files = dict(modules)
    files["pyproject.toml"] = _pyproject(project, tops).encode()
    files["README.md"] = project.readme.encode()
    files["PKG-INFO"] = _metadata(project).encode()
    return f"{root}.tar.gz", tar_gz_of(files, root)


def _escaped(name: str) -> str:
    return name.replace("-", "_").replace(".", "_").lower()


def _digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _line(text: str) -> str:
    return " ".join(text.split())


def _metadata(project: PythonProject) -> str:
    lines = [
        "Metadata-Version: 2.4", f"Name: {project.name}", f"Version: {project.version}",
        f"Summary: {_line(project.summary)[:512]}", f"License-Expression: {project.licence}",
        f"Requires-Python: {project.requires_python}",
        *(f"Requires-Dist: {one}" for one in project.dependencies),
        *(f"Provides-Extra: {name}" for name in sorted(project.extras)),
        *(
            f"Requires-Dist: {one}; extra == '{name}'"
            for name in sorted(project.extras) for one in project.extras[name]
        ),
        "Classifier: Typing :: Typed",
        "Description-Content-Type: text/markdown; charset=UTF-8",
    ]  # fmt: skip
    return "\n".join(lines) + "\n\n" + project.readme


def _pyproject(project: PythonProject, tops: list[str]) -> str:
    quoted = ", ".join(_toml(one) for one in project.dependencies)
    packages = ", ".join(_toml(one) for one in tops)
    extras = "".join(
        f"{name} = [{', '.join(map(_toml, project.extras[name]))}]\n" for name in sorted(project.extras)
    )
    extras = f"\n[project.optional-dependencies]\n{extras}" if extras else ""
    return (
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n[project]\n'
        f"name = {_toml(project.name)}\nversion = {_toml(project.version)}\n"
        f'description = {_toml(_line(project.summary)[:512])}\nreadme = "README.md"\n'
        f"license = {_toml(project.licence)}\nrequires-python = {_toml(project.requires_python)}\n"
        f"dependencies = [{quoted}]\n{extras}\n[tool.hatch.build.targets.wheel]\npackages = [{packages}]\n"
    )


def _toml(text: str) -> str:
    escaped = "".join(
        f"\\u{ord(char):04x}"
        if ord(char) < 32 or ord(char) == 127
        else f"\\{char}"
        if char in '"\\'
        else char
        for char in text
    )
    return f'"{escaped}"'
