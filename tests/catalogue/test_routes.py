"""The catalogue through HTTP: search, contracts as published, uploads in all three forms, rights, approvals."""

import io
import json
import zipfile
from typing import Any

import httpx
import msgspec
import pytest
import yaml
from litestar import Request
from litestar.di import Provide

from api.app import FrontDoor, create_app
from api.catalogue import documents as published_documents
from api.catalogue import plans
from api.catalogue.models import Approval, Publication, VersionRecord
from api.catalogue.routes import router
from api.contract.load import load_files
from api.core import clock
from api.core.caller import ANONYMOUS, Caller
from api.core.store import Stores
from api.settings import Settings
from tests.catalogue import documents
from tests.catalogue.conftest import World, unique


class Api:
    """The routes in one process, called by whom the test says."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.caller = world, ANONYMOUS
        self.department = world.organisation("department", unique("office"))
        self.publisher = world.person(**{self.department: "publisher"})
        self.approver = world.person(**{self.department: "approver"})

        async def provide(request: Request[Any, Any, Any]) -> Caller:
            return self.caller

        self.door: FrontDoor = create_app(
            settings, handlers=[router], dependencies={"caller": Provide(provide)}
        )

    async def send(
        self, method: str, path: str, who: str | Caller = "anonymous", **options: Any
    ) -> httpx.Response:
        self.caller = who if isinstance(who, Caller) else self.world.caller(who)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.door), base_url="http://platform"
        ) as client:
            return await client.request(method, path, **options)

    async def get(self, path: str, who: str | Caller = "anonymous", **options: Any) -> httpx.Response:
        return await self.send("GET", path, who, **options)

    async def post(self, path: str, who: str | Caller = "anonymous", **options: Any) -> httpx.Response:
        return await self.send("POST", path, who, **options)

    async def upload(self, document: dict[str, Any], who: str = "", **options: Any) -> httpx.Response:
        body = {
            "files": {"openapi.json": json.dumps(document, ensure_ascii=False)},
            "organisation": self.department,
            **options,
        }
        return await self.post("/platform/v1/contracts", who or self.publisher, json=body)

    async def published(self, document: dict[str, Any], environment: str = "sandbox") -> str:
        report = (await self.upload(document)).json()
        answer = await self.post(
            f"/platform/v1/services/{report['service_id']}/publish",
            self.publisher,
            json={"environment": environment},
        )
        assert answer.status_code == 200, answer.text
        return str(report["service_id"])


@pytest.fixture
async def api(stores: Stores, world: World, settings: Settings) -> Api:
    return Api(world, settings)


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and kind; every problem says what to do next, and leaks no exception."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["next"]
    assert "Traceback" not in answer.text
    return answer.status_code, body["type"].rstrip("/").rpartition("/")[2]


# --- uploads ------------------------------------------------------------------------------------
async def test_upload_as_json(api: Api) -> None:
    name = unique("library")
    answer = await api.upload(documents.own(name))
    assert answer.status_code == 200
    report = answer.json()
    assert (report["service"], report["version"], report["service_id"], report["operations"]) == (
        name,
        "v1",
        f"{name}@v1",
        2,
    )
    assert set(report["verdicts"]) >= {"rest", "sandbox"}
    assert {"rule", "severity", "pointer", "message"} <= report["findings"][0].keys()
    assert report["is_stored"]
    assert (await api.upload(documents.own(name))).json()["is_unchanged"]


async def test_upload_as_files_and_as_zip(api: Api) -> None:
    one, two, three = (unique("library") for _ in range(3))
    part = json.dumps(documents.own(one)["components"]["schemas"]["Item"])
    document = documents.own(one)
    document["components"]["schemas"]["Item"] = {"$ref": "parts/item.json"}
    files = [
        ("files", ("openapi.yaml", yaml.safe_dump(document, allow_unicode=True).encode(), "application/yaml"))
    ]
    answer = await api.post("/platform/v1/contracts", api.publisher, files=[*files, ("files", ("parts/item.json", part.encode(), "application/json"))],
                            data={"organisation": api.department, "entry": "openapi.yaml"})  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.json()["service"] == one
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        document["info"]["x-name"] = two
        archive.writestr("lib/openapi.json", json.dumps(document))
        archive.writestr("lib/parts/item.json", part)
    answer = await api.post("/platform/v1/contracts", api.publisher, files={"archive": ("lib.zip", buffer.getvalue(), "application/zip")},
                            data={"organisation": api.department})  # fmt: skip
    assert answer.json()["service"] == two, answer.text
    answer = await api.post("/platform/v1/contracts", api.publisher, content=buffer.getvalue(), headers={"Content-Type": "application/zip"},
                            params={"organisation": api.department, "name": three})  # fmt: skip
    assert answer.json()["service"] == three, answer.text
    stored = (await api.get(f"/platform/v1/contracts/{two}@v1", api.publisher)).json()
    assert (stored["entry"], stored["files"]) == (
        "lib/openapi.json",
        ["lib/openapi.json", "lib/parts/item.json"],
    )


async def test_validate_only_stores_nothing(api: Api) -> None:
    name = unique("lint")
    report = (await api.upload(documents.own(name), validate_only=True)).json()
    assert (report["service"], report["is_stored"]) == (name, False)
    assert not await VersionRecord.exists(service=name)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"content": b"{"}, (400, "input-invalid")),
        ({"content": b"\xff\xfe"}, (400, "input-invalid")),
        ({"json": {"files": 7}}, (400, "input-invalid")),
        ({"json": {"files": {}, "surprise": 1}}, (400, "input-invalid")),
        ({"json": {"files": {}}}, (400, "upload-refused")),
        ({"json": {"files": {"../a.yaml": "openapi: 3.1.0"}}}, (400, "upload-refused")),
        ({"files": {"a": ("a.zip", b"PK\x03\x04nonsense")}}, (400, "upload-refused")),
        ({"files": {"a": ("a.yaml", b"openapi: 3.1.0")}, "data": {"overlay": "{"}}, (400, "input-invalid")),
        ({"content": b"", "headers": {"Content-Type": "multipart/form-data"}}, (400, "input-invalid")),
        (
            {"content": b"nonsense", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            (400, "input-invalid"),
        ),
        (
            {
                "content": b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\r\n--x--\r\n',
                "headers": {"Content-Type": "multipart/form-data; boundary=x"},
            },
            (400, "input-invalid"),
        ),
        ({"content": b"x" * (25 * 1024 * 1024)}, (413, "request-too-large")),
    ],
)
async def test_bad_uploads_are_explained(
    api: Api, options: dict[str, Any], expected: tuple[int, str]
) -> None:
    answer = await api.post("/platform/v1/contracts", api.publisher, **options)
    got = problem(answer)
    assert got == expected or (expected[1] == "input-invalid" and got == (400, "upload-refused"))


async def test_uploads_take_a_publisher(api: Api) -> None:
    assert problem(await api.upload(documents.own(unique("x")), who="anonymous")) == (401, "not-signed-in")
    assert problem(await api.upload(documents.own(unique("x")), who=api.approver)) == (
        403,
        "permission-denied",
    )
    other = unique("other")
    await api.upload(documents.own(other))
    stranger = api.world.person(**{api.world.organisation("department"): "owner"})
    for path in (f"/platform/v1/contracts/{other}@v1", f"/platform/v1/contracts/{other}@v1/original"):
        assert problem(await api.get(path, stranger)) == (403, "permission-denied")
        assert problem(await api.get(path)) == (401, "not-signed-in")


async def test_a_draft_over_its_life(api: Api) -> None:
    report = (await api.upload(documents.foreign(), name=unique("permit"))).json()
    path = f"/platform/v1/contracts/{report['service_id']}"
    draft = (await api.get(path, api.publisher)).json()
    assert draft["overlay"]["actions"]
    overlay = {
        **draft["overlay"],
        "actions": [*draft["overlay"]["actions"], {"target": "$.info", "update": {"x-level": "L1"}}],
    }
    assert (await api.send("PUT", path + "/overlay", api.publisher, json=overlay)).status_code == 200
    assert (await api.get(path + "/document", api.publisher)).json()["info"]["x-level"] == "L1"
    assert (
        "x-level"
        not in json.loads((await api.get(path + "/original", api.publisher)).json()["files"]["openapi.json"])[
            "info"
        ]
    )
    assert report["service_id"] in [
        one["service_id"] for one in (await api.get("/platform/v1/contracts", api.publisher)).json()["items"]
    ]
    assert (await api.send("DELETE", path, api.publisher)).status_code == 204
    assert problem(await api.get(path, api.publisher)) == (404, "not-found")


# --- contracts as published ---------------------------------------------------------------------
async def test_a_contract_as_published(api: Api) -> None:
    service_id = await api.published(documents.own(unique("library")))
    name = service_id.partition("@")[0]
    answer = await api.get(f"/catalogue/{name}/v1/openapi.json")
    document = answer.json()
    assert document["servers"] == [
        {"url": f"http://sandbox.example.test/api/{name}/v1", "description": "沙箱 Sandbox"}
    ]
    assert list(document["components"]["securitySchemes"]) == ["kaimen"]
    flow = document["components"]["securitySchemes"]["kaimen"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "http://sandbox.example.test/oauth/token"
    assert list(flow["scopes"]) == [f"{name}:item:read"]
    assert document["paths"]["/items"]["get"]["security"] == [{"kaimen": [f"{name}:item:read"]}]
    loaded = load_files({"openapi.json": answer.content}, "openapi.json")  # it is a document like any other
    assert loaded.document is not None
    assert not [finding for finding in loaded.findings if finding.severity == "error"]
    other = await api.get(f"/catalogue/{name}/v1/openapi.yaml")
    assert other.headers["content-type"].startswith("application/yaml")
    assert yaml.safe_load(other.content) == document
    assert "图书馆馆藏" in other.text


async def test_contracts_answer_conditional_requests(api: Api) -> None:
    service_id = await api.published(documents.own(unique("library")))
    path = f"/catalogue/{service_id.replace('@', '/')}/openapi.json"
    first = await api.get(path)
    tag = first.headers["etag"]
    for value in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = await api.get(path, headers={"If-None-Match": value})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await api.get(path, headers={"If-None-Match": '"other"'})).status_code == 200
    await api.send(
        "PUT", f"/platform/v1/services/{service_id}/status", api.publisher, json={"status": "stable"}
    )
    changed = await api.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.json()["info"]["x-status"] == "stable"
    assert (await api.get(path.replace(".json", ".yaml"))).headers["etag"] != tag


async def test_what_is_not_published_is_not_there(api: Api) -> None:
    report = (await api.upload(documents.own(unique("draft")))).json()
    for path in (f"/catalogue/{report['service']}/v1/openapi.json", f"/platform/v1/services/{report['service_id']}",
                 f"/platform/v1/services/{report['service']}/versions", f"/platform/v1/services/{report['service_id']}/changes"):  # fmt: skip
        assert problem(await api.get(path)) == (404, "not-found")
    assert (await api.get(f"/platform/v1/services/{report['service_id']}", api.publisher)).status_code == 200
    await api.published(documents.own(report["service"]))
    assert problem(await api.get(f"/catalogue/{report['service']}/v1/openapi.json?environment=live")) == (
        404,
        "not-found",
    )
    assert problem(await api.get(f"/catalogue/{report['service']}/v1/openapi.json?environment=moon")) == (
        400,
        "input-invalid",
    )


async def test_the_index_links_to_every_contract(api: Api) -> None:
    service_id = await api.published(documents.own(unique("library")))
    answer = await api.get("/catalogue/openapi.json")
    index = answer.json()
    assert (index["openapi"], index["paths"]) == ("3.1.0", {})
    entry = next(one for one in index["x-services"] if one["id"] == service_id)
    assert (
        entry["openapi_json"]
        == f"http://sandbox.example.test/catalogue/{service_id.replace('@', '/')}/openapi.json"
    )
    assert (
        await api.get("/catalogue/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
    ).status_code == 304


async def test_department_only_contracts_are_for_departments(api: Api) -> None:
    document = documents.own(unique("inner"))
    document["info"]["x-audience"] = "department"
    service_id = await api.published(document)
    paths = [f"/catalogue/{service_id.replace('@', '/')}/openapi.json", f"/platform/v1/services/{service_id}"]
    police = api.world.person(**{api.world.organisation("department"): "viewer"})
    company = api.world.person(**{api.world.organisation("company"): "owner"})
    for path in paths:
        for who in ("anonymous", company):
            assert problem(await api.get(path, who)) == (404, "not-found")
        for who in (police, api.publisher, "operator"):
            assert (await api.get(path, who)).status_code == 200
    assert (await api.get(paths[0], police)).headers["cache-control"].startswith("private")
    listed = {
        who: [
            one["service_id"]
            for one in (await api.get("/platform/v1/services?limit=200", who)).json()["items"]
        ]
        for who in (police, company)
    }
    assert service_id in listed[police]
    assert service_id not in listed[company]


async def test_operations_for_departments_are_cut_out_with_their_schemas(api: Api) -> None:
    document = documents.own(unique("mixed"))
    document["components"]["schemas"]["Secret"] = {
        "type": "object",
        "properties": {"inner": {"type": "string", "description": "内部 Inner"}},
    }
    operation = document["paths"]["/items/{code}"]["get"]
    operation["x-audience"] = "department"
    operation["responses"]["200"]["content"]["application/json"]["schema"] = {
        "$ref": "#/components/schemas/Secret"
    }
    service_id = await api.published(document)
    path = f"/catalogue/{service_id.replace('@', '/')}/openapi.json"
    public = await api.get(path)
    assert list(public.json()["paths"]) == ["/items"]
    assert "Secret" not in public.text
    assert "Item" in public.json()["components"]["schemas"]
    whole = await api.get(path, api.publisher)
    assert set(whole.json()["paths"]) == {"/items", "/items/{code}"}
    assert "Secret" in whole.text
    assert public.headers["etag"] != whole.headers["etag"]
    detail = (await api.get(f"/platform/v1/services/{service_id}")).json()
    assert [one["operation_id"] for one in detail["operations"]] == ["searchItems"]
    published_documents._cache.clear()


# --- list and search ----------------------------------------------------------------------------
async def test_search_in_chinese_and_english_is_ranked(api: Api) -> None:
    marker = unique("zone")
    tax, post = documents.own(f"{marker}-tax"), documents.own(f"{marker}-post", level="L2")
    tax["info"]["title"] = f"{marker} tax"
    tax["info"]["x-i18n"] = {
        "zh-CN": {"title": f"纳税信用 {marker}", "description": "纳税人信用等级。"},
        "en": {"title": f"{marker} tax", "description": "Ratings."},
    }
    post["info"]["title"] = f"{marker} post"
    post["info"]["x-i18n"] = {
        "zh-CN": {"title": f"证照寄递 {marker}", "description": "含纳税信用证明寄递。"},
        "en": {"title": f"{marker} post", "description": "Delivery."},
    }
    ids = [await api.published(document) for document in (tax, post)]

    async def found(**params: Any) -> list[str]:
        answer = await api.get("/platform/v1/services", params={"limit": 200, **params})
        assert answer.status_code == 200, answer.text
        return [one["service_id"] for one in answer.json()["items"] if one["service_id"] in ids]

    assert await found(query=f"{marker}") == sorted(ids)
    assert await found(query=f"{marker} 纳税信用") == ids  # title before description
    assert await found(query=f"{marker} 寄递证照") == [
        ids[1]
    ]  # no such word: its pairs of characters are there
    assert await found(query=f"{marker}　ＴＡＸ") == [ids[0]]  # full width and case do not count
    assert await found(query=f"{marker} 检索条目") == sorted(ids)  # an operation's title
    assert await found(query=f"{marker} nowhere") == []
    assert await found(query=marker, level="L2") == [ids[1]]
    assert await found(query=marker, open="open") == [ids[0]]
    assert await found(query=marker, department=api.department) == sorted(ids)
    assert await found(query=marker, department="nobody") == []
    assert await found(query=marker, environment="live") == []
    item = (
        await api.get(f"/platform/v1/services?query={ids[0]}", headers={"Accept-Language": "zh-CN"})
    ).json()["items"]
    assert item == []  # a version is no word; its name is
    item = (
        await api.get(f"/platform/v1/services?query={marker}-tax", headers={"Accept-Language": "zh-CN"})
    ).json()["items"][0]
    assert (item["title"], item["titles"]["en"], item["environments"]) == (
        f"纳税信用 {marker}",
        f"{marker} tax",
        ["sandbox"],
    )


async def test_lists_come_in_pages(api: Api) -> None:
    marker = unique("page")
    ids = sorted([await api.published(documents.own(f"{marker}-{letter}")) for letter in "abc"])
    first = await api.get("/platform/v1/services", params={"query": marker, "limit": 2})
    assert [one["service_id"] for one in first.json()["items"]] == ids[:2]
    assert first.json()["next"]
    assert 'rel="next"' in first.headers["link"]
    following = first.headers["link"].partition("<")[2].partition(">")[0]
    second = await api.get(following)
    assert [one["service_id"] for one in second.json()["items"]] == ids[2:]
    assert second.json()["next"] == ""
    assert problem(await api.get("/platform/v1/services?cursor=-1")) == (400, "input-invalid")
    assert problem(await api.get("/platform/v1/services?limit=100000")) == (400, "input-invalid")


async def test_versions_changes_and_releases(api: Api) -> None:
    name = unique("library")
    await api.published(documents.own(name))
    newer = documents.own(name, "1.1.0")
    newer["paths"]["/items"]["get"]["parameters"].append(
        {"name": "shelf", "in": "query", "description": "架 Shelf", "schema": {"type": "string"}}
    )
    await api.published(newer)
    second = documents.own(name, "2.0.0")
    second["paths"]["/items"]["get"]["parameters"].pop(0)
    await api.published(second)
    versions = (await api.get(f"/platform/v1/services/{name}/versions")).json()["items"]
    assert [(one["service_id"], one["release"], one["environments"]) for one in versions] == [
        (f"{name}@v2", "2.0.0", ["sandbox"]), (f"{name}@v1", "1.1.0", ["sandbox"]),
    ]  # fmt: skip
    releases = (await api.get(f"/platform/v1/services/{name}@v1/changes")).json()["items"]
    assert [one["release"] for one in releases] == ["1.1.0", "1.0.0"]
    assert any(
        change["field"] == "query:shelf" and change["severity"] == "compatible"
        for change in releases[0]["changes"]
    )
    between = (
        await api.get(f"/platform/v1/services/{name}@v2/changes", params={"against": f"{name}@v1"})
    ).json()
    assert between["breaking"] >= 1
    assert between["changes"][0]["severity"] == "breaking"
    assert {"zh", "en"} <= between["changes"][0]["message"].keys()
    assert all(change["apps"] == [] for change in between["changes"])


async def test_one_service(api: Api) -> None:
    service_id = await api.published(documents.own(unique("library")))
    seen = (await api.get(f"/platform/v1/services/{service_id}", headers={"Accept-Language": "zh"})).json()
    assert (seen["title"], seen["may_publish"], seen["level"]) == ("图书馆馆藏", False, "L1")
    assert (
        seen["publications"][0]["base_url"]
        == f"http://sandbox.example.test/api/{service_id.replace('@', '/')}"
    )
    assert seen["publications"][0]["upstream"] is None
    assert [one["operation_id"] for one in seen["operations"]] == ["getItem", "searchItems"]
    own = (await api.get(f"/platform/v1/services/{service_id}", api.publisher)).json()
    assert (own["may_publish"], own["publications"][0]["upstream"]) == (True, "synthetic")


# --- publishing, rights, approvals --------------------------------------------------------------
async def test_preview_names_the_apps(api: Api) -> None:
    service_id = await api.published(documents.own(unique("library")))
    from api.catalogue.outside import FieldUser

    api.world.users[("searchItems", "query:q")] = [FieldUser("a_one", "2027-01-01T00:00:00.000Z", 3)]
    new = documents.own(service_id.partition("@")[0], "1.1.0")
    new["paths"]["/items"]["get"]["parameters"].pop(0)
    body = {"files": {"a.json": json.dumps(new)}}
    path = f"/platform/v1/services/{service_id}/preview"
    answer = (await api.post(path, api.publisher, json=body, params={"days": 7})).json()
    assert answer["breaking"] == 1
    assert answer["changes"][0]["operation"] == "searchItems"
    assert answer["changes"][0]["apps"] == [
        {"app_id": "a_one", "last_at": "2027-01-01T00:00:00.000Z", "calls": 3}
    ]
    assert (await api.post(path, api.publisher)).json()["changes"] == []
    assert problem(await api.post(path, json=body)) == (401, "not-signed-in")
    await api.upload(new)
    refused = await api.post(
        f"/platform/v1/services/{service_id}/publish", api.publisher, json={"environment": "sandbox"}
    )
    assert problem(refused) == (409, "breaking-change")
    assert refused.json()["changes"][0]["apps"][0]["app_id"] == "a_one"


async def test_from_draft_to_live_and_a_subscription(api: Api) -> None:
    """The department's and the developer's way in one piece, through HTTP."""
    world, service_id = api.world, await api.published(documents.own(unique("library"), level="L2"))
    publish = f"/platform/v1/services/{service_id}/publish"
    body = {"environment": "live", "upstream": "https://upstream.example/v1"}
    assert problem(await api.post(publish, api.publisher, json=body)) == (403, "permission-denied")
    refused = await api.post(publish, "operator", json=body)
    assert problem(refused) == (409, "publish-refused")
    assert [one["id"] for one in refused.json()["checklist"] if not one["is_done"]] == ["exercised"]
    world.evidence = {"getItem": "called", "searchItems": "scenario"}
    items = (await api.get(f"/platform/v1/services/{service_id}/checklist", api.publisher)).json()
    assert [one["id"] for one in items["items"] if not one["is_done"]] == ["upstream"]
    made = (await api.post(publish, "operator", json=body)).json()
    assert (made["state"], made["environment"]) == ("pending", "live")
    decision = f"/platform/v1/approvals/{made['approval_id']}/decision"
    assert problem(await api.post(decision, "operator", json={"approve": True})) == (403, "own-request")
    listed = (await api.get("/platform/v1/approvals?status=pending", api.approver)).json()["items"]
    assert [(one["approval_id"], one["may_decide"]) for one in listed] == [(made["approval_id"], True)]
    assert (await api.post(decision, api.approver, json={"approve": True})).json()["status"] == "approved"
    assert problem(await api.post(decision, api.approver, json={"approve": True})) == (409, "conflict")

    company = world.organisation("company")
    developer, app = world.person(**{company: "developer"}), world.app(company, "live")
    asked = await api.post(
        "/platform/v1/subscriptions", developer, json={"app_id": app, "service": service_id}
    )
    row = asked.json()
    assert (asked.status_code, row["status"], row["service"]) == (200, "pending", service_id)
    shown = (await api.get(f"/platform/v1/approvals/{row['approval_id']}", developer)).json()
    assert (shown["is_mine"], shown["may_decide"], shown["payload"]["level"]) == (True, False, "L2")
    comment = await api.post(
        f"/platform/v1/approvals/{row['approval_id']}/comments", api.approver, json={"text": "用途?"}
    )
    assert comment.status_code == 201
    assert problem(
        await api.post(
            f"/platform/v1/approvals/{row['approval_id']}/decision", developer, json={"approve": True}
        )
    ) == (403, "own-request")
    assert problem(
        await api.post(
            f"/platform/v1/approvals/{row['approval_id']}/decision", api.approver, json={"approve": False}
        )
    ) == (400, "input-invalid")
    await api.post(
        f"/platform/v1/approvals/{row['approval_id']}/decision", api.approver, json={"approve": True}
    )
    one = f"/platform/v1/subscriptions/{row['subscription_id']}"
    assert (await api.get(one, developer)).json()["status"] == "active"
    assert (await api.get("/platform/v1/subscriptions?status=active", developer)).json()["items"][0][
        "app_id"
    ] == app
    assert (await api.get(f"/platform/v1/services/{service_id}/subscriptions", api.publisher)).json()[
        "items"
    ][0]["app_id"] == app
    assert (await api.post(one + "/suspend", api.approver, json={"reason": "滥用"})).json()[
        "status"
    ] == "suspended"
    assert (await api.post(one + "/resume", api.approver)).json()["status"] == "active"
    stranger = world.person(**{world.organisation("company"): "owner"})
    assert problem(await api.get(one, stranger)) == (404, "not-found")
    assert problem(await api.send("DELETE", one, api.approver)) == (403, "permission-denied")
    assert (await api.send("DELETE", one, developer)).status_code == 204
    assert (await api.get(one, developer)).json()["status"] == "cancelled"


async def test_a_token_opens_what_its_scopes_say_and_nothing_by_membership(api: Api) -> None:
    world, service_id = api.world, await api.published(documents.own(unique("library"), level="L2"))
    company = world.organisation("company")
    developer, app = world.person(**{company: "developer"}), world.app(company)
    row = (
        await api.post("/platform/v1/subscriptions", developer, json={"app_id": app, "service": service_id})
    ).json()
    one, drafts = (
        f"/platform/v1/subscriptions/{row['subscription_id']}",
        f"/platform/v1/contracts/{service_id}",
    )
    machine = world.app(api.department)
    bare, wrong = world.caller(app), world.caller(app, "platform:requests:read")
    for caller in (bare, wrong):
        assert problem(await api.get(one, caller)) == (404, "not-found")
        assert (await api.get("/platform/v1/subscriptions", caller)).json()["items"] == []
        assert (
            problem(
                await api.post(
                    "/platform/v1/subscriptions", caller, json={"app_id": app, "service": service_id}
                )
            )[0]
            == 404
        )
    for scope in ("platform:subscriptions:write", "platform:apps:read"):
        assert (await api.get(one, world.caller(app, scope))).json()["status"] == "active"
    assert problem(await api.get(drafts, world.caller(machine))) == (403, "permission-denied")
    assert (await api.get("/platform/v1/contracts", world.caller(machine))).json()["items"] == []
    assert (await api.get(drafts, world.caller(machine, "platform:contracts:write"))).status_code == 200
    waiting = await Approval.create(
        id="ap_" + unique("x").replace("-", ""), kind="publish-live", subject=f"{service_id}/live", organisation_id=api.department,
        requested_by="operator:local", requested_at=clock.now(),
    )  # fmt: skip
    assert (await api.get("/platform/v1/approvals", world.caller(machine))).json()["items"] == []
    seen = (
        await api.get("/platform/v1/approvals", world.caller(machine, "platform:contracts:write"))
    ).json()["items"]
    assert [(item["approval_id"], item["may_decide"]) for item in seen] == [(waiting.id, False)]
    decision = await api.post(
        f"/platform/v1/approvals/{waiting.id}/decision",
        world.caller(machine, "platform:contracts:write"),
        json={"approve": True},
    )
    assert problem(decision) == (403, "permission-denied")


async def test_withdrawing_a_request(api: Api) -> None:
    world, service_id = api.world, await api.published(documents.own(unique("library"), level="L2"))
    row = await Publication.get(id=f"{service_id}/sandbox")
    columns = {name: getattr(row, name) for name in row._meta.fields_db_projection if name != "id"}
    await Publication.create(**{**columns, "id": f"{service_id}/live", "environment": "live"})
    company = world.organisation("company")
    developer, app = world.person(**{company: "developer"}), world.app(company, "live")
    asked = (
        await api.post("/platform/v1/subscriptions", developer, json={"app_id": app, "service": service_id})
    ).json()
    done = await api.post(f"/platform/v1/approvals/{asked['approval_id']}/withdrawal", developer)
    assert done.json()["status"] == "cancelled"
    assert (await Approval.get(id=asked["approval_id"])).status == "cancelled"
    assert (await api.get(f"/platform/v1/subscriptions/{asked['subscription_id']}", developer)).json()[
        "status"
    ] == "cancelled"


async def test_retiring_through_http(api: Api) -> None:
    service_id = await api.published(documents.own(unique("library")))
    path = f"/platform/v1/services/{service_id}"
    made = (await api.post(path + "/retire", api.publisher, json={"successor": "library@v2"})).json()
    assert made["state"] == "retiring"
    assert (await api.get(path)).json()["deprecation"]["successor"] == "library@v2"
    assert (await api.post(path + "/unretire", api.publisher)).json()["status"] == "beta"
    made = (
        await api.post(path + "/retire", api.publisher, json={"environment": "sandbox", "reason": "误发布"})
    ).json()
    assert (made["state"], made["environments"]) == ("retired", ["sandbox"])
    assert problem(await api.get(path)) == (404, "not-found")


async def test_plans_through_http(api: Api) -> None:
    await plans.ensure_plans()
    items = (await api.get("/platform/v1/plans")).json()["items"]
    assert items[0]["limits"]["light"] == {"units": 240, "window_seconds": 60}
    limits = {name: {"units": 5, "window_seconds": 60} for name in ("light", "standard", "heavy", "bulk")}
    body = {"title_zh": "小", "title_en": "Small", "limits": limits}
    assert problem(await api.send("PUT", "/platform/v1/plans/small", api.publisher, json=body)) == (
        403,
        "permission-denied",
    )
    made = await api.send("PUT", "/platform/v1/plans/small", "operator", json=body)
    assert made.json()["limits"]["bulk"] == {"units": 5, "window_seconds": 60}
    assert problem(await api.send("PUT", "/platform/v1/plans/Bad%20Name", "operator", json=body)) == (
        400,
        "input-invalid",
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/platform/v1/services/%00"), ("GET", "/platform/v1/services/x@v1/changes?against=%00"), ("GET", "/platform/v1/approvals/%F0%9F%98%80"),
        ("GET", "/platform/v1/services?query=%00%ff"), ("GET", "/catalogue/%2e%2e/v1/openapi.json"), ("GET", "/platform/v1/subscriptions/%00"),
        ("POST", "/platform/v1/services/%00/publish"), ("GET", "/platform/v1/contracts/%00"), ("GET", "/platform/v1/services/%00/versions"),
        ("GET", "/platform/v1/services?department=%00"), ("GET", "/catalogue/%00/v1/openapi.json"),
    ],
)  # fmt: skip
async def test_odd_input_is_no_failure(api: Api, method: str, path: str) -> None:
    options = {"json": {"environment": "sandbox"}} if method == "POST" else {}
    answer = await api.send(method, path, "operator", **options)
    assert answer.status_code < 500, answer.text


async def test_control_characters_never_reach_the_database(api: Api) -> None:
    service_id = await api.published(documents.own(unique("library")))
    company = api.world.organisation("company")
    developer, app = api.world.person(**{company: "developer"}), api.world.app(company)
    path = f"/platform/v1/services/{service_id}"
    bad = "a\u0000b"
    for method, where, who, body in [
        ("POST", "/platform/v1/subscriptions", developer, {"app_id": app, "service": bad}),
        ("POST", "/platform/v1/subscriptions", developer, {"app_id": bad, "service": service_id}),
        ("POST", "/platform/v1/subscriptions", developer, {"app_id": app, "service": f"{service_id}:{bad}"}),
        ("POST", path + "/retire", api.publisher, {"environment": "sandbox", "reason": bad}),
        ("POST", path + "/retire", api.publisher, {"successor": bad}),
        ("POST", path + "/publish", api.publisher, {"environment": "sandbox", "force_reason": bad}),
        ("POST", path + "/publish", "operator", {"environment": "sandbox", "upstream": "http://x.example/" + bad}),
        ("POST", "/platform/v1/contracts", api.publisher, {"files": {"a.json": "{}"}, "organisation": bad}),
        ("POST", "/platform/v1/contracts", api.publisher, {"files": {"a.json": "{}"}, "organisation": api.department, "name": bad}),
        ("POST", "/platform/v1/contracts", api.publisher, {"files": {bad: "{}"}, "organisation": api.department}),
        ("POST", "/platform/v1/approvals/ap_1/comments", developer, {"text": bad}),
        ("PUT", "/platform/v1/plans/odd", "operator", {"title_zh": bad, "title_en": "x", "limits": {
            name: {"units": 5, "window_seconds": 60} for name in ("light", "standard", "heavy", "bulk")}}),
    ]:  # fmt: skip
        answer = await api.send(method, where, who, json=body)
        assert 400 <= answer.status_code < 500, (where, body, answer.text)
        problem(answer)


async def test_documents_with_odd_texts_are_kept(api: Api) -> None:
    """What a department writes is data: it is stored, published, found and read, whatever stands in it."""
    document = documents.own(unique("odd"))
    document["info"]["title"] = "<script>alert(1)</script> \u202e {x} %s ' \" ;--"
    document["info"]["description"] = "😀 `${x}` */ #{y} \u2028"
    document["paths"]["/items"]["get"]["summary"] = "\t \u2028 \\n"
    service_id = await api.published(document)
    assert (await api.get(f"/platform/v1/services/{service_id}")).status_code == 200
    assert (await api.get(f"/catalogue/{service_id.replace('@', '/')}/openapi.json")).status_code == 200
    assert (await api.get(f"/catalogue/{service_id.replace('@', '/')}/openapi.yaml")).status_code == 200


async def test_the_platforms_own_contract_has_every_route(api: Api) -> None:
    schema = api.door.app.openapi_schema.to_schema()
    operations = [
        one
        for item in schema["paths"].values()
        for one in item.values()
        if isinstance(one, dict) and "operationId" in one
    ]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names))
    assert {"listServices", "getContract", "publishService", "subscribe", "decideApproval"} <= set(names)
    assert all(one.get("summary") for one in operations)
    assert msgspec.json.encode(schema)
