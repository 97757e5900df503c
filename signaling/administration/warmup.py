"""Has every engine loaded and asked once: the next caller need not wait for a first time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal, Protocol, assert_never, runtime_checkable

import structlog
from aiohttp import web
from pydantic import BaseModel

from inzwa_rtc.engines.contracts import EngineKind, RecognizeRequest, SpeechRequest
from inzwa_rtc.errors import EngineTimeout, InzwaError, PeerError
from inzwa_rtc.settings import Settings
from signaling.api.operation import Answer, Operation
from signaling.api.streams import send_bytes
from signaling.switchboard import Switchboard
from signaling.warmup import first_request, silence

NDJSON = "application/x-ndjson"
TOKENS = 8  # a provider's bill stays small, and more says no more
WORDS = "Hello."

StepName = Literal["load", "request"]

log = structlog.get_logger(__name__)


class WarmUpStep(BaseModel):
    """One line of the answer: a step of one engine's begins (`running`), or has ended. `code` and
    `message` say why it failed."""

    kind: str
    engine: str
    step: StepName
    status: Literal["running", "ok", "error"]
    ms: float | None = None
    code: str | None = None
    message: str | None = None


@runtime_checkable
class Loading(Protocol):
    """An engine that is loaded elsewhere."""

    async def loaded(self) -> None:
        """Return once it serves. Raises `EngineError`."""
        ...


class WarmUp:
    """The handler of `/v1/admin/warmup`."""

    def __init__(self, switchboard: Switchboard[Any]) -> None:
        self._switchboard = switchboard
        self._running = asyncio.Lock()

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("POST", "/v1/admin/warmup", self.run, "Load every engine and ask it once"),
                access="admin",
                tag="admin",
                answers=(Answer(200, "One line for each step.", WarmUpStep, NDJSON),),
                refusals=(409,),
            )
        ]

    async def run(self, request: web.Request) -> web.StreamResponse:
        """Each engine, those too that stand in for others, is waited for until it has loaded and
        then asked for one thing: to hear a moment of silence, to say eight tokens, to speak a
        word. Providers bill that. Answers line by line as it goes (NDJSON). Calls go on
        meanwhile. 409 while another one runs; who hangs up ends it."""
        if self._running.locked():
            raise PeerError(
                "A warm-up is running.",
                action="Wait for its end.",
                code="warmup_running",
                status=409,
            )
        async with self._running:
            return await send_bytes(request, self._lines(), NDJSON)

    async def _lines(self) -> AsyncGenerator[bytes, None]:
        with self._switchboard.each() as engines:
            settings = self._switchboard.now.settings
            for kind, name, engine in engines:
                async with aclosing(_steps(kind, name, engine, settings)) as steps:
                    async for step in steps:
                        yield f"{step.model_dump_json(exclude_none=True)}\n".encode()


async def _steps(
    kind: EngineKind, name: str, engine: Any, settings: Settings
) -> AsyncGenerator[WarmUpStep, None]:
    for step in ("load", "request"):
        begun = WarmUpStep(kind=kind, engine=name, step=step, status="running")
        yield begun
        since = time.monotonic()
        try:
            async with asyncio.timeout(settings.timeouts.engine_start):
                if step == "request":
                    await _ask(kind, engine, settings)
                elif isinstance(engine, Loading):
                    await engine.loaded()
        except (InzwaError, TimeoutError) as error:
            told = error if isinstance(error, InzwaError) else _slow(settings)
            log.warning("warmup.failed", kind=kind, engine=name, step=step, code=told.code)
            changes = {"status": "error", "code": told.code, "message": str(told)}
            yield begun.model_copy(update={**changes, "ms": _ms(since)})
            return
        yield begun.model_copy(update={"status": "ok", "ms": _ms(since)})


async def _ask(kind: EngineKind, engine: Any, settings: Settings) -> None:
    match kind:
        case "asr":
            language, is_translated = settings.asr_language, settings.asr_task == "translate"
            answer = engine.recognize(silence(), RecognizeRequest(language, is_translated))
        case "llm":
            answer = engine.reply(replace(first_request(settings, WORDS), max_tokens=TOKENS))
        case "tts":
            answer = engine.synthesize(SpeechRequest(WORDS, None, settings.language))
        case _:
            assert_never(kind)
    async with aclosing(answer) as parts:
        async for _ in parts:
            pass


def _slow(settings: Settings) -> EngineTimeout:
    return EngineTimeout(
        f"It did not end within {settings.timeouts.engine_start:g} s.",
        action="Raise `timeouts.engine_start`, or choose a smaller model.",
    )


def _ms(since: float) -> float:
    return round((time.monotonic() - since) * 1000, 1)
