"""Streaming for recognisers that decode a stretch of audio as a whole, such as Whisper.

While the caller speaks, what was said so far is decoded again and again, each result a
partial transcript. As soon as the caller falls silent all of it is decoded once more, at
full quality: if the turn then ends, that result is the final one, and the silence that
had to be waited for was used. If the caller goes on instead, it was one more partial.

Partial decodings are the first thing to go under load: one is only started when a worker
is free, as much time is left between two as the last one took, and one that runs is given up
where a final one would have to wait for it.

An utterance longer than the model's window is decoded in parts: a full window is cut at the
quietest place of its last seconds, so that no word is, and what is decoded up to there is
settled. Audio that comes faster than it is decoded is let wait where it comes from: no more
than two windows are held.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic

import structlog

from inzwa_rtc.engines.asr.agreement import LocalAgreement
from inzwa_rtc.engines.asr.decoding import Decoded, Decoders, Stretch, Way
from inzwa_rtc.engines.asr.waiting import WaitingAudio
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, TranscriptChunk

FALLS_SILENT_MS = 160  # longer than the closure of a stop consonant within a word
RETRIED_MS = 1000  # of new audio, before a full window whose decoding failed is tried again
CUT_WITHIN_MS = 5000  # end of a full window: who speaks breathes more often than that
_PER_MS = ASR_SAMPLE_RATE // 1000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Streaming:
    """How an utterance is decoded while it comes in, in milliseconds of its audio."""

    partial_ms: int = 600
    """New audio before the next partial decoding; 0 for none."""
    window_ms: int = 28_000
    """The longest stretch that is decoded at once."""
    at_pauses: bool = True
    """Whether to decode as soon as the caller falls silent, rather than when the turn ends."""


async def in_windows(
    audio: AsyncIterator[bytes],
    decode: Callable[[Stretch], Way],
    workers: Decoders[Way],
    streaming: Streaming,
) -> AsyncGenerator[TranscriptChunk, None]:
    """`Recognizer.recognize` for an engine that has `decode` only."""
    utterance = _Utterance(decode, workers, streaming)
    source = aiter(audio)
    reading: asyncio.Task[bytes | None] | None = asyncio.create_task(_next(source))
    try:
        while True:
            changes: set[asyncio.Future[Any]] = utterance.pending()
            if reading is not None:
                changes.add(reading)
            await asyncio.wait(changes, return_when=asyncio.FIRST_COMPLETED)
            if chunk := utterance.take_partial():
                yield chunk
            if reading is not None and reading.done():
                piece = reading.result()
                if piece is None:
                    break
                utterance.audio.feed(piece)
                reading = None
            utterance.decode_if_due()
            if reading is None and not utterance.is_behind:
                reading = asyncio.create_task(_next(source))
        yield await utterance.finish()
    finally:
        utterance.drop()
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Work:
    """A decoding under way, of the samples `start` to `end` of the utterance."""

    waiting: asyncio.Future[Decoded]
    start: int
    end: int
    held: int
    """Samples that there were when it began."""
    is_final: bool
    is_cut: bool
    """Whether the window was full: it ends at `end`, and is not decoded again."""
    began: float


class _Utterance(Generic[Way]):
    def __init__(
        self, decode: Callable[[Stretch], Way], workers: Decoders[Way], streaming: Streaming
    ) -> None:
        self.audio = WaitingAudio()
        self._decode = decode
        self._workers = workers
        self._streaming = streaming
        self._agreement = LocalAgreement()
        self._settled = TranscriptChunk("", 0, 0, False, 1.0, "")
        self._work: _Work | None = None
        self._best: TranscriptChunk | None = None  # of full quality, with all up to `_best_end`
        self._best_end = 0
        self._tried_end = 0
        self._failed_at = 0  # end of the audio when a decoding of full quality failed last
        self._rest_until = 0.0

    def pending(self) -> set[asyncio.Future[Decoded]]:
        return {self._work.waiting} if self._work else set()

    @property
    def is_behind(self) -> bool:
        """Whether a decoding under way has to end before more audio is of any use."""
        return self._work is not None and self._held >= 2 * self._window

    def decode_if_due(self) -> None:
        """Start to decode what has come in, if it is time."""
        audio = self.audio
        if audio.voice_end == 0:
            if self._held >= self._window:
                audio.drop_before(audio.end)  # digital silence, which would pile up
            return
        if self._work is not None and self._work.is_final:
            return
        if self._is_full or self._is_at_pause:
            self.drop()  # a partial, which what is decoded now makes needless
            self._start(is_final=True)
        elif (
            self._work is None
            and self._streaming.partial_ms
            and audio.end - self._tried_end >= self._streaming.partial_ms * _PER_MS
            and audio.voice_end > self._tried_end
            and self._workers.is_one_free
            and _now() >= self._rest_until
        ):
            self._start(is_final=False)

    def take_partial(self) -> TranscriptChunk | None:
        """The transcript so far, if a decoding has just ended with one.

        One that failed is done without: more audio will come, and be decoded together with this.
        Its error is raised only where it began with as much as is ever held.
        """
        work = self._work
        if work is None or not work.waiting.done():
            return None
        self._work = None
        self._rest_until = 2 * _now() - work.began
        if work.waiting.cancelled():
            return None  # given up for another utterance
        if error := work.waiting.exception():
            if work.held >= 2 * self._window:
                raise error
            if work.is_final:
                self._failed_at = self.audio.end
            _log.warning("asr.decoding_failed", error=type(error).__name__)
            return None
        return self._understood(work, work.waiting.result())

    async def finish(self) -> TranscriptChunk:
        """The final transcript, all audio having come in. Raises what the decoder raises."""
        audio = self.audio
        while audio.voice_end > self._best_end or self._held > self._window:
            if not self._is_last_under_way:
                self.drop()
                self._start(is_final=True)
            assert self._work is not None
            work, self._work = self._work, None
            self._understood(work, await work.waiting)
        return replace(self._best or self._settled, is_final=True)

    def drop(self) -> None:
        """Let go of what is being decoded."""
        if self._work is not None:
            self._work.waiting.cancel()
            self._work.waiting.add_done_callback(_ignore)
            self._work = None

    @property
    def _window(self) -> int:
        return self._streaming.window_ms * _PER_MS

    @property
    def _held(self) -> int:
        return self.audio.end - self.audio.start

    @property
    def _is_full(self) -> bool:
        """Whether there is a window to be decoded for good."""
        has_more = self.audio.end - self._failed_at >= RETRIED_MS * _PER_MS
        return self._held >= self._window and has_more

    @property
    def _is_at_pause(self) -> bool:
        """Whether the caller has fallen silent after words that are not decoded."""
        audio = self.audio
        return (
            self._streaming.at_pauses
            and audio.end - audio.voice_end >= FALLS_SILENT_MS * _PER_MS
            and audio.voice_end > max(self._best_end, self._failed_at)
        )

    @property
    def _is_last_under_way(self) -> bool:
        """Whether what is being decoded is needed for the final transcript: what began at a
        pause is not, if the caller went on after it."""
        work = self._work
        if work is None or not work.is_final:
            return False
        return work.is_cut or work.end >= self.audio.voice_end

    def _start(self, *, is_final: bool) -> None:
        audio = self.audio
        end = min(audio.end, audio.start + self._window)
        is_cut = is_final and self._held >= self._window
        if is_cut:
            within = min(CUT_WITHIN_MS * _PER_MS, self._window // 2)
            end = audio.quietest(end - within, end)
        stretch = Stretch(audio.held()[: end - audio.start], self._settled.text, is_final)
        start = self._workers.start if is_final else self._workers.start_partial
        waiting = start(partial(self._decode, stretch))
        self._tried_end = end
        self._work = _Work(waiting, audio.start, end, self._held, is_final, is_cut, _now())

    def _understood(self, work: _Work, decoded: Decoded) -> TranscriptChunk:
        chunk = self._joined(work, decoded, self._agreement.feed(decoded.text))
        if work.is_final:
            self._best, self._best_end = chunk, work.end
            if work.is_cut:
                self._settle(chunk, work.end)
        return chunk

    def _joined(self, work: _Work, decoded: Decoded, stable: int) -> TranscriptChunk:
        """The settled text and what follows it, times counted from the utterance's start."""
        settled = self._settled
        text = _join(settled.text, decoded.text)
        offset_ms, end_ms = work.start // _PER_MS, work.end // _PER_MS
        words = tuple(
            replace(
                word,
                start_ms=min(word.start_ms + offset_ms, end_ms),
                end_ms=min(word.end_ms + offset_ms, end_ms),
            )
            for word in decoded.words
        )
        return TranscriptChunk(
            text,
            settled.start_ms if settled.text or not words else words[0].start_ms,
            words[-1].end_ms if words else self.audio.voice_end // _PER_MS,
            False,
            min((part.confidence for part in (settled, decoded) if part.text), default=0.0),
            decoded.language,
            settled.words + words,
            len(text) - len(decoded.text) + stable,
        )

    def _settle(self, chunk: TranscriptChunk, end: int) -> None:
        """Stand by what was understood up to this sample, and let the audio go."""
        self._settled = chunk
        self._best, self._best_end = None, end
        self._agreement = LocalAgreement()
        self.audio.drop_before(end)


def _join(before: str, after: str) -> str:
    return f"{before} {after}" if before and after else before or after


def _ignore(future: asyncio.Future[Decoded]) -> None:
    if not future.cancelled():
        future.exception()


async def _next(source: AsyncIterator[bytes]) -> bytes | None:
    return await anext(source, None)


def _now() -> float:
    return asyncio.get_running_loop().time()
