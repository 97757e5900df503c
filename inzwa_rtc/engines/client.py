"""The three contracts, served by an engine's process.

A request waits while its engine's process is being started; how long is the caller's to
decide. All that goes wrong is an `EngineError`. Closing a stream early closes its
connection, and that stops the work in the process.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, TypeVar

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientWebSocketResponse,
    ServerDisconnectedError,
    WSMsgType,
)

from inzwa_rtc.engines import wire, wire_dialogue
from inzwa_rtc.engines.child import Child, cut_off
from inzwa_rtc.engines.contracts import (
    RecognizeRequest,
    ReplyRequest,
    SpeechChunk,
    SpeechRequest,
    TokenChunk,
    ToolCall,
    TranscriptChunk,
    without_tools,
)
from inzwa_rtc.engines.host import ToldByLanguageModel, ToldByRecognizer, ToldBySynthesizer
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.errors import EngineError

_Opened = TypeVar("_Opened", ClientResponse, ClientWebSocketResponse)

_NOBODY_THERE = {errno.ECONNREFUSED, errno.ENOENT, errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}


class RecognizerClient(ToldByRecognizer):
    """`Recognizer` over an engine's process."""

    def __init__(self, process: EngineProcess) -> None:
        super().__init__(process)
        self._process = process

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        query = {} if request.language is None else {"language": request.language}
        if request.translate:
            query["translate"] = "1"
        connection = await _begin(self._process, lambda child: child.connect("/v1/asr", query))
        window = asyncio.Semaphore(wire.WINDOW_PIECES)
        feeding = asyncio.create_task(_feed(connection, audio, window))
        try:
            with self._process.request():
                async for data in _answers(connection, feeding, window):
                    yield _decoded(wire.transcript_from, data)
        finally:
            cut_off(connection)
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await connection.close()


class LanguageModelClient(ToldByLanguageModel):
    """`LanguageModel` over an engine's process."""

    def __init__(self, process: EngineProcess) -> None:
        super().__init__(process)
        self._process = process

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        body = wire_dialogue.reply_request_to(await self._understood(request))
        async with aclosing(_stream(self._process, "/v1/chat", body)) as answer:
            async for data in answer:
                yield _decoded(wire_dialogue.token_from, data)

    async def prepare(self, request: ReplyRequest) -> None:
        """Have the dialogue read ahead, by an engine that can."""
        if not self._process.description.get("can_prepare"):
            return
        body = wire_dialogue.reply_request_to(await self._understood(request))
        async with aclosing(_stream(self._process, "/v1/prepare", body)) as answer:
            async for _ in answer:
                pass

    async def _understood(self, request: ReplyRequest) -> ReplyRequest:
        """What the engine can be asked, which is known once it is loaded."""
        if not self._process.description:
            await self._process.ready()
        return request if self.takes_tools else without_tools(request)


class SynthesizerClient(ToldBySynthesizer):
    """`Synthesizer` over an engine's process, which must have been ready once before
    anything is read of what it tells of itself."""

    def __init__(self, process: EngineProcess) -> None:
        super().__init__(process)
        self._process = process

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        body = wire.speech_request_to(request)
        async with aclosing(_stream(self._process, "/v1/tts", body)) as answer:
            async for data in answer:
                yield replace(_decoded(wire.speech_from, data), engine=self._process.spec.name)


async def _begin(
    process: EngineProcess, open_with: Callable[[Child], Awaitable[_Opened]]
) -> _Opened:
    """Open a request with the process that serves now, or with the next one if this one
    ended before it took the request (it sends headers before its engine begins)."""
    while True:
        child = await process.ready()
        try:
            return await open_with(child)
        except (ClientError, OSError) as error:
            if not child.gone.is_set() and not _nobody_there(error):
                raise _lost(error) from error
        await child.gone.wait()


def _nobody_there(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _NOBODY_THERE
    return isinstance(error, ServerDisconnectedError | ConnectionError)


async def _stream(
    process: EngineProcess, path: str, body: Mapping[str, Any]
) -> AsyncGenerator[dict[str, Any], None]:
    response = await _begin(process, lambda child: child.post(path, body))
    try:
        if response.status != 200:
            wire.is_last(wire.from_json(await response.read()))
            raise wire.garbled()
        async with aclosing(wire.from_lines(response.content.iter_any())) as answer:
            with process.request():
                async for data in answer:
                    yield data
    except (ClientError, OSError, RuntimeError) as error:
        # aiohttp's reader says RuntimeError when its connection broke before it was read.
        raise _lost(error) from error
    finally:
        response.close()


async def _feed(
    connection: ClientWebSocketResponse, audio: AsyncIterator[bytes], window: asyncio.Semaphore
) -> None:
    """Send the utterance, no faster than the engine takes it."""
    try:
        async for piece in audio:
            for start in range(0, len(piece), wire.PIECE_BYTES):
                await window.acquire()
                await _send(connection, piece[start : start + wire.PIECE_BYTES])
        await _send(connection, wire.END)
    except Exception:
        # The audio's own error: it wakes whoever reads the answer, and is raised there.
        cut_off(connection)
        raise


async def _send(connection: ClientWebSocketResponse, message: bytes | Mapping[str, Any]) -> None:
    # A broken connection is seen, and told, by whoever reads the answer.
    with suppress(ClientError, OSError):
        if isinstance(message, bytes):
            await connection.send_bytes(message)
        else:
            await connection.send_json(message)


async def _answers(
    connection: ClientWebSocketResponse, feeding: asyncio.Task[None], window: asyncio.Semaphore
) -> AsyncGenerator[dict[str, Any], None]:
    while True:
        try:
            message = await connection.receive()
        except (ClientError, OSError) as error:
            raise _lost(error) from error
        if message.type is not WSMsgType.TEXT:
            break
        data = wire.from_json(message.data)
        if data == wire.TAKEN:
            window.release()
        elif wire.is_last(data):
            return
        else:
            yield data
    if feeding.done():
        feeding.result()
    raise wire.cut()


_Data = TypeVar("_Data")


def _decoded(decode: Callable[[Mapping[str, Any]], _Data], data: Mapping[str, Any]) -> _Data:
    try:
        return decode(data)
    except (KeyError, TypeError, ValueError):
        raise wire.garbled() from None


def _lost(error: Exception) -> EngineError:
    return EngineError(
        f"The connection to the engine's process broke ({type(error).__name__}).",
        action="It is restarted by itself; ask again.",
    )
