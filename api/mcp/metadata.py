"""Protected-resource metadata (RFC 9728): which server gives tokens for which of our resources, one document each."""

from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.datastructures import State

from api.core.problem_types_platform import PAGE_NOT_FOUND
from api.core.problems import Refusal
from api.identity.oauth.dpop import ALGORITHMS
from api.identity.oauth.scopes import SUBSCRIPTIONS

PUBLIC_SECONDS = 300
NAMES = {"mcp": "Kaimen MCP", "graphql": "Kaimen GraphQL", "api": "Kaimen REST"}
_PAGES = {"mcp": "how-to/use-mcp/", "graphql": "how-to/use-graphql/", "api": "how-to/get-a-token/"}

MetadataRequest = Request[Any, Any, State]


def describe_resource(name: str, *, issuer: str, docs_url: str, scopes: list[str]) -> dict[str, Any]:
    """The document of the resource `{issuer}/{name}`."""
    return {
        "resource": f"{issuer}/{name}",
        "resource_name": NAMES[name],
        "authorization_servers": [issuer],
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "dpop_bound_access_tokens_required": False,
        "authorization_details_types_supported": ["kaimen-service"],
        "resource_documentation": f"{docs_url}/{_PAGES[name]}",
    }


@get("/.well-known/oauth-protected-resource/{name:str}", include_in_schema=False)
async def show_resource(request: MetadataRequest, name: str) -> Response[bytes]:
    """The document of one face."""
    if name not in NAMES:
        raise Refusal(PAGE_NOT_FOUND)
    server = await request.app.state.oauth.metadata()
    document = describe_resource(
        name,
        issuer=server["issuer"],
        docs_url=request.app.state.oauth.docs_url,
        # An agent asks for all that stands here, and an app has the few scopes of its subscriptions: one name for them.
        scopes=[SUBSCRIPTIONS]
        if name == "mcp"
        else [scope for scope in server["scopes_supported"] if ":" in scope],
    )
    headers = {"Cache-Control": f"public, max-age={PUBLIC_SECONDS}", "Access-Control-Allow-Origin": "*"}
    return Response(content=msgspec.json.encode(document), media_type="application/json", headers=headers)


router = Router("/", route_handlers=[show_resource])
