"""Reads the bodies of requests: bounded in bytes, time and depth, and checked."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web
from pydantic import ValidationError

from inzwa_rtc.errors import PeerError
from signaling.api.operation import JsonBody, M
from signaling.api.uploads import room_for

BODY_TIMEOUT_S = 10.0
MAX_DEPTH = 32

# A string that does not end is one as far as it goes: looked for anew behind each quotation mark
# in it, it would take the square of its length.
_BRACKETS_AND_STRINGS = re.compile(r'[\[{}\]]|"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_LARGE_BYTES = 1 << 20
_THREAD_BYTES = 1 << 16  # what may take longer to read than a frame of audio may wait


async def read_bytes(request: web.Request, limit: int, seconds: float = BODY_TIMEOUT_S) -> bytes:
    """The body. Raises `PeerError` (too large, compressed, broken), `Unavailable` (there is no
    room for a large one now) and `TimeoutError` (slow)."""
    check_plain(request)
    if request.content_length is not None and request.content_length > limit:
        raise too_large(limit)
    body = bytearray()
    try:
        with room_for(request, limit):
            async with asyncio.timeout(seconds):
                async for piece in request.content.iter_any():
                    body += piece
                    if len(body) > limit:
                        raise too_large(limit)
    except web.RequestPayloadError:
        raise _broken() from None
    return bytes(body)


async def read_text(request: web.Request, limit: int, seconds: float = BODY_TIMEOUT_S) -> str:
    """The body as text. Raises what `read_bytes` raises, and `PeerError` (not UTF-8)."""
    try:
        return (await read_bytes(request, limit, seconds)).decode()
    except UnicodeDecodeError:
        raise PeerError("The body is not UTF-8.", action="Send UTF-8 text.") from None


async def read_json(
    request: web.Request, model: type[M], limit: int, seconds: float = BODY_TIMEOUT_S
) -> M:
    """The body as an object of this model, `limit` in bytes. Raises `PeerError`, naming the
    member that is wrong but not its value, `Unavailable` and `TimeoutError`."""
    _check_json(request)
    return await _parsed(model, await read_text(request, limit, seconds))


async def read_optional_json(
    request: web.Request, body: JsonBody[M], limit: int, seconds: float = BODY_TIMEOUT_S
) -> M:
    """The body as `read_json` reads it; the model's defaults where there is none, however that is
    announced."""
    assert body.is_optional  # for the document says so
    text = await read_text(request, limit, seconds) if request.body_exists else ""
    if not text:
        return body.model()
    _check_json(request)
    return await _parsed(body.model, text)


def parse_json(model: type[M], text: str) -> M:
    """An object of this model. Raises `PeerError`."""
    if is_deep(text):
        raise PeerError(
            f"The JSON is nested more than {MAX_DEPTH} deep.",
            action="Send flatter JSON; docs/clients.md shows each body.",
            code="bad_json",
        )
    try:
        return model.model_validate_json(text)
    except (ValidationError, UnicodeError) as error:
        raise bad_json(error) from None


def bad_json(error: ValidationError | UnicodeError) -> PeerError:
    """What is wrong with a body, without a value of it."""
    place, what = "body", "is not Unicode text"
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part)[:50] for part in first["loc"]) or "body"
        what = str(first["msg"]).removeprefix("Value error, ")
        if first["type"] == "json_invalid":
            what = "is not valid JSON"
    return PeerError(f"`{place}`: {what}.", action="See /docs for what it takes.", code="bad_json")


def check_plain(request: web.Request) -> None:
    """Raises `PeerError` for a compressed body: a small one may be large, and nobody needs it."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise PeerError(
            "The body is compressed.",
            action="Send it without Content-Encoding.",
            code="unsupported_encoding",
            status=415,
        )


def unsupported_media_type(wanted: str) -> PeerError:
    """The body is of another kind than `wanted`."""
    return PeerError(
        "This content type is not understood.",
        action=f"Send {wanted}.",
        code="unsupported_media_type",
        status=415,
    )


def _check_json(request: web.Request) -> None:
    if request.content_type != "application/json":
        raise unsupported_media_type("application/json")


async def _parsed(model: type[M], text: str) -> M:
    if len(text) > _THREAD_BYTES:
        return await asyncio.to_thread(parse_json, model, text)
    return parse_json(model, text)


def _broken() -> PeerError:
    return PeerError(
        "The body does not come as it was announced.",
        action="Send as many bytes, or chunks, as the headers say.",
        code="bad_body",
    )


def too_large(limit: int) -> PeerError:
    """The body is larger than `limit` bytes."""
    return PeerError(
        f"The body is larger than {limit} bytes.",
        action="Send less.",
        code="too_large",
        status=413,
    )


def seconds_for(limit: int) -> float:
    """How long a body of so many bytes may take: a phone's line carries half a megabit."""
    return BODY_TIMEOUT_S + limit / 64_000


def is_deep(text: str) -> bool:
    """Whether a text is nested deeper than is allowed of JSON. A large one may not have more
    brackets than that in all: what is large in a body is sound, and looking for its strings would
    hold up calls."""
    brackets = text.count("[") + text.count("{")
    if brackets <= MAX_DEPTH:
        return False
    return len(text) > _LARGE_BYTES or _depth(text) > MAX_DEPTH


def _depth(text: str) -> int:
    deepest = depth = 0
    for found in _BRACKETS_AND_STRINGS.finditer(text):
        if found[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in "]}":
            depth -= 1
        if deepest > MAX_DEPTH:
            break
    return deepest
