"""Who may read what below /sdk, how it is kept, and that a package is what the platform signed."""

import concurrent.futures
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from tests.downloads.conftest import SUBSCRIPTIONS, new_app
from tests.downloads.test_install import built, fetch
from tests.server import Installation, RunningServer


def address_of(server: RunningServer, name: str) -> str:
    return f"{server.url}/sdk/npm/{name}"


def test_an_apps_package_needs_the_apps_token(
    server: RunningServer, installation: Installation, app: dict[str, Any], token: str
) -> None:
    made = built(installation, app, "typescript")
    address = address_of(server, made["package"])
    status, headers, body = fetch(address)
    assert status == 401
    assert headers["www-authenticate"].startswith("Basic")
    assert json.loads(body)["type"].endswith("/sdk-token-needed/")
    assert fetch(address, token)[0] == 200
    stranger = new_app(installation, "stranger", "post@v1")
    other = installation.json("sdk", "token", stranger["app_id"])["token"]
    assert fetch(address, other)[0] == 404
    assert fetch(address, "ksdk_wrong")[0] == 401


def test_a_revoked_token_opens_nothing(
    server: RunningServer, installation: Installation, app: dict[str, Any]
) -> None:
    made = built(installation, app, "typescript")
    fresh = installation.json("sdk", "token", app["app_id"], "--label", "short")
    assert fetch(address_of(server, made["package"]), fresh["token"])[0] == 200
    listed = installation.json("sdk", "tokens", app["app_id"])["items"]
    assert fresh["token"] not in json.dumps(listed)
    assert fresh["token_id"] in {one["token_id"] for one in listed}
    installation.json("sdk", "revoke", app["app_id"], fresh["token_id"])
    assert fetch(address_of(server, made["package"]), fresh["token"])[0] == 401
    journal = installation.command("audit", "list", "--json", check=False).stdout
    assert fresh["token"] not in journal


def test_two_apps_with_the_same_subscriptions_share_the_bytes(
    server: RunningServer, installation: Installation, app: dict[str, Any]
) -> None:
    twin = new_app(installation, "twin", *reversed(SUBSCRIPTIONS))
    first, second = built(installation, app, "typescript"), built(installation, twin, "typescript")
    assert first["build_id"] != second["build_id"]
    assert (first["package"], first["version"], first["files"]) == (
        second["package"], second["version"], second["files"],
    )  # fmt: skip
    third = built(installation, new_app(installation, "less", "company@v1"), "typescript")
    assert third["package"] != first["package"]


def test_the_package_holds_the_subscribed_operations_only(
    installation: Installation, app: dict[str, Any], tmp_path: Path
) -> None:
    made = installation.json(
        "sdk", "build", "--app", app["app_id"], "--language", "typescript", "--out", str(tmp_path)
    )
    assert made["services"] == ["company@v1", "tax@v1"]
    archive = next(tmp_path.glob("*.tgz"))
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as opened:
        member = opened.extractfile("package/index.d.ts")
        assert member is not None
        text = member.read().decode()
    assert "company" in text
    assert "post" not in {line.strip().partition(":")[0] for line in text.splitlines()}
    assert installation.json("sdk", "verify", str(archive)) == {
        "file": str(archive), "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(), "signature": True, "checksum": True,
    }  # fmt: skip
    archive.write_bytes(archive.read_bytes() + b"\0")
    assert installation.command("sdk", "verify", str(archive), check=False).returncode == 1
    bill = json.loads(next(tmp_path.glob("*.cdx.json")).read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert (tmp_path / "CHANGELOG.md").read_text().startswith(f"# {made['package']}")


def test_files_are_kept_by_their_hash(server: RunningServer) -> None:
    _, _, body = fetch(address_of(server, "@kaimen/company"))
    versions = json.loads(body)["versions"]
    tarball = next(iter(versions.values()))["dist"]["tarball"]
    status, headers, data = fetch(tarball)
    assert status == 200
    assert headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert fetch(tarball, **{"If-None-Match": headers["etag"]})[0] == 304


def test_many_who_ask_at_once_get_one_build(server: RunningServer) -> None:
    address = address_of(server, "@kaimen/post")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: fetch(address), range(8)))
    assert {status for status, _, _ in answers} == {200}
    assert len({body for _, _, body in answers}) == 1
    assert len(json.loads(answers[0][2])["versions"]) == 1


def test_what_is_not_there_is_told(server: RunningServer) -> None:
    for path in (
        "npm/@kaimen/nothing",
        "npm/left-pad",
        "go/gov.kaimen/sdk/nothing/@v/list",
        "simple/requests",
        "files/sdk_x/go/a",
    ):
        status, headers, body = fetch(f"{server.url}/sdk/{path}")
        assert status in {400, 404}, path
        assert headers["content-type"].startswith("application/problem+json"), path
        assert json.loads(body)["next"]


def test_an_app_without_subscriptions_is_told_what_to_do(installation: Installation) -> None:
    bare = new_app(installation, "bare")
    done = installation.command(
        "sdk", "build", "--app", bare["app_id"], "--language", "go", "--json", check=False
    )
    problem = json.loads(done.stdout)
    assert problem["type"].endswith("/sdk-nothing-open/")
    assert "subscription add" in problem["next"]
    unknown = installation.command(
        "sdk", "build", "--app", bare["app_id"], "--language", "cobol", "--json", check=False
    )
    assert json.loads(unknown.stdout)["type"].endswith("/sdk-language-unknown/")
