"""What a Python team would write today: FastAPI, slowapi, a JWT library, aiohttp. Run by bench/servers.py.

It does less than the gateway: no schema check, no quota by plan, no request log. The key is parsed once, the
client session is shared, the limiter is in memory. BENCH_JWT=0 leaves the token check out.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded

UPSTREAM = os.environ["BENCH_UPSTREAM"]
HAS_JWT = os.environ.get("BENCH_JWT", "1") == "1"
KEY = ECKey.import_key(os.environ["BENCH_KEY"]) if HAS_JWT else None
CLAIMS = jwt.JWTClaimsRegistry(iss={"essential": True, "value": "https://issuer.example"})


def client_of(request: Request) -> str:
    return str(getattr(request.state, "client", "") or (request.client.host if request.client else ""))


limiter = Limiter(key_func=client_of)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256)) as session:
        app.state.session = session
        yield


app = FastAPI(lifespan=lifespan)
app.state.limiter = limiter
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)  # type: ignore[arg-type]


async def authenticate(request: Request) -> None:
    """Every call's token is verified: the libraries keep no cache of their own."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if KEY is None:
        return
    try:
        decoded = jwt.decode(token, KEY, algorithms=["ES256"])
        CLAIMS.validate(decoded.claims)
    except (JoseError, ValueError) as error:
        raise HTTPException(401) from error
    if scheme.lower() != "bearer" or "thing:read" not in decoded.claims["scope"]:
        raise HTTPException(403)
    request.state.client = decoded.claims["client_id"]


@app.get("/api/{path:path}", dependencies=[Depends(authenticate)])
@limiter.limit("100000000/minute")
async def proxy(request: Request, path: str) -> Response:
    async with app.state.session.get(f"{UPSTREAM}/{path}") as answer:
        return Response(await answer.read(), answer.status, media_type=answer.headers.get("content-type"))
