"""Several synthesizers: who speaks when one of them fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest, Synthesizer, Voice
from inzwa_rtc.engines.fallback import FallbackSynthesizer
from inzwa_rtc.errors import EngineError, EngineUnavailable

BUSY = EngineError("It is busy.", action="Wait.", code="engine_busy")


class Voiced:
    """Speaks a second of a constant level."""

    def __init__(self, rate: int, voice: str, error: Exception | None = None) -> None:
        self.sample_rate = rate
        self.voices = (Voice(voice, voice, "en"),)
        self.asked: list[SpeechRequest] = []
        self._error = error

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        self.asked.append(request)
        if self._error:
            raise self._error
        yield SpeechChunk(b"\x00\x10" * self.sample_rate)


class Unloaded:
    """A synthesizer whose process has never been ready."""

    @property
    def sample_rate(self) -> int:
        raise EngineUnavailable("It is not loaded yet.", action="Wait.")

    @property
    def voices(self) -> tuple[Voice, ...]:
        raise EngineUnavailable("It is not loaded yet.", action="Wait.")

    @property
    def max_chars(self) -> int | None:
        raise EngineUnavailable("It is not loaded yet.", action="Wait.")

    def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        raise AssertionError


async def samples(synthesizer: FallbackSynthesizer, request: SpeechRequest) -> int:
    async with aclosing(synthesizer.synthesize(request)) as chunks:
        return sum([len(chunk.pcm) async for chunk in chunks]) // 2


async def test_another_engine_speaks_at_the_preferred_ones_rate_with_a_voice_of_its_own() -> None:
    first, second = Voiced(22_050, "tendai", BUSY), Voiced(16_000, "rudo")
    synthesizer = FallbackSynthesizer([("first", first), ("second", second)], first_audio_s=20)
    assert synthesizer.sample_rate == 22_050
    assert [voice.id for voice in synthesizer.voices] == ["tendai"]
    count = await samples(synthesizer, SpeechRequest("Mhoroi", voice="tendai"))
    assert count == pytest.approx(22_050, abs=50)
    assert first.asked[0].voice == "tendai"
    assert second.asked[0].voice is None


async def test_a_synthesizer_that_was_never_loaded_is_passed_over() -> None:
    named: list[tuple[str, Synthesizer]] = [
        ("first", Unloaded()),
        ("second", Voiced(16_000, "rudo")),
    ]
    synthesizer = FallbackSynthesizer(named, first_audio_s=20)
    assert synthesizer.sample_rate == 16_000
    assert await samples(synthesizer, SpeechRequest("Mhoroi", voice="rudo")) == 16_000


async def test_a_text_that_all_of_them_take_is_as_long_as_the_shortest_allows() -> None:
    class Limited(Voiced):
        max_chars: int | None = 100

    shorter, unlimited, limited = Limited(16_000, "a"), Voiced(16_000, "b"), Limited(16_000, "c")
    shorter.max_chars, late = 40, Unloaded()
    named: list[tuple[str, Synthesizer]] = [("late", late), ("1", unlimited)]
    assert FallbackSynthesizer(named, first_audio_s=20).max_chars is None
    named += [("2", limited), ("3", shorter)]
    assert FallbackSynthesizer(named, first_audio_s=20).max_chars == 40


async def test_a_voice_that_nobody_has_is_refused() -> None:
    synthesizer = FallbackSynthesizer([("first", Voiced(16_000, "rudo"))], first_audio_s=20)
    with pytest.raises(EngineError) as caught:
        await samples(synthesizer, SpeechRequest("Mhoroi", voice="nobody"))
    assert caught.value.code == "unknown_voice"


class Late:
    """A synthesizer whose process is not ready before `is_loaded`."""

    def __init__(self, engine: Voiced) -> None:
        self.engine = engine
        self.is_loaded = False

    @property
    def sample_rate(self) -> int:
        return self._loaded().sample_rate

    @property
    def voices(self) -> tuple[Voice, ...]:
        return self._loaded().voices

    def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        return self._loaded().synthesize(request)

    def _loaded(self) -> Voiced:
        if not self.is_loaded:
            raise EngineUnavailable("It is not loaded yet.", action="Wait.")
        return self.engine


async def test_a_voice_of_the_preferred_engine_is_taken_on_trust_until_it_is_loaded() -> None:
    late, second = Late(Voiced(16_000, "alloy")), Voiced(16_000, "rudo")
    synthesizer = FallbackSynthesizer([("first", late), ("second", second)], first_audio_s=20)
    assert not synthesizer.knows_all_voices
    await samples(synthesizer, SpeechRequest("Mhoroi", voice="alloy"))
    await samples(synthesizer, SpeechRequest("Mhoroi", voice="aloy"))
    assert [request.voice for request in second.asked] == [None, None]
    late.is_loaded = True
    assert synthesizer.knows_all_voices
    # Callers go on as they began: in a voice of the one that stood in, or in a wrong one.
    for voice in ("alloy", "aloy", "rudo"):
        await samples(synthesizer, SpeechRequest("Mhoroi", voice=voice))
    assert [request.voice for request in late.engine.asked] == ["alloy", None, None]
    with pytest.raises(EngineError, match="no such voice"):
        await samples(synthesizer, SpeechRequest("Mhoroi", voice="nobody"))
