"""The HTTP surface as data: one `Operation` for each path and method.

The routes, the checks of who asks, and the OpenAPI document are made from the same list, so that
they cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from aiohttp import HttpVersion11, web
from pydantic import BaseModel

from signaling.access.caller import Caller
from signaling.api.underway import Underway

Access = Literal["anyone", "caller", "call", "resume", "admin", "metrics"]
"""Who may ask: anybody; who may call (a key, a start token, or anybody on an open server); who
holds this very call (its call token, or a key); who began it, and may still call; who administers
the server; who may see how it fares (an administrator, or anybody on an open server)."""

Counted = Literal["calls", "relays", "engines", "tokens", "requests"]
"""By which rate a request counts: it starts a call, or asks for access to a relay before it does,
which a start token lets one do as well; it has an engine work; it asks for a start token; none of
these."""

ErrorShape = Literal["native", "openai"]
"""`{code, message, action}`, or `{"error": {message, type, param, code}}`."""

M = TypeVar("M", bound=BaseModel)

_PARAMETER = re.compile(r"\{(\w+)\}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class JsonBody(Generic[M]):
    """A JSON object, read with `signaling.api.body.read_json`. One that `is_optional` may be left
    out, which means the model's defaults: it is read with `read_optional_json`."""

    model: type[M]
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class FormBody:
    """`multipart/form-data`: `files` are the names of parts that are files (the first one must be
    there), `model` describes the other parts."""

    files: tuple[str, ...]
    model: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True)
class RawBody:
    """Anything of these media types."""

    media_types: tuple[str, ...]


Body = JsonBody[Any] | FormBody | RawBody


@dataclass(frozen=True, slots=True)
class Answer:
    """One way in which a request may end well. `model` is the JSON body's, or that of the data of
    an event of a stream; None for bytes, and for nothing where there is no `media_type`. A stream
    may have `other_events`, and it may end in an error."""

    status: int = 200
    description: str = "Done."
    model: type[BaseModel] | None = None
    media_type: str = "application/json"
    other_events: tuple[type[BaseModel], ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One path and method. `path` has its parameters in braces, which are strings; `query`
    describes those behind the question mark. Of `body` any one is taken. The docstring of
    `handler` is the description that users read. `refusals` are statuses of errors beside those
    that any request may end in."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    path: str
    handler: Handler
    summary: str
    access: Access = "caller"
    tag: str = "calls"
    body: tuple[Body, ...] = ()
    query: type[BaseModel] | None = None
    answers: tuple[Answer, ...] = (Answer(),)
    refusals: tuple[int, ...] = ()
    counts_as: Counted | None = None
    """None: `engines` for what a caller posts, else `requests`."""
    errors: ErrorShape = "native"
    is_listed: bool = True
    """Whether the document names it."""

    @property
    def counted(self) -> Counted:
        """By which rate it counts."""
        is_work = self.method == "POST" and self.access == "caller"
        return self.counts_as or ("engines" if is_work else "requests")


class Gate(Protocol):
    """Decides who may ask for what."""

    async def admit(self, request: web.Request, operation: Operation) -> Caller:
        """Who asks. Raises `PeerError` (401, 403, 404, 429) and `Unavailable`."""
        ...

    def not_served(self, caller: Caller) -> None:
        """What they asked for did not come about."""
        ...


CALLER = web.RequestKey("caller", Caller)
OPERATIONS = web.AppKey("operations", list[Operation])


def caller_of(request: web.Request) -> Caller:
    """Who asks, in a handler of an operation."""
    return request[CALLER]


def add_operations(
    app: web.Application, operations: Iterable[Operation], gate: Gate, underway: Underway
) -> None:
    """Add their routes to the application, each behind the gate."""
    app[OPERATIONS] = listed = list(operations)
    for operation in listed:
        handler = _guarded(operation, gate, underway)
        methods = [operation.method, *(["HEAD"] if _has_head(operation) else [])]
        path = _PARAMETER.sub(r"{\1:[^/]+}", operation.path)  # aiohttp's own takes no braces
        for method in methods:
            app.router.add_route(method, path, handler, expect_handler=_go_on)


def path_as_declared(request: web.Request) -> str | None:
    """The path with its parameters in braces, as logs may tell it; None for one that is none of
    the server's. What was asked for may be anybody's word."""
    resource = request.match_info.route.resource
    return None if resource is None else resource.canonical


def shape_of_errors(request: web.Request) -> ErrorShape:
    """In which shape this request's errors are told, also those from before its handler began."""
    path = path_as_declared(request)
    same_path = (one.errors for one in request.app[OPERATIONS] if one.path == path)
    return next(same_path, "native")


def _has_head(operation: Operation) -> bool:
    """Whether what GET would answer may be asked for without it: a socket and a stream of events
    are nothing without their content."""
    is_whole = all(
        one.status != 101 and one.media_type != "text/event-stream" for one in operation.answers
    )
    return operation.method == "GET" and is_whole


async def _go_on(request: web.Request) -> web.StreamResponse | None:
    """What is answered to `Expect` before the body comes. An expectation that is not known is
    ignored, as RFC 9110 (10.1.1) allows."""
    is_known = request.headers.get("Expect", "").lower() == "100-continue"
    if is_known and request.version == HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
    return None


def _guarded(operation: Operation, gate: Gate, underway: Underway) -> Handler:
    counted = underway.one if operation.counted == "engines" else nullcontext

    async def handle(request: web.Request) -> web.StreamResponse:
        caller = request[CALLER] = await gate.admit(request, operation)
        try:
            with counted():
                return await operation.handler(request)
        except BaseException:
            gate.not_served(caller)
            raise

    return handle
