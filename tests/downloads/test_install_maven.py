"""Maven resolves pom and jar from a running server, checksums compared, with and without a read token.

No plugin is needed for it: a build extension is resolved by Maven itself, jar and all, before the first phase.
"""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.downloads.test_install import built, fetch, offers, run
from tests.server import Installation, RunningServer


@pytest.fixture(autouse=True)
def _java(server: RunningServer) -> None:
    if not offers(server, "java"):
        pytest.skip("this build makes no Java packages")


def resolve(folder: Path, url: str, artifact: str, version: str, token: str = "") -> Path:
    found = shutil.which("mvn")
    assert found is not None, "maven is installed by `make system`"
    repository = (
        f"<url>{url}/sdk/maven</url><releases><checksumPolicy>fail</checksumPolicy></releases>"
        "<snapshots><enabled>false</enabled></snapshots>"
    )
    (folder / "pom.xml").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>use</groupId><artifactId>use</artifactId><version>1</version><packaging>pom</packaging>"
        f"<repositories><repository><id>central</id>{repository}</repository></repositories>"
        f"<pluginRepositories><pluginRepository><id>central</id>{repository}</pluginRepository></pluginRepositories>"
        "<build><extensions><extension><groupId>gov.kaimen.sdk</groupId>"
        f"<artifactId>{artifact}</artifactId><version>{version}</version></extension></extensions></build></project>"
    )
    _stand_in(folder / "repository", "org.codehaus.plexus", "plexus-utils", "1.1")
    server = f"<server><id>central</id><username>kaimen</username><password>{token}</password></server>"
    (folder / "settings.xml").write_text(f"<settings><servers>{server if token else ''}</servers></settings>")
    run(
        found,
        "-B",
        "-s",
        "settings.xml",
        f"-Dmaven.repo.local={folder / 'repository'}",
        "validate",
        cwd=folder,
    )
    return folder / "repository" / "gov" / "kaimen" / "sdk" / artifact / version


def _stand_in(repository: Path, group: str, artifact: str, version: str) -> None:
    """What Maven adds to every extension by itself: an empty one, as from `mvn install`, so that no other host is asked."""
    folder = repository.joinpath(*group.split("."), artifact, version)
    folder.mkdir(parents=True)
    (folder / f"{artifact}-{version}.pom").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></project>"
    )
    with zipfile.ZipFile(folder / f"{artifact}-{version}.jar", "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n")


@pytest.mark.full
def test_maven_resolves_a_public_package(server: RunningServer, tmp_path: Path) -> None:
    status, _, body = fetch(f"{server.url}/sdk/maven/gov/kaimen/sdk/company/maven-metadata.xml")
    assert status == 200, body
    version = body.decode().partition("<release>")[2].partition("<")[0]
    folder = resolve(tmp_path, server.url, "company", version)
    with zipfile.ZipFile(folder / f"company-{version}.jar") as jar:
        assert "gov/kaimen/sdk/company/Kaimen.class" in jar.namelist()


def test_maven_resolves_an_apps_package_with_its_token(
    server: RunningServer, installation: Installation, app: dict[str, Any], token: str, tmp_path: Path
) -> None:
    made = built(installation, app, "java")
    artifact = made["package"].partition(":")[2]
    folder = resolve(tmp_path, server.url, artifact, made["version"], token)
    assert (folder / f"{artifact}-{made['version']}.jar").exists()
    assert json.loads(fetch(f"{server.url}/sdk/maven/gov/kaimen/sdk/{artifact}/maven-metadata.xml")[2])[
        "next"
    ]
