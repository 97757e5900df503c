"""Recognises the caller's utterances one after another, whatever is being said meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

from structlog.contextvars import bound_contextvars

from inzwa_rtc.conversation.engines import EngineSource
from inzwa_rtc.conversation.floor import PROMPTS_WAITING, Floor
from inzwa_rtc.conversation.stages import recognise
from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.engines.contracts import RecognizeRequest, TranscriptChunk
from inzwa_rtc.errors import EngineError
from inzwa_rtc.events import Event, Transcript, TranscriptWord
from inzwa_rtc.observer import CallObserver, observed
from inzwa_rtc.settings import Settings


class Hearing:
    """`add` utterances in the order of their turns; `run` it beside the conversation."""

    def __init__(
        self,
        engines: EngineSource,
        settings: Settings,
        floor: Floor,
        heard: Callable[[TranscriptChunk], None],
        emit: Callable[[Event], None],
        observer: CallObserver,
    ) -> None:
        self.dropped_samples = 0
        self._engines = engines
        self._timeout_s = settings.timeouts.recognition
        self._floor = floor
        self._heard = heard
        self._emit = emit
        self._observer = observer
        self._waiting: asyncio.Queue[Utterance] = asyncio.Queue(PROMPTS_WAITING)

    def add(self, utterance: Utterance) -> bool:
        """Recognise it in its turn. False: too many wait already."""
        try:
            self._waiting.put_nowait(utterance)
        except asyncio.QueueFull:
            return False
        return True

    async def run(self) -> NoReturn:
        """Never returns."""
        while True:
            utterance = await self._waiting.get()
            with bound_contextvars(turn=utterance.turn):
                outcome = await self._recognise(utterance)
            await utterance.ended()  # nobody answers into the caller's sentence
            self._floor.recognised(utterance, outcome)
            if isinstance(outcome, TranscriptChunk):
                self._emit(_transcript(utterance, outcome))
            utterance.settle(outcome)
            self.dropped_samples += utterance.dropped_samples

    async def _recognise(self, utterance: Utterance) -> TranscriptChunk | EngineError:
        def understood(chunk: TranscriptChunk) -> None:
            self._floor.partly_understood(utterance, chunk)
            self._heard(chunk)
            self._emit(_transcript(utterance, chunk))

        try:
            with (
                self._engines.lent() as engines,
                observed(self._observer, utterance.turn, "recognise") as stage,
            ):
                settings = engines.settings
                request = RecognizeRequest(
                    settings.asr_language, translate=settings.asr_task == "translate"
                )
                return await recognise(
                    utterance, engines.asr, request, self._timeout_s, understood, stage
                )
        except EngineError as error:
            return error


def _transcript(utterance: Utterance, chunk: TranscriptChunk) -> Transcript:
    return Transcript(
        utterance.turn,
        chunk.text,
        chunk.start_ms,
        chunk.end_ms,
        chunk.is_final,
        chunk.confidence,
        chunk.language,
        tuple(
            TranscriptWord(word.text, word.start_ms, word.end_ms, word.confidence)
            for word in chunk.words
        ),
        utterance.is_cut,
    )
