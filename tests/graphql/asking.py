"""A gateway with services of two departments, asked through the GraphQL face without a server."""

import json
from typing import Any

import msgspec

from api.contract.model import Batch, Operation
from api.gateway.connector import Context, Request, Result
from api.gateway.metrics import Metrics
from api.gateway.recorder import Recorder
from api.gateway.snapshot import ServiceEntry, Snapshot
from api.graphql.documents import Documents
from api.graphql.face import GraphqlFace
from tests.gateway import made

SCOPES = "company:profile:read tax:rating:read"
COMPANY = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "x-ref": {"operation": "tax@v1/getRating", "parameter": "code"}},
        "name": {"type": "string"},
        "phone": {"type": "string", "x-classification": {"level": "L3", "kind": "phone"}},
        "status": {"enum": ["in-business", "true", "已注销"]},
        "labels": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
}
RATING = {"type": "object", "properties": {"code": {"type": "string"}, "grade": {"type": "string"}}}


def answer(name: str) -> Any:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return (made.Response("200", "", (made.Media("application/json", schema),)),)


class Departments:
    """Answers for both services, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def call(self, operation: Operation, request: Request, context: Context) -> Result:
        self.asked.append(operation.id)
        body: Any = getattr(self, operation.id)(request)
        status = 404 if body is None else 200
        return Result(
            status, [made.JSON], msgspec.json.encode(body if body is not None else {"detail": "none"})
        )

    def getCompany(self, request: Request) -> Any:  # noqa: N802 - operationId
        return self.company(request.path["code"])

    def listCompanies(self, request: Request) -> Any:  # noqa: N802
        return [self.company(f"c{number}") for number in range(request.query.get("limit", 200))]

    def getRating(self, request: Request) -> Any:  # noqa: N802
        return {"code": request.path["code"], "grade": "A"}

    def listRatings(self, request: Request) -> Any:  # noqa: N802
        return {"items": [{"code": code, "grade": "A"} for code in request.query["codes"]]}

    def createCompany(self, request: Request) -> Any:  # noqa: N802
        return request.json

    @staticmethod
    def company(code: str) -> Any:
        return {"code": code, "name": "公司", "phone": "010", "status": "in-business", "labels": {"a": 1}}

    async def health(self) -> bool:
        return True

    async def close(self) -> None:
        return None


class Asking:
    """One app's way into the face."""

    def __init__(self, level: str = "L3", plan: str = "standard") -> None:
        codes = made.parameter(
            "codes", schema={"type": "array", "items": {"type": "string"}}, required=True, explode=False
        )
        company = made.service(
            [
                made.operation(responses=answer("Company")),
                made.operation(
                    "listCompanies", verb="list", path="/companies", max_rows=200,
                    parameters=(made.parameter("limit", schema={"type": "integer", "default": 200}),),
                    pagination=made.Pagination("page", "", "limit", "", ""),
                    responses=(made.Response("200", "", (made.Media("application/json", {"type": "array", "items": {"$ref": "#/components/schemas/Company"}}),)),),
                ),
                made.operation(
                    "createCompany", verb="create", method="POST", path="/companies",
                    body=made.Body(True, (made.Media("application/json", {"$ref": "#/components/schemas/Company"}),)),
                    responses=answer("Company"),
                ),
            ],
            schemas={"Company": COMPANY},
        )  # fmt: skip
        tax = made.service(
            [
                made.operation(
                    "getRating", path="/ratings/{code}", resource="rating", scopes=("tax:rating:read",),
                    responses=answer("Rating"), batch=Batch("listRatings", "codes", "code", 100),
                ),
                made.operation(
                    "listRatings", verb="list", resource="rating", path="/ratings", scopes=("tax:rating:read",), parameters=(codes,),
                    responses=(made.Response("200", "", (made.Media("application/json", {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Rating"}}}}),)),),
                ),
            ],
            name="tax", schemas={"Rating": RATING},
        )  # fmt: skip
        self.departments = Departments()
        self.world = made.World()
        self.gateway = self.world.gateway
        self.gateway.metrics = Metrics()
        self.gateway.recorder = Recorder(self.gateway.settings, self.gateway.metrics)
        entries = [ServiceEntry(one, self.departments, owner_id="o_owner") for one in (company, tax)]
        apps = made.apps_with_plans()
        apps.put(
            self.world.app_id, "o_bank", kind="company", plan=plan,
            grants=[made.grant_of("company@v1", level=level), made.grant_of("tax@v1", level=level)],
        )  # fmt: skip
        self.world.holder.current = Snapshot.of(entries, apps)
        self.token = self.world.tokens.give(self.world.app_id, SCOPES)
        self.face = GraphqlFace(Documents())

    async def request(
        self, body: bytes, *, path: str = "/graphql", method: str = "POST", token: bytes | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of any request."""
        sent: list[Any] = []
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        if token != b"":
            headers.append((b"authorization", self.world.bearer(token or self.token)))
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": headers, "client": ("127.0.0.1", 1),
        }  # fmt: skip

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.face.serve(self.gateway, scope, receive, send)
        head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        said = sent[1]["body"]
        return sent[0]["status"], head, json.loads(said) if "json" in head["content-type"] else said.decode()

    async def ask(self, query: str, variables: Any = None, **more: Any) -> Any:
        """The body of the answer to a document."""
        asked = {"query": query, "variables": variables} | more
        return (await self.request(json.dumps(asked).encode()))[2]
