"""The Maven package: a jar that javac and java use, the same bytes twice, and sources alone where there is no JDK."""

import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from api.contract.build import service_of
from api.contract.load import load_path
from api.contract.normalise import normalise
from sdk.java import emitter
from sdk.model import SdkModel
from sdk.modelling import model_of
from sdk.packaging import maven
from tests.sdk import java_tools

CONTRACT = Path(__file__).parent / "conformance" / "contract.yaml"
USE = """
import gov.kaimen.sdk.app1a2b3c4d.*;

final class Use {
    public static void main(String[] arguments) {
        Kaimen client = Kaimen.builder().clientId("kt_1").clientSecret("kts_hidden").build();
        System.out.println(client + " " + Kaimen.VERSION);
    }
}
"""


@pytest.fixture(scope="module")
def model() -> SdkModel:
    document = load_path(CONTRACT).document
    assert document is not None
    return model_of([service_of(normalise(document).document)])


@pytest.fixture(scope="module")
def package(model: SdkModel) -> maven.MavenPackage:
    return maven.made(model, emitter, "app-1a2b3c4d", "1.4.0")


def test_a_program_is_compiled_and_run_against_the_jar(package: maven.MavenPackage, tmp_path: Path) -> None:
    jar = tmp_path / "sdk.jar"
    jar.write_bytes(package.files["app-1a2b3c4d-1.4.0.jar"])
    (tmp_path / "Use.java").write_text(USE, encoding="utf-8")
    java_tools.run(
        "javac", "-Xlint:all", "-Werror", "-cp", str(jar), "-d", str(tmp_path), str(tmp_path / "Use.java")
    )
    said = java_tools.run("java", "-cp", f"{jar}:{tmp_path}", "Use")
    assert said.strip() == "Kaimen{baseUrl=http://127.0.0.1:8000, clientId=kt_1} 1.4.0"


def test_the_same_model_gives_the_same_bytes(model: SdkModel, package: maven.MavenPackage) -> None:
    assert maven.made(model, emitter, "app-1a2b3c4d", "1.4.0").files == package.files


def test_sources_and_pom_are_whole(package: maven.MavenPackage) -> None:
    with zipfile.ZipFile(io.BytesIO(package.files["app-1a2b3c4d-1.4.0-sources.jar"])) as archive:
        names = archive.namelist()
        assert names[0] == "META-INF/MANIFEST.MF"
        assert b"Automatic-Module-Name: gov.kaimen.sdk.app1a2b3c4d" in archive.read(names[0])
    assert "gov/kaimen/sdk/app1a2b3c4d/Kaimen.java" in names
    pom = ET.fromstring(package.files["app-1a2b3c4d-1.4.0.pom"])
    space = "{http://maven.apache.org/POM/4.0.0}"
    found = [pom.findtext(space + name) for name in ("groupId", "artifactId", "version")]
    assert found == ["gov.kaimen.sdk", "app-1a2b3c4d", "1.4.0"]
    assert pom.find(space + "dependencies") is None
    assert str(package.facts["compiled_by"]).startswith("javac ")


def test_without_a_jdk_there_are_sources_and_a_word_about_it(
    model: SdkModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = maven.made(model, emitter, "app-1a2b3c4d", "1.4.0")
    assert set(made.files) == {"app-1a2b3c4d-1.4.0.pom", "app-1a2b3c4d-1.4.0-sources.jar"}
    assert made.facts["compiled_by"] == ""
    assert b"sources only" in made.files["app-1a2b3c4d-1.4.0.pom"]
