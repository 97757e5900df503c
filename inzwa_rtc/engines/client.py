"""The three contracts, served by an engine's process.

A request waits while its engine's process is being started; how long is the caller's to
decide. All that goes wrong is an `EngineError`. Closing a stream early closes its
connection, and that stops the work in the process.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
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
    Speaker,
    SpeechChunk,
    SpeechRequest,
    TokenChunk,
    ToolCall,
    TranscriptChunk,
    Voice,
    without_tools,
)
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.errors import EngineError, EngineUnavailable

_Opened = TypeVar("_Opened", ClientResponse, ClientWebSocketResponse)

_NOBODY_THERE = {errno.ECONNREFUSED, errno.ENOENT, errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}


class _Client:
    """Asks one engine's process."""

    def __init__(self, process: EngineProcess) -> None:
        self._process = process

    async def loaded(self) -> None:
        """Return once the engine serves. Raises `EngineUnavailable`."""
        await self._process.ready()


class RecognizerClient(_Client):
    """`Recognizer` over an engine's process."""

    @property
    def languages(self) -> Sequence[str]:
        """As in `LanguageKnowingRecognizer`; none before it was ever loaded."""
        told: Sequence[str] = self._process.description.get("languages", ())
        return told

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


class LanguageModelClient(_Client):
    """`LanguageModel` over an engine's process."""

    @property
    def takes_tools(self) -> bool:
        """As in `ToolUsingLanguageModel`."""
        return "tools" in self._process.description.get("abilities", ())

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


class SynthesizerClient(_Client):
    """`Synthesizer` over an engine's process, which must have been ready once before
    anything is read of what it tells of itself."""

    def __init__(self, process: EngineProcess) -> None:
        super().__init__(process)
        self._described: Mapping[str, Any] = {}
        self._voices: tuple[Voice, ...] = ()

    @property
    def sample_rate(self) -> int:
        rate: int = self._description()["sample_rate"]
        return rate

    @property
    def voices(self) -> Sequence[Voice]:
        description = self._description()
        if description is not self._described:
            voices = map(wire.voice_from, description["voices"])
            name = self._process.spec.name
            self._voices = tuple(replace(voice, engine=name) for voice in voices)
            self._described = description
        return self._voices

    @property
    def max_chars(self) -> int | None:
        """The longest text of one request; None where there is no limit."""
        longest: int | None = self._description()["max_chars"]
        return longest

    @property
    def fingerprint(self) -> str:
        """As in `IdentifiedSynthesizer`; empty where the engine has none."""
        told: str = self._description()["fingerprint"]
        return told

    def speaker(self, voice: str | None, language: str) -> Speaker:
        """Itself."""
        told = self._process.description.get("fingerprint", "")
        if told and self.voices:
            told = f"{told} {self.voices[0].id}"  # whom a request without a voice is for
        return Speaker(self._process.spec.name, told)

    def model_of(self, engine: str) -> str:
        """The model that this engine speaks with."""
        return self._process.model

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        body = wire.speech_request_to(request)
        async with aclosing(_stream(self._process, "/v1/tts", body)) as answer:
            async for data in answer:
                yield replace(_decoded(wire.speech_from, data), engine=self._process.spec.name)

    def _description(self) -> Mapping[str, Any]:
        if not self._process.description:
            raise EngineUnavailable(
                "The speech engine is not loaded yet.", action="Wait until it is ready."
            )
        return self._process.description


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
