"""The Maven package: jar, sources and pom, as a Maven 2 repository serves them. Checksums and maven-metadata.xml are
the registry's: they say what it has.

The same sources and the same javac give the same bytes. Where there is no JDK there are sources and pom, and both the
pom and the facts say so. Source: maven.apache.org/pom.html; the JAR file specification; JLS 17 §7.3.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from xml.sax.saxutils import escape

from msgspec import Struct

from sdk.escaping import visible
from sdk.java.naming import package_name
from sdk.model import SdkModel
from sdk.packaging.archives import Files, zip_of

GROUP = "gov.kaimen.sdk"
JAVA_RELEASE = "17"
_WAIT_SECONDS = 300
# for one short compilation: no compiler of compilers, one collector; none of it changes the classes
_JVM = ("-J-Xmx768m", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", "-J-Xshare:auto")
_UNCOMPILED = "The server that made this package has no JDK: it holds sources only; compile them with javac 17 or later."


class Emitter(Protocol):
    """sdk.java.emitter."""

    def emit(self, model: SdkModel, *, artifact: str, version: str) -> dict[str, str]: ...


class MavenPackage(Struct, frozen=True):
    """Files by name, and what the registry has to know: `compiled_by` is "" where there are sources alone."""

    files: dict[str, bytes]
    facts: dict[str, Any]


class CompilationError(Exception):
    """Generated sources that javac refuses: a fault of ours, never of who asked."""


def made(model: SdkModel, emitter: Emitter, package: str, version: str) -> MavenPackage:
    """`PACKAGE-VERSION.jar`, `-sources.jar` and `.pom` of the model. Raises CompilationError."""
    artifact = f"{GROUP}:{package}"
    sources = {
        path: text.encode() for path, text in emitter.emit(model, artifact=artifact, version=version).items()
    }
    summary = "Client of " + ", ".join(one.key for one in model.services)
    javac = shutil.which("javac")
    classes, compiler = compiled(sources, javac) if javac is not None else ({}, "")
    pom = pom_of(package, version, summary if compiler else f"{summary}. {_UNCOMPILED}")
    files = {
        f"{package}-{version}.pom": pom,
        f"{package}-{version}-sources.jar": jar_of(package, version, sources, pom),
    }
    if compiler:
        files[f"{package}-{version}.jar"] = jar_of(package, version, classes, pom)
    return MavenPackage(
        files, {"compiled_by": compiler, "java": JAVA_RELEASE, "note": "" if compiler else _UNCOMPILED}
    )


def _environment() -> dict[str, str]:
    """Nothing of ours but where programs are; class files may have Chinese names, so the locale is UTF-8."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME", "TMPDIR") if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8"}


def compiled(sources: Files, javac: str) -> tuple[dict[str, bytes], str]:
    """Class files by path, and what made them (`javac 17.0.15`); ({}, "") where that is too old or does not run.

    Raises CompilationError where the sources are refused.
    """
    with tempfile.TemporaryDirectory(prefix="kaimen-java-") as name:
        folder = Path(name)
        source, target, listing = folder / "src", folder / "classes", folder / "sources.txt"
        target.mkdir()
        for path, data in sources.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_bytes(data)
        listing.write_text("".join(f'"src/{path}"\n' for path in sorted(sources)), encoding="utf-8")
        command = [
            javac, *_JVM, "-version", "--release", JAVA_RELEASE, "-encoding", "UTF-8", "-proc:none", "-nowarn",
            "-d", "classes", "@sources.txt",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, cwd=folder, env=_environment(), capture_output=True, text=True, encoding="utf-8",
                errors="replace", timeout=_WAIT_SECONDS, check=False,
            )  # fmt: skip
        except OSError:
            return {}, ""
        except subprocess.TimeoutExpired as error:
            raise CompilationError(f"javac took more than {_WAIT_SECONDS} s") from error
        said = done.stdout.strip().partition("\n")[0]
        if not _is_enough(said):
            return {}, ""
        if done.returncode:
            raise CompilationError((done.stdout + done.stderr)[:4000])
        made = {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*.class")}
        return made, said


def _is_enough(said: str) -> bool:
    major = said.removeprefix("javac ").partition(".")[0].partition("-")[0]
    return said.startswith("javac ") and major.isdigit() and int(major) >= int(JAVA_RELEASE)


def jar_of(package: str, version: str, files: Files, pom: bytes) -> bytes:
    """A jar with a manifest and its pom."""
    manifest = (
        "Manifest-Version: 1.0\r\n"
        f"Automatic-Module-Name: {package_name(f'{GROUP}:{package}')}\r\n"
        f"Implementation-Version: {version}\r\n\r\n"
    )
    everything: Mapping[str, bytes] = {
        **files,
        "META-INF/MANIFEST.MF": manifest.encode(),
        f"META-INF/maven/{GROUP}/{package}/pom.xml": pom,
    }
    return zip_of(everything)


def pom_of(package: str, version: str, summary: str) -> bytes:
    """pom.xml without dependencies."""
    about = escape(" ".join(visible(summary).split())[:1000])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<project xmlns="http://maven.apache.org/POM/4.0.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd">\n'
        "  <modelVersion>4.0.0</modelVersion>\n"
        f"  <groupId>{GROUP}</groupId>\n  <artifactId>{escape(package)}</artifactId>\n"
        f"  <version>{escape(version)}</version>\n  <packaging>jar</packaging>\n"
        f"  <name>{GROUP}:{escape(package)}</name>\n  <description>{about}</description>\n"
        "  <licenses>\n    <license>\n      <name>Apache-2.0</name>\n"
        "      <url>https://www.apache.org/licenses/LICENSE-2.0.txt</url>\n    </license>\n  </licenses>\n"
        "  <properties>\n"
        f"    <maven.compiler.release>{JAVA_RELEASE}</maven.compiler.release>\n"
        "    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>\n  </properties>\n</project>\n"
    ).encode()
