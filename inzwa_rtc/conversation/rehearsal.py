"""Lines spoken ahead of need, so that they can be heard without an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from inzwa_rtc.conversation.stages import next_within
from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.speech.cache.cache import LONGEST_PINNED_S, PhraseCache
from inzwa_rtc.speech.cache.key import PhraseKey
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.speech.cache.recording import Recording
from inzwa_rtc.speech.loudness import applied
from inzwa_rtc.speech.piece import Piece
from inzwa_rtc.speech.reading import Reading


@dataclass(frozen=True, slots=True)
class Rendered:
    """A line of the server's own, and its sound."""

    text: str
    phrase: KeptPhrase


@dataclass(frozen=True, slots=True)
class _Take:
    """A line as it was spoken; `gain_db` was applied to it."""

    request: SpeechRequest
    pieces: tuple[Piece, ...]
    recording: Recording
    gain_db: float
    engines: frozenset[str]


class Rehearsal:
    """`reading` makes a new `Reading`; each sound has `timeout_s` to come."""

    def __init__(
        self, reading: Callable[[], Reading], cache: PhraseCache, timeout_s: float
    ) -> None:
        self._reading = reading
        self._cache = cache
        self._timeout_s = timeout_s

    async def rendered(
        self, requests: Sequence[SpeechRequest], others: Sequence[SpeechRequest] = ()
    ) -> list[Rendered]:
        """All of these lines, in this order, as loud as their voices are to be. Of `others` as
        many are spoken as it takes until these voices are known. Raises `EngineError`."""
        found: dict[int, KeptPhrase] = {}
        takes: dict[int, _Take] = {}
        for number, request in enumerate([*requests, *others]):
            reading = self._reading()
            if number >= len(requests) and reading.knows_loudness(request):
                continue
            pieces = tuple(reading.pieces(request))
            key = reading.key(request, pieces)
            if key is not None and (kept := await self._cache.find(key)):
                found[number] = kept
            else:
                takes[number] = await self._spoken(reading, request, pieces, key)
        for number, take in takes.items():  # by now the voices are known
            found[number] = await self._kept(take)
        return [Rendered(request.text, found[n]) for n, request in enumerate(requests)]

    def pin(self, requests: Sequence[SpeechRequest]) -> None:
        """These stay in memory, and no others; those that were not spoken yet when they are."""
        keys = (self._key(request) for request in requests)
        self._cache.pin(key for key in keys if key is not None)

    def _key(self, request: SpeechRequest) -> PhraseKey | None:
        reading = self._reading()
        return reading.key(request, tuple(reading.pieces(request)))

    async def _spoken(
        self,
        reading: Reading,
        request: SpeechRequest,
        pieces: tuple[Piece, ...],
        key: PhraseKey | None,
    ) -> _Take:
        recording = Recording(reading.sample_rate, LONGEST_PINNED_S)
        engines: set[str] = set()
        async with aclosing(reading.speak(request, pieces)) as chunks:
            while chunk := await next_within(chunks, self._timeout_s, "The speech engine"):
                recording.add(chunk.pcm, chunk.words)
                engines.add(chunk.engine)
        gain_db = key.voice_gain_db if key is not None else 0.0
        return _Take(request, pieces, recording, gain_db, frozenset(engines))

    async def _kept(self, take: _Take) -> KeptPhrase:
        recording = take.recording
        key = self._reading().key(take.request, take.pieces)
        if key is not None and take.engines == {key.engine}:
            levelled = Recording(recording.rate, LONGEST_PINNED_S)
            further_db = key.voice_gain_db - take.gain_db
            levelled.add(applied(recording.pcm, further_db), recording.words)
            if phrase := await self._cache.keep(key, levelled):
                return phrase
            recording = levelled
        return await asyncio.to_thread(self._cache.encoded, recording)
