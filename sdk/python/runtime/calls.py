"""One call, whatever the transport: address, headers, body, retries, errors, decoding. Source: RFC 9110, RFC 9457."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import PurePath
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

import httpx

from .address import Param, address, plain
from .config import CallOptions, Config, Facts, Flow, Need, Send, Sleep, back_off, retry_after
from .errors import ApiError, ConnectionError, DecodingError, error_class  # noqa: A004 - ours
from .tokens import Tokens
from .values import UNSET, Codec, Model, decode, encode

T = TypeVar("T")
SCENARIO: ContextVar[str] = ContextVar("kaimen_scenario", default="")
_REPEATABLE = frozenset({429, 502, 503, 504})
_NO_OPTIONS: CallOptions = {}


class PageNames(NamedTuple):
    """How a list goes on: style, parameters by wire name, members of the page by attribute."""

    style: str
    cursor: str
    size: str
    items: str
    next: str


class Operation(NamedTuple, Generic[T]):
    """An operation, as the contract has it."""

    method: str
    path: str
    params: tuple[Param, ...] = ()
    codec: Codec = ""
    answer: str = ""  # json, text, bytes or nothing
    accept: str = "application/json"
    body: str = ""  # json, form, multipart, raw or nothing
    media_type: str = ""
    is_idempotent: bool = False
    pages: PageNames | None = None
    scope: str = ""


class Calls:
    """The flows of a client's calls."""

    def __init__(self, config: Config, facts: Facts) -> None:
        self.config = config
        self.facts = facts
        self.tokens = Tokens(config)

    def open(
        self, operation: Operation[Any], values: Sequence[Any], body: Any, options: CallOptions | None
    ) -> Flow[httpx.Response]:
        """The response of a success, after retries. Raises ApiError, ConnectionError, TimeoutError."""
        call = _Attempts(self.config, self._prepared(operation, values, body, options or _NO_OPTIONS))
        while True:
            token = yield Need(call.scope)
            request = call.request(token, self.tokens)
            try:
                response: httpx.Response = yield Send(request, is_streamed=operation.answer == "bytes")
            except ConnectionError:
                if not call.may_go_on():
                    raise
                yield Sleep(call.next_wait(None))
                continue
            self.tokens.saw(response.headers)
            nonce = response.headers.get("dpop-nonce", "")
            if nonce:
                self.tokens.saw_nonce(call.url, nonce)
            if response.is_success:
                return response
            again = call.again(response, nonce)
            if again == "token":
                self.tokens.forget(call.scope, token)
            if again:
                continue
            error = api_error(response)
            is_passing = response.status_code in _REPEATABLE and call.may_go_on()
            if not is_passing or (error.retry_after or 0) > self.config.most_wait_seconds:
                raise error
            yield Sleep(call.next_wait(error.retry_after))

    def _prepared(
        self, operation: Operation[Any], values: Sequence[Any], body: Any, given: CallOptions
    ) -> "_Prepared":
        path, own = address(operation.path, operation.params, values)
        sent = _Body(operation, body)
        named = {name.lower(): value for name, value in given.get("headers", {}).items()}
        headers = {**self._headers(operation, own, given), **sent.headers, **named}
        is_harmless = operation.method in {"GET", "HEAD"} or operation.is_idempotent
        return _Prepared(
            operation.method, self.config.base_url + path, headers, sent, operation.scope or self.config.scopes,
            given.get("timeout"), given.get("max_retries", self.config.max_retries) if is_harmless else 0,
        )  # fmt: skip

    def value(
        self, operation: Operation[T], values: Sequence[Any], body: Any, options: CallOptions | None
    ) -> Flow[tuple[T, httpx.Response]]:
        """The value of the answer, and the response."""
        response = yield from self.open(operation, values, body, options)
        return self.read(operation, response), response

    def read(self, operation: Operation[T], response: httpx.Response) -> T:
        """The value in a response. Raises DecodingError."""
        found: Any = None
        if operation.answer == "text":
            found = response.text
        elif operation.answer == "json" and response.content:
            where = response.headers.get("request-id", "")
            try:
                found = decode(operation.codec, json.loads(response.content), self.facts.types)
            except ValueError as error:
                raise DecodingError(f"the answer is no JSON ({where})") from error
            except (TypeError, KeyError, AttributeError) as error:
                raise DecodingError(f"the answer does not fit the contract: {error} ({where})") from error
        value: T = found
        return value

    def _headers(
        self, operation: Operation[Any], own: Mapping[str, str], given: CallOptions
    ) -> dict[str, str]:
        headers = {
            **self.config.headers,
            "accept": operation.accept,
            "user-agent": self.config.user_agent,
            **own,
        }
        scenario = given.get("scenario") or SCENARIO.get() or self.config.scenario
        if scenario:
            headers["kaimen-scenario"] = scenario
        if operation.is_idempotent:
            headers["idempotency-key"] = given.get("idempotency_key") or str(uuid.uuid4())
        return headers


class _Prepared(NamedTuple):
    """A call that is ready to be sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: "_Body"
    scope: str
    timeout: float | None
    most: int  # repetitions


class _Attempts:
    """The attempts of one call."""

    def __init__(self, config: Config, call: _Prepared) -> None:
        self._config = config
        self._call = call
        self._count = 0
        self._is_renewed = False
        self._is_challenged = False
        self.url = call.url
        self.scope = call.scope

    def request(self, token: str, tokens: Tokens) -> httpx.Request:
        """The request of the next attempt."""
        call, config = self._call, self._config
        headers = dict(call.headers)
        headers["authorization"] = f"{'DPoP' if config.dpop else 'Bearer'} {token}"
        if config.dpop:
            headers["dpop"] = tokens.proof(call.method, call.url, token)
        return config.request(call.method, call.url, headers, timeout=call.timeout, **call.body.arguments)

    def may_go_on(self) -> bool:
        """Whether the call may be sent again after a failure that passes."""
        return self._count < self._call.most and self._call.body.is_repeatable

    def next_wait(self, told: float | None) -> float:
        """Seconds to wait before the next attempt."""
        self._count += 1
        return back_off(self._count - 1) if told is None else told

    def again(self, response: httpx.Response, nonce: str) -> str:
        """What a 401 asks for, a new `nonce` or a new `token`, each once; "" for nothing."""
        if response.status_code != 401 or not self._call.body.is_repeatable:
            return ""
        if nonce and self._config.dpop and not self._is_challenged:
            self._is_challenged = True
            return "nonce"
        if self._is_renewed or self._config.access_token:
            return ""
        self._is_renewed = True
        return "token"


class _Body:
    """A request's body, as httpx takes it."""

    def __init__(self, operation: Operation[Any], body: Any) -> None:
        self.headers: dict[str, str] = {}
        self.arguments: dict[str, Any] = {}
        self.is_repeatable = True
        if not operation.body or body is None or body is UNSET:
            return
        if operation.body == "multipart":
            parts = _parts(encode_form(body))
            self.arguments = {"files": parts}
            contents = [one[1] if isinstance(one, tuple) else one for _, one in parts]
            self.is_repeatable = all(isinstance(one, str | bytes | bytearray) for one in contents)
            return
        self.headers["content-type"] = operation.media_type
        if operation.body == "json":
            text = json.dumps(encode(body), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            self.arguments = {"content": text.encode()}
        elif operation.body == "form":
            pairs = [(name, plain(encode(one))) for name, one in _pairs(encode_form(body))]
            self.arguments = {"content": urlencode(pairs).encode()}
        elif isinstance(body, str | bytes | bytearray):
            self.arguments = {"content": body.encode() if isinstance(body, str) else bytes(body)}
        else:
            self.is_repeatable = False
            self.arguments = {"content": _chunks(body)}


def encode_form(body: Any) -> Mapping[str, Any]:
    """The members of a form: those of a mapping, or of an object."""
    if not isinstance(body, Model):
        form: Mapping[str, Any] = body
        return form
    members = {one.wire: getattr(body, one.attribute) for one in body.MEMBERS_}
    return {**members, **body.additional_properties}


def _pairs(form: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        (name, one)
        for name, value in form.items()
        if value is not None and value is not UNSET
        for one in (value if isinstance(value, list) else [value])
    ]


def _parts(form: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Parts for httpx: files are bytes, streams, or (file name, content, media type)."""
    made: list[tuple[str, Any]] = []
    for name, one in _pairs(form):
        if isinstance(one, tuple):
            made.append((name, one))
        elif isinstance(one, bytes | bytearray) or hasattr(one, "read"):
            made.append((name, (PurePath(str(getattr(one, "name", name))).name, one)))
        else:
            made.append((name, (None, plain(encode(one)))))
    return made


def _chunks(body: Any) -> Any:
    """A file in chunks; anything else iterates itself."""
    return _read(body) if hasattr(body, "read") and not hasattr(body, "__aiter__") else body


def _read(body: Any) -> Iterable[bytes]:
    while chunk := body.read(65536):
        yield chunk


def api_error(response: httpx.Response) -> ApiError:
    """The error of a response that was read, whatever is in it."""
    try:
        found = json.loads(response.content)
    except ValueError:
        found = None
    problem = found if isinstance(found, dict) else {}
    status = response.status_code
    return error_class(status)(status, problem, response.headers, retry_after(response.headers))
