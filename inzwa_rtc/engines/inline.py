"""Engines within the server's own process: for load tests, and for engines that never compute.

Nothing lies between such an engine and the calls: what it computes on the loop stops all of
them, and what ends it ends the server. In return a request costs next to nothing, so that what
is measured is the server (`benchmarks/stub.yaml`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import structlog

from inzwa_rtc.engines import registry
from inzwa_rtc.engines.client import LanguageModelClient, RecognizerClient, SynthesizerClient
from inzwa_rtc.engines.contracts import (
    LanguageModel,
    Recognizer,
    RecognizeRequest,
    ReplyRequest,
    SpeechChunk,
    SpeechRequest,
    Synthesizer,
    TokenChunk,
    ToolCall,
    TranscriptChunk,
    without_tools,
)
from inzwa_rtc.engines.host import (
    EngineHost,
    HostState,
    ToldByLanguageModel,
    ToldByRecognizer,
    ToldBySynthesizer,
)
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.engines.routes import check_translates, describe, failure
from inzwa_rtc.errors import EngineTimeout, EngineUnavailable

_Chunk = TypeVar("_Chunk")

_log = structlog.get_logger(__name__)


class Inline:
    """One engine in this process (`EngineHost`). It is never restarted: it cannot end alone."""

    def __init__(self, launch: Launch, *, start_timeout_s: float = 60.0) -> None:
        self.restarts = 0
        self.in_flight = 0
        self.state: HostState = "starting"
        self.launch = launch
        self.start_timeout_s = start_timeout_s
        self.pid: int | None = None  # none of its own
        self._engine: Any = None
        self._description: Mapping[str, Any] = {}
        self._settled = asyncio.Event()  # ready, or never to be

    @property
    def spec(self) -> EngineSpec:
        """Which engine it is."""
        return self.launch.spec

    @property
    def description(self) -> Mapping[str, Any]:
        """What the engine says of itself."""
        return self._description

    @property
    def model(self) -> str:
        """The model that it has loaded, as it tells it; empty where it tells none."""
        return str(self._description.get("details", {}).get("model", ""))

    async def ready(self) -> Any:
        """The engine itself. Raises `EngineUnavailable` when there is none (any more)."""
        await self._settled.wait()
        if self._engine is None:
            raise EngineUnavailable(
                f"The {self.spec.kind} engine `{self.spec.name}` is not running.",
                action="Start the server again.",
            )
        return self._engine

    async def start(self) -> None:
        """Load the engine, in a thread. Raises what `registry.load` raises, and `EngineTimeout`."""
        try:
            async with asyncio.timeout(self.start_timeout_s):
                loading = asyncio.to_thread(registry.load, self.spec, self.launch.options)
                self._engine = await loading
        except TimeoutError:
            self._settle("failed")
            raise EngineTimeout(
                f"The {self.spec.kind} engine `{self.spec.name}` did not load within "
                f"{self.start_timeout_s:g} s.",
                action="Raise `timeouts.engine_start`.",
            ) from None
        except BaseException:
            self._settle("failed")
            raise
        self._description = describe(self.spec, self._engine)
        self._settle("ready")
        _log.info("engine.ready", kind=self.spec.kind, engine=self.spec.name, runs="inline")

    async def supervise(self) -> None:
        """Wait to be cancelled: what could be watched is this very process."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """End the engine; requests that run go on until they fail by it."""
        engine, self._engine = self._engine, None
        self._settle("failed" if self.state == "failed" else "stopped")
        if engine is not None:
            await asyncio.to_thread(engine.close)

    async def stream(
        self, begin: Callable[[Any], AsyncGenerator[_Chunk, None]]
    ) -> AsyncGenerator[_Chunk, None]:
        """What a request yields, once the engine is ready. Raises `EngineError` for whatever
        goes wrong in it."""
        engine = await self.ready()
        with self._counted():
            try:
                async with aclosing(begin(engine)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except Exception as error:
                raise failure(self.spec, error) from error

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    def _settle(self, state: HostState) -> None:
        self.state = state
        self._settled.set()


class InlineRecognizer(ToldByRecognizer):
    """`Recognizer` over an engine in this process."""

    def __init__(self, host: Inline) -> None:
        super().__init__(host)
        self._inline = host

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        def begin(engine: Any) -> AsyncGenerator[TranscriptChunk, None]:
            check_translates(self._inline.spec, engine, request)
            chunks: AsyncGenerator[TranscriptChunk, None] = engine.recognize(audio, request)
            return chunks

        async with aclosing(self._inline.stream(begin)) as chunks:
            async for chunk in chunks:
                yield chunk


class InlineLanguageModel(ToldByLanguageModel):
    """`LanguageModel` over an engine in this process."""

    def __init__(self, host: Inline) -> None:
        super().__init__(host)
        self._inline = host

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        def begin(engine: Any) -> AsyncGenerator[TokenChunk | ToolCall, None]:
            chunks: AsyncGenerator[TokenChunk | ToolCall, None] = engine.reply(
                request if self.takes_tools else without_tools(request)
            )
            return chunks

        async with aclosing(self._inline.stream(begin)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def prepare(self, request: ReplyRequest) -> None:
        """Have the dialogue read ahead, by an engine that can."""
        engine = await self._inline.ready()
        if not self._inline.description["can_prepare"]:
            return
        try:
            await engine.prepare(request if self.takes_tools else without_tools(request))
        except Exception as error:
            raise failure(self._inline.spec, error) from error


class InlineSynthesizer(ToldBySynthesizer):
    """`Synthesizer` over an engine in this process."""

    def __init__(self, host: Inline) -> None:
        super().__init__(host)
        self._inline = host

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        def begin(engine: Any) -> AsyncGenerator[SpeechChunk, None]:
            chunks: AsyncGenerator[SpeechChunk, None] = engine.synthesize(request)
            return chunks

        async with aclosing(self._inline.stream(begin)) as chunks:
            async for chunk in chunks:
                yield replace(chunk, engine=self._inline.spec.name)


def hosted(launch: Launch, *, start_timeout_s: float) -> EngineHost:
    """The place in which this engine is to run."""
    if launch.runs == "inline":
        return Inline(launch, start_timeout_s=start_timeout_s)
    return EngineProcess(launch, start_timeout_s=start_timeout_s)


def asked_to_recognize(host: EngineHost) -> Recognizer:
    """The recogniser that runs there."""
    return InlineRecognizer(host) if isinstance(host, Inline) else RecognizerClient(_process(host))


def asked_for_replies(host: EngineHost) -> LanguageModel:
    """The language model that runs there."""
    if isinstance(host, Inline):
        return InlineLanguageModel(host)
    return LanguageModelClient(_process(host))


def asked_to_speak(host: EngineHost) -> Synthesizer:
    """The synthesizer that runs there."""
    return (
        InlineSynthesizer(host) if isinstance(host, Inline) else SynthesizerClient(_process(host))
    )


def _process(host: EngineHost) -> EngineProcess:
    assert isinstance(host, EngineProcess)
    return host
