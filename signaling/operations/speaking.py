"""Reads a text aloud for one request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from inzwa_rtc.audio.container import Format
from inzwa_rtc.conversation.engines import EngineSet
from inzwa_rtc.engines.contracts import NamingSynthesizer, SpeechChunk, SpeechRequest
from inzwa_rtc.errors import EngineError, PeerError
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.speech.cost import OTHERS
from inzwa_rtc.speech.kept_reading import KeptReading
from inzwa_rtc.speech.reading import Reading
from signaling.access.caller import Caller
from signaling.operations.encoding import encoded, in_thread
from signaling.operations.permission import SPEAK, check_may
from signaling.operations.places import Places
from signaling.operations.refusals import told
from signaling.operations.shared_speech import SharedSynthesizer
from signaling.switchboard import Switchboard

WHOLE_CHARS = 300
"""Of a text that is looked for among kept phrases as a whole: longer ones take more than the ten
seconds of a phrase that is kept."""


class Speaking:
    """What all paths that speak have in common."""

    def __init__(self, switchboard: Switchboard[Any]) -> None:
        settings = switchboard.now.settings
        limits = settings.limits
        self._switchboard = switchboard
        self._places = Places(limits.speeches_at_once, limits.requests_waiting)
        # Half of what the engine speaks at once stays for calls.
        self._turns = asyncio.Semaphore(max(1, settings.tts_max_concurrent // 2))

    def begin(
        self,
        text: str,
        voice: str | None = None,
        language: str | None = None,
        speed: float | None = None,
        caller: Caller = Caller(),  # noqa: B008 - frozen
        longest: int | None = None,
    ) -> Spoken:
        """Check the request at once; nothing is spoken yet. What is not said is as the user
        has chosen, or as usual. `longest` is the limit of this path, in characters.

        Raises `PeerError` (`empty_text`, `text_too_long`, `unknown_voice`, `unknown_language`,
        `bad_speed`, and 403 by voice mode) and `Unavailable`.
        """
        engines = self._switchboard.now
        check_may(caller, SPEAK, engines.settings)
        _check_length(text, longest or engines.settings.limits.text_chars)
        own = caller.settings
        voices = engines.voices
        wished = own.tts_voice if voice is None and language is None else None
        if wished in {one.id for one in voices.all}:
            voice = wished
        chosen = voices.for_text(voice, language, own.tts_speed if speed is None else speed)
        request = SpeechRequest(text, chosen.voice, chosen.language, chosen.speed)
        return Spoken(request, caller, self._switchboard, self._places, self._turns)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text that is to be read aloud, once. Closing a stream early ends the work."""

    request: SpeechRequest
    _caller: Caller
    _switchboard: Switchboard[Any] = field(repr=False)
    _places: Places = field(repr=False)
    _turns: asyncio.Semaphore = field(repr=False)

    @property
    def sample_rate(self) -> int:
        """Of the speech as it is made, in Hz."""
        return self._switchboard.now.tts.sample_rate

    @property
    def voice(self) -> str | None:
        """The voice's id; None where the engine chooses."""
        return self.request.voice

    @property
    def engine(self) -> str:
        """The engine that is asked first; empty where nobody knows."""
        tts = self._switchboard.now.tts
        if not isinstance(tts, NamingSynthesizer):
            return ""
        return tts.speaker(self.request.voice, self.request.language).engine

    async def encoded(self, name: Format) -> AsyncGenerator[bytes, None]:
        """A file in this format, as it is made.

        Raises `PeerError` (`nothing_to_say`, and what engines refuse), `EngineError`, and
        `Unavailable` (`busy`); all but `EngineError` before the first bytes.
        """
        with self._switchboard.lent() as engines:
            is_silent = True
            async with aclosing(self._parts(engines)) as parts:
                rate = engines.tts.sample_rate
                async with aclosing(encoded(parts, name, rate)) as pieces:
                    async for piece in pieces:
                        is_silent = False
                        yield piece
            if is_silent:
                raise _nothing_to_say()

    async def pcm(self) -> AsyncGenerator[SpeechChunk, None]:
        """The samples as they are made, int16 LE mono at `sample_rate`, with the words that they
        begin. Raises what `encoded` raises."""
        with self._switchboard.lent() as engines:
            rate = engines.tts.sample_rate
            is_silent = True
            async with aclosing(self._parts(engines)) as parts:
                async for part in parts:
                    is_silent = False
                    if isinstance(part, KeptPhrase):
                        part = SpeechChunk(await in_thread(part.pcm, rate), part.words)
                    yield part
            if is_silent:
                raise _nothing_to_say()

    async def _parts(self, engines: EngineSet) -> AsyncGenerator[SpeechChunk | KeptPhrase, None]:
        who = self._caller.user or OTHERS

        def count(engine: str, model: str, characters: int) -> None:
            engines.spending.count(who, engine, model, characters)

        async with self._places.later() as admitted:
            timeouts = engines.settings.timeouts
            synthesizer = SharedSynthesizer(engines.tts, self._turns, timeouts, admitted)
            reading = Reading(synthesizer, engines.manner, count=count)
            try:
                if len(self.request.text) <= WHOLE_CHARS:
                    parts = KeptReading(reading, engines.cache).phrase(self.request)
                else:
                    parts = reading.synthesize(self.request)
                async with aclosing(parts):
                    async for part in parts:
                        if isinstance(part, KeptPhrase) or part.pcm:
                            yield part
            except EngineError as error:
                raise told(error) from None


def _check_length(text: str, longest: int) -> None:
    if not text.strip():
        raise PeerError("There is no text.", action="Send what is to be said.", code="empty_text")
    if len(text) > longest:
        raise PeerError(
            f"The text is longer than {longest} characters.",
            action="Send it in parts.",
            code="text_too_long",
        )


def _nothing_to_say() -> PeerError:
    return PeerError(
        "The text has nothing in it that can be spoken.",
        action="Send words.",
        code="nothing_to_say",
    )
