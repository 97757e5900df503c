"""The HTTP surface of one engine, as its process serves it (see `service`).

| route | answer |
|---|---|
| `GET /healthz` | 200: the process lives and its loop turns |
| `GET /v1/engine` | kind, name, `details` (its model, its device, ...), `abilities`, and where
it has them `sample_rate`, `voices`, `max_chars`, `fingerprint` and `can_prepare` |
| `POST /v1/chat` | a reply, token by token |
| `POST /v1/prepare` | `{"done": true}` once the dialogue has been read ahead |
| `POST /v1/tts` | speech, chunk by chunk |
| `GET /v1/asr` | a WebSocket: binary audio in, `{"type": "end"}` last; transcripts out |

While audio comes in, `{"taken": 1}` goes out for each piece that the engine took.
`wire` has the form of the data. A client that leaves cancels its request at once.
"""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import asdict
from pathlib import PurePath
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any, TypeVar

from aiohttp import WSMsgType, web

from inzwa_rtc.engines import wire, wire_dialogue
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, RecognizeRequest
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.errors import EngineError, InzwaError
from inzwa_rtc.language import base_language

_Chunk = TypeVar("_Chunk")

_MAX_BODY_BYTES = 16 * 1024 * 1024
_SEND_BUFFER_BYTES = 32 * 1024


def application(spec: EngineSpec, engine: Any, max_concurrent: int | None) -> web.Application:
    """The engine's HTTP surface; `max_concurrent` generators of a synthesizer advance at
    one time (None: all)."""
    service = _Service(spec, engine, max_concurrent)
    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    app.router.add_get("/healthz", service.health)
    app.router.add_get("/v1/engine", service.describe)
    if spec.kind == "asr":
        app.router.add_get("/v1/asr", service.recognize)
    elif spec.kind == "llm":
        app.router.add_post("/v1/chat", service.reply)
        app.router.add_post("/v1/prepare", service.prepare)
    else:
        app.router.add_post("/v1/tts", service.synthesize)
    return app


def describe(spec: EngineSpec, engine: Any) -> dict[str, Any]:
    """What `GET /v1/engine` says of the engine."""
    description: dict[str, Any] = {
        "kind": spec.kind,
        "name": spec.name,
        "details": dict(getattr(engine, "details", {})),
        "abilities": list(getattr(engine, "abilities", ())),
    }
    if spec.kind == "asr":
        description["sample_rate"] = ASR_SAMPLE_RATE
        description["languages"] = list(getattr(engine, "languages", ()))
    elif spec.kind == "llm":
        description["can_prepare"] = hasattr(engine, "prepare")
    elif spec.kind == "tts":
        description["sample_rate"] = engine.sample_rate
        description["voices"] = [asdict(voice) for voice in engine.voices]
        description["max_chars"] = getattr(engine, "max_chars", None)
        description["fingerprint"] = getattr(engine, "fingerprint", "")
    return description


def place(error: BaseException) -> str:
    """The error's type and where it was raised: all that may be told of an error that is
    not ours, since its message may quote what a caller said."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def check_translates(spec: EngineSpec, engine: Any, asked: RecognizeRequest) -> None:
    """Raise `EngineError` where translation is asked of an engine that cannot: it would write
    down what the words sound like in English."""
    if not asked.translate or "translates" in getattr(engine, "abilities", ()):
        return
    if base_language(asked.language or "") != "en":
        raise EngineError(
            f"The recogniser `{spec.name}` cannot translate to English.",
            action="Choose one with the ability `translates` (`inzwa-rtc engines`), or say"
            " that the language is `en` where it is.",
            code="cannot_translate",
        )


def failure(spec: EngineSpec, error: Exception) -> InzwaError:
    """What may be told of an engine's error: ours as it is, of others no word of their own."""
    if isinstance(error, InzwaError):
        return error
    return EngineError(
        f"The {spec.kind} engine `{spec.name}` failed: {place(error)}.",
        action="Report it to the engine's author.",
    )


class _Service:
    def __init__(self, spec: EngineSpec, engine: Any, max_concurrent: int | None) -> None:
        self._spec = spec
        self._engine = engine
        self._slots: AbstractAsyncContextManager[Any] = (
            nullcontext() if max_concurrent is None else asyncio.Semaphore(max_concurrent)
        )

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def describe(self, request: web.Request) -> web.Response:
        return web.json_response(describe(self._spec, self._engine))

    async def reply(self, request: web.Request) -> web.StreamResponse:
        asked = await _body(request, wire_dialogue.reply_request_from)
        return await self._answer(
            request, lambda: self._engine.reply(asked), wire_dialogue.token_to
        )

    async def prepare(self, request: web.Request) -> web.StreamResponse:
        asked = await _body(request, wire_dialogue.reply_request_from)
        return await self._answer(
            request, lambda: _nothing_after(self._engine.prepare(asked)), dict
        )

    async def synthesize(self, request: web.Request) -> web.StreamResponse:
        asked = await _body(request, wire.speech_request_from)
        return await self._answer(
            request,
            lambda: _in_turn(self._engine.synthesize(asked), self._slots),
            wire.speech_to,
        )

    async def recognize(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            compress=False, max_msg_size=2 * wire.PIECE_BYTES, timeout=1.0
        )
        await socket.prepare(request)
        asked = RecognizeRequest(request.query.get("language"), "translate" in request.query)
        last = wire.DONE
        try:
            check_translates(self._spec, self._engine, asked)
            async with (
                aclosing(_audio(socket)) as audio,
                aclosing(self._engine.recognize(audio, asked)) as chunks,
            ):
                async for chunk in chunks:
                    await socket.send_json(wire.transcript_to(chunk))
        except Exception as error:  # noqa: BLE001 - the engine's edge: told to the caller
            last = {"error": wire.error_to(failure(self._spec, error))}
        if not socket.closed:
            await socket.send_json(last)
            await socket.close()
        return socket

    async def _answer(
        self,
        request: web.Request,
        start: Callable[[], AsyncGenerator[_Chunk, None]],
        encode: Callable[[_Chunk], dict[str, Any]],
    ) -> web.StreamResponse:
        _keep_send_buffer_small(request)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        # Headers leave before the engine sees the request: without them a client
        # knows that it may ask again.
        await response.prepare(request)
        last = wire.DONE
        try:
            async with aclosing(start()) as chunks:
                async for chunk in chunks:
                    await response.write(wire.to_line(encode(chunk)))
        except Exception as error:  # noqa: BLE001 - the engine's edge: told to the caller
            last = {"error": wire.error_to(failure(self._spec, error))}
        await response.write(wire.to_line(last))
        return response


async def _nothing_after(work: Awaitable[None]) -> AsyncGenerator[dict[str, Any], None]:
    """A stream that ends, empty, when the work has."""
    await work
    return
    yield


async def _in_turn(
    chunks: AsyncGenerator[_Chunk, None], slots: AbstractAsyncContextManager[Any]
) -> AsyncGenerator[_Chunk, None]:
    """Advance the stream inside a slot, and hold none while its chunks are sent: a listener
    who stalls must not silence the others."""
    async with aclosing(chunks):
        while True:
            async with slots:
                try:
                    chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
            yield chunk


async def _audio(socket: web.WebSocketResponse) -> AsyncGenerator[bytes, None]:
    """The pieces of an utterance, each acknowledged when the engine takes it."""
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await socket.send_json(wire.TAKEN)
            yield message.data
        elif message.type is WSMsgType.TEXT and json.loads(message.data) == wire.END:
            return
    raise ConnectionResetError("the caller left before the utterance ended")


async def _body(request: web.Request, decode: Callable[[Mapping[str, Any]], _Chunk]) -> _Chunk:
    try:
        return decode(await request.json())
    except (ValueError, KeyError, TypeError) as error:
        message = f"The request's body is not valid: {type(error).__name__}."
        raise web.HTTPBadRequest(
            text=json.dumps({"error": {"code": "bad_request", "message": message}}),
            content_type="application/json",
        ) from None


def _keep_send_buffer_small(request: web.Request) -> None:
    # A listener who stalls stops the engine after seconds of audio, not tens of them.
    if request.transport is not None:
        sender = request.transport.get_extra_info("socket")
        sender.setsockopt(SOL_SOCKET, SO_SNDBUF, _SEND_BUFFER_BYTES)
