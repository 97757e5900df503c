"""Writes a recording down for one request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from inzwa_rtc.conversation.engines import EngineSet
from inzwa_rtc.conversation.stages import next_within
from inzwa_rtc.engines.contracts import (
    ASR_SAMPLE_RATE,
    HeardWord,
    RecognizeRequest,
    TranscriptChunk,
)
from inzwa_rtc.errors import EngineError, PeerError
from inzwa_rtc.recordings.cutting import Stretch
from inzwa_rtc.recordings.kinds import HEAD_BYTES, Kind, kind_of, raw_kind
from inzwa_rtc.recordings.worker import Job
from inzwa_rtc.recordings.workers import Workers
from signaling.access.caller import Caller
from signaling.operations.permission import TRANSCRIBE, check_may
from signaling.operations.places import Places
from signaling.operations.refusals import told
from signaling.switchboard import Switchboard

LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000
"""Of bare samples, in Hz."""

_TIMES_REAL = 4  # slower than that no recogniser is of any use


@dataclass(frozen=True, slots=True)
class Segment:
    """One utterance as it was understood; times count from the start of the recording."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float
    language: str
    words: tuple[HeardWord, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole recording. `confidence` is the mean of the segments by their length, 0 where
    nothing was understood."""

    segments: tuple[Segment, ...]
    duration_s: float
    asked_language: str

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(segment.text for segment in self.segments)

    @property
    def language(self) -> str:
        """That of most of the speech, the one that was asked for where there is none."""
        lengths: dict[str, int] = {}
        for segment in self.segments:
            lengths[segment.language] = lengths.get(segment.language, 0) + _length(segment)
        return max(lengths, key=lambda language: lengths[language], default=self.asked_language)

    @property
    def confidence(self) -> float:
        """0 to 1."""
        total = sum(map(_length, self.segments))
        weighed = sum(segment.confidence * _length(segment) for segment in self.segments)
        return weighed / total if total else 0.0

    @property
    def words(self) -> list[HeardWord]:
        """All words, where the recogniser has times of them."""
        return [word for segment in self.segments for word in segment.words]


class Transcribing:
    """What all paths that take recordings have in common. To be closed."""

    def __init__(self, switchboard: Switchboard[Any]) -> None:
        limits = switchboard.now.settings.limits
        self._switchboard = switchboard
        self._workers = Workers(limits.transcriptions_at_once)
        self._places = Places(limits.transcriptions_at_once, limits.requests_waiting)

    async def close(self) -> None:
        """End the processes that wait for recordings."""
        await self._workers.close()

    def begin(
        self,
        data: bytes,
        language: str | None = None,
        caller: Caller = Caller(),  # noqa: B008 - frozen
        sample_rate: int | None = None,
        translate: bool | None = None,
    ) -> Recording:
        """Check the request at once; nothing is recognised yet. `data` is a file, or bare
        samples (int16 LE mono) of this rate. `translate` (to English) is as in the settings
        where nothing is said.

        Raises `PeerError` (`unsupported_audio`, `bad_audio`, and 403 by voice mode) and
        `Unavailable`.
        """
        settings = self._switchboard.now.settings
        check_may(caller, TRANSCRIBE, settings)
        kind = kind_of(data[:HEAD_BYTES]) if sample_rate is None else _raw(data, sample_rate)
        usual = caller.settings.stt_language or settings.asr_language
        wanted = language or (None if translate else usual)  # what is translated may be any
        is_translated = settings.asr_task == "translate" if translate is None else translate
        longest_s = settings.limits.upload_audio_s
        return Recording(
            data,
            Job(len(data), kind, sample_rate, longest_s, settings.turn),
            RecognizeRequest(wanted, is_translated),
            self._switchboard,
            self._workers,
            self._places,
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that is to be written down, once. Closing a stream early ends the work."""

    data: bytes = field(repr=False)
    job: Job
    request: RecognizeRequest
    _switchboard: Switchboard[Any] = field(repr=False)
    _workers: Workers = field(repr=False)
    _places: Places = field(repr=False)

    async def parts(self) -> AsyncGenerator[Segment | Transcript, None]:
        """The utterances one after another as they are understood; last, all of it.

        Raises `PeerError` for what cannot be decoded, is too long, or asks the engine for what
        it does not have; `EngineError`; `Unavailable` (`busy`) at first.
        """
        with self._switchboard.lent() as engines:
            async with self._places.one():
                segments: list[Segment] = []
                async with aclosing(self._workers.cut(self.job, self.data)) as cut:
                    async for part in cut:
                        if isinstance(part, int):
                            duration_s = part / ASR_SAMPLE_RATE
                            asked = self.request.language or ""
                            yield Transcript(tuple(segments), duration_s, asked)
                        elif (segment := await self._recognised(part, engines)).text:
                            segments.append(segment)
                            yield segment

    async def transcript(self) -> Transcript:
        """All of it. Raises what `parts` raises."""
        async with aclosing(self.parts()) as parts:
            async for part in parts:
                if isinstance(part, Transcript):
                    return part
        raise AssertionError("the transcript comes last")

    async def _recognised(self, stretch: Stretch, engines: EngineSet) -> Segment:
        seconds = len(stretch.pcm) / 2 / ASR_SAMPLE_RATE
        limit_s = engines.settings.timeouts.recognition + _TIMES_REAL * seconds
        try:
            recognised = engines.asr.recognize(_once(stretch.pcm), self.request)
            async with aclosing(_finals(recognised)) as finals:
                final = await next_within(finals, limit_s, "The recogniser")
        except EngineError as error:
            raise told(error) from None
        if final is None:
            raise EngineError("The recogniser ended without a final transcript.")
        timed = final.later(stretch.start * 1000 // ASR_SAMPLE_RATE)
        return Segment(
            timed.text, timed.start_ms, timed.end_ms, timed.confidence, timed.language, timed.words
        )


async def _finals(
    chunks: AsyncGenerator[TranscriptChunk, None],
) -> AsyncGenerator[TranscriptChunk, None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            if chunk.is_final:
                yield chunk


async def _once(pcm: bytes) -> AsyncIterator[bytes]:
    yield pcm


def _raw(data: bytes, sample_rate: int) -> Kind:
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise PeerError(
            f"The sample rate must be {LOWEST_RATE} to {HIGHEST_RATE} Hz.",
            action="Send 16-bit mono samples, such as at 16000 Hz.",
            code="bad_audio",
        )
    if not data or len(data) % 2:
        raise PeerError(
            "The audio is not a whole number of 16-bit samples.",
            action="Send 16-bit little-endian mono samples, or a file and no `sample_rate`.",
            code="bad_audio",
        )
    return raw_kind()


def _length(segment: Segment) -> int:
    return max(1, segment.end_ms - segment.start_ms)
