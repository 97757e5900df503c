"""Several synthesizers: who speaks when one of them fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from structlog.testing import capture_logs

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest, Synthesizer, Voice
from inzwa_rtc.engines.fallback_speech import FallbackSynthesizer
from inzwa_rtc.errors import EngineError, EngineUnavailable

BUSY = EngineError("It is busy.", action="Wait.", code="engine_busy")


class Voiced:
    """Speaks a second of a constant level."""

    def __init__(
        self, rate: int, voices: str, error: Exception | None = None, language: str = "en"
    ) -> None:
        self.sample_rate = rate
        self.voices = tuple(Voice(voice, voice, language) for voice in voices.split())
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
    assert [request.voice for request in late.engine.asked] == ["alloy", None]
    assert [request.voice for request in second.asked] == [None, None, "rudo"]
    with pytest.raises(EngineError, match="no such voice"):
        await samples(synthesizer, SpeechRequest("Mhoroi", voice="nobody"))


def chain(*engines: Synthesizer) -> FallbackSynthesizer:
    """In the order of preference; they are named `first`, `second` and so on."""
    return FallbackSynthesizer(
        list(zip(("first", "second", "third"), engines, strict=False)), first_audio_s=20
    )


async def who_spoke(synthesizer: FallbackSynthesizer, request: SpeechRequest) -> set[str]:
    async with aclosing(synthesizer.synthesize(request)) as chunks:
        return {chunk.engine async for chunk in chunks}


async def test_the_voices_of_all_engines_are_one_list_the_preferred_ones_first() -> None:
    synthesizer = chain(Voiced(16_000, "alloy rudo"), Voiced(16_000, "rudo sn"))
    assert [(voice.id, voice.engine) for voice in synthesizer.voices] == [
        ("alloy", "first"),
        ("rudo", "first"),
        ("second:rudo", "second"),
        ("sn", "second"),
    ]


@pytest.mark.parametrize(
    ("voice", "engine", "own"),
    [
        ("alloy", "first", "alloy"),
        ("rudo", "first", "rudo"),
        ("first:rudo", "first", "rudo"),
        ("second:rudo", "second", "rudo"),
        ("sn", "second", "sn"),
        ("second:sn", "second", "sn"),
    ],
)
async def test_a_voice_is_spoken_by_the_engine_that_has_it(
    voice: str, engine: str, own: str
) -> None:
    first, second = Voiced(16_000, "alloy rudo"), Voiced(24_000, "rudo sn")
    synthesizer = chain(first, second)
    assert await who_spoke(synthesizer, SpeechRequest("Mhoroi", voice=voice)) == {engine}
    asked = {"first": first, "second": second}[engine].asked
    assert [request.voice for request in asked] == [own]
    count = await samples(synthesizer, SpeechRequest("Mhoroi", voice=voice))
    assert count == pytest.approx(16_000, abs=50)  # at the rate that was told


@pytest.mark.parametrize("voice", ["nobody", "first:sn", "third:rudo", "second:", ":rudo", ""])
async def test_no_other_name_is_a_voice(voice: str) -> None:
    first, second = Voiced(16_000, "alloy rudo"), Voiced(16_000, "rudo sn")
    with pytest.raises(EngineError) as caught:
        await samples(chain(first, second), SpeechRequest("Mhoroi", voice=voice))
    assert caught.value.code == "unknown_voice"
    assert first.asked == second.asked == []


async def test_the_others_stand_in_for_the_engine_of_a_voice_in_their_order() -> None:
    first, second = Voiced(16_000, "alloy", BUSY), Voiced(16_000, "rudo")
    third = Voiced(16_000, "sn", BUSY)
    request = SpeechRequest("Mhoroi", voice="sn")
    assert await who_spoke(chain(first, second, third), request) == {"second"}
    assert [len(engine.asked) for engine in (first, second, third)] == [1, 1, 1]
    assert first.asked[0].voice is second.asked[0].voice is None


async def test_a_language_is_spoken_by_the_first_engine_that_speaks_it() -> None:
    english, shona = Voiced(24_000, "bella"), Voiced(16_000, "sn", language="sn-ZW")
    synthesizer = chain(english, shona)
    assert await who_spoke(synthesizer, SpeechRequest("Mhoroi", language="sn")) == {"second"}
    assert await who_spoke(synthesizer, SpeechRequest("Hello", language="en-GB")) == {"first"}
    # Nobody's language, then: the preferred engine does what it can.
    assert await who_spoke(synthesizer, SpeechRequest("qo", language="tlh")) == {"first"}


async def test_an_engine_whose_voices_speak_any_language_keeps_its_place() -> None:
    synthesizer = chain(Voiced(16_000, "rachel", language=""), Voiced(16_000, "sn", language="sn"))
    assert await who_spoke(synthesizer, SpeechRequest("Mhoroi", language="sn")) == {"first"}


async def test_who_does_not_speak_a_language_still_stands_in_for_who_does() -> None:
    english, shona = Voiced(16_000, "bella"), Voiced(16_000, "sn", BUSY, language="sn")
    request = SpeechRequest("Mhoroi", language="sn")
    assert await who_spoke(chain(english, shona), request) == {"first"}


async def test_the_breaker_of_the_engine_of_a_voice_opens_and_the_others_go_on() -> None:
    first, second = Voiced(16_000, "alloy"), Voiced(16_000, "sn", BUSY)
    synthesizer = chain(first, second)
    for _ in range(5):
        await samples(synthesizer, SpeechRequest("Mhoroi", voice="sn"))
    assert synthesizer.states() == {"first": "closed", "second": "open"}
    assert (len(first.asked), len(second.asked)) == (5, 3)


async def test_voices_are_known_when_every_engine_was_loaded() -> None:
    late = Late(Voiced(16_000, "sn"))
    synthesizer = chain(Voiced(16_000, "alloy"), late)
    assert [voice.id for voice in synthesizer.voices] == ["alloy"]
    assert not synthesizer.knows_all_voices
    # It may be the voice of the one that is not there yet.
    assert await who_spoke(synthesizer, SpeechRequest("Mhoroi", voice="sn")) == {"first"}
    late.is_loaded = True
    assert [voice.id for voice in synthesizer.voices] == ["alloy", "sn"]
    assert synthesizer.knows_all_voices
    assert await who_spoke(synthesizer, SpeechRequest("Mhoroi", voice="sn")) == {"second"}


async def test_voices_taken_on_trust_do_not_fill_the_memory() -> None:
    synthesizer = chain(Voiced(16_000, "alloy"), Unloaded())
    with pytest.raises(EngineError, match="no such voice"):
        for number in range(2000):
            await samples(synthesizer, SpeechRequest("Mhoroi", voice=f"voice{number}"))


async def test_listed_voices_leave_room_for_those_of_an_engine_that_comes_late() -> None:
    many = " ".join(f"speaker{number}" for number in range(1500))
    synthesizer = chain(Voiced(16_000, many), Unloaded())
    assert len(synthesizer.voices) == 1500
    assert await samples(synthesizer, SpeechRequest("Mhoroi", voice="alloy")) == 16_000


async def test_a_voice_taken_on_trust_is_told_of_but_not_as_the_caller_wrote_it() -> None:
    synthesizer = chain(Voiced(16_000, "rudo"), Unloaded())
    with capture_logs() as lines:
        await samples(synthesizer, SpeechRequest("Mhoroi", voice="canary7531"))
    (line,) = [line for line in lines if line["event"] == "engine.voice_not_checked"]
    assert line["engines"] == ["second"]
    assert "canary7531" not in repr(lines)


def test_before_any_engine_was_loaded_nothing_is_told() -> None:
    synthesizer = chain(Unloaded(), Unloaded())
    assert not synthesizer.knows_all_voices
    assert synthesizer.max_chars is None
    with pytest.raises(EngineUnavailable):
        _ = synthesizer.voices
    with pytest.raises(EngineUnavailable):
        _ = synthesizer.sample_rate


class Limited(Voiced):
    max_chars: int | None = 4096


def test_a_text_is_no_longer_than_each_engine_takes() -> None:
    unlimited, remote, wide = Voiced(16_000, "sn"), Limited(16_000, "a"), Limited(16_000, "b")
    wide.max_chars = 40_000
    assert chain(unlimited).max_chars is None
    assert chain(unlimited, wide, remote).max_chars == 4096
