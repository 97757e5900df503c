"""Phrases that recur are spoken once by an engine, and then as they were kept."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator
from contextlib import aclosing

import numpy as np
import pytest

from inzwa_rtc.engines.contracts import Speaker, SpeechChunk, SpeechRequest
from inzwa_rtc.errors import EngineError
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.cache.cache import PhraseCache
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.speech.kept_reading import KeptReading
from inzwa_rtc.speech.loudness import Loudness, loudness
from inzwa_rtc.speech.reading import Manner, Reading
from tests.support.speech import RATE, Engine, SentenceReader, tone

LINE = "The river listens to all of us."


class Named(Engine):
    """Tells who it is; `spoke_as` is the engine that its chunks name."""

    fingerprint = "model 1"
    spoke_as = "test"

    def speaker(self, voice: str | None, language: str) -> Speaker:
        return Speaker("test", self.fingerprint)

    def model_of(self, engine: str) -> str:
        return f"model of {engine}"

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        async with aclosing(super().synthesize(request)) as chunks:
            async for chunk in chunks:
                yield SpeechChunk(chunk.pcm, chunk.words, self.spoke_as)


@pytest.fixture
def cache() -> PhraseCache:
    return PhraseCache(Settings())


async def spoken(
    engine: Engine, cache: PhraseCache, text: str = LINE, **manner: object
) -> list[SpeechChunk | KeptPhrase]:
    how = Manner(lambda language, rules: SentenceReader(language), **manner)  # type: ignore[arg-type]
    reading = KeptReading(Reading(engine, how), cache)
    async with aclosing(reading.phrase(SpeechRequest(text, "one"))) as parts:
        given = [part async for part in parts]
    await cache.settled()
    return given


async def test_what_is_said_a_third_time_costs_no_engine(cache: PhraseCache) -> None:
    engine = Named()
    first, second, third = [await spoken(engine, cache) for _ in range(3)]
    assert len(engine.requests) == 2
    assert not any(isinstance(part, KeptPhrase) for part in (*first, *second))
    (kept,) = third
    assert isinstance(kept, KeptPhrase)
    told = [word for part in second if isinstance(part, SpeechChunk) for word in part.words]
    assert [(word.offset, word.length) for word in kept.words] == [
        (word.offset, word.length) for word in told
    ]


async def test_what_is_said_once_is_not_even_encoded(cache: PhraseCache) -> None:
    await spoken(Named(), cache)
    assert len(cache) == 0
    assert cache.size_bytes == 0


async def test_another_model_speaks_anew(cache: PhraseCache) -> None:
    engine = Named()
    for _ in range(2):
        await spoken(engine, cache)
    engine.fingerprint = "model 2"
    parts = await spoken(engine, cache)
    assert not any(isinstance(part, KeptPhrase) for part in parts)


async def test_what_another_engine_said_in_its_stead_is_not_kept(cache: PhraseCache) -> None:
    engine = Named()
    engine.spoke_as = "another"
    for _ in range(4):
        parts = await spoken(engine, cache)
        assert not any(isinstance(part, KeptPhrase) for part in parts)
    assert len(cache) == 0


async def test_what_broke_off_is_not_kept(cache: PhraseCache) -> None:
    engine = Named()
    engine.failures = {number: EngineError("It broke.") for number in range(3)}
    for _ in range(3):
        with pytest.raises(EngineError):
            await spoken(engine, cache)
    assert len(cache) == 0


async def test_a_listener_who_leaves_leaves_nothing_half_kept(cache: PhraseCache) -> None:
    engine = Named()
    await spoken(engine, cache)
    how = Manner(lambda language, rules: SentenceReader(language))
    parts = KeptReading(Reading(engine, how), cache).phrase(SpeechRequest(LINE, "one"))
    await anext(parts)
    await parts.aclose()
    assert len(cache) == 0
    assert engine.open == 0
    gc.collect()


async def test_each_piece_that_was_begun_is_counted_and_kept_ones_are_not(
    cache: PhraseCache,
) -> None:
    counted: list[tuple[str, str, int]] = []
    how = Manner(lambda language, rules: SentenceReader(language))
    engine = Named()
    for _ in range(3):
        reading = Reading(engine, how, count=lambda *told: counted.append(told))
        async with aclosing(KeptReading(reading, cache).phrase(SpeechRequest(LINE))) as parts:
            async for _ in parts:
                pass
        await cache.settled()
    assert counted == [("test", "model of test", len(LINE))] * 2


async def test_a_phrase_is_as_loud_as_its_voice_is_known_to_need_from_its_first_sample(
    cache: PhraseCache,
) -> None:
    """An unknown voice is heard as it is, for as long as the phrase lasts."""
    levels = Loudness(-20.0)
    engine = Named(lambda text: tone(5 * RATE, level=2000.0))
    before = await spoken(engine, cache, "A voice that nobody has heard yet.", loudness=levels)
    assert levels.is_known("test", "one", "model 1")
    after = await spoken(engine, cache, "A voice that is known by now.", loudness=levels)
    quiet, loud = (
        loudness(b"".join(p.pcm for p in parts if isinstance(p, SpeechChunk)), RATE)
        for parts in (before, after)
    )
    assert quiet is not None
    assert loud is not None
    assert loud == pytest.approx(-20.0, abs=1.0)
    assert loud != pytest.approx(quiet, abs=1.0)
    assert np.isfinite(loud)
