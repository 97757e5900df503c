"""Lines of the server's own are spoken before anybody calls, and not again for a caller."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from inzwa_rtc.conversation.rehearsal import Rehearsal
from inzwa_rtc.engines.contracts import Speaker, SpeechChunk, SpeechRequest
from inzwa_rtc.settings import Settings
from inzwa_rtc.settings.speech import SpeechSettings
from inzwa_rtc.speech.cache.cache import PhraseCache
from inzwa_rtc.speech.kept_reading import KeptReading
from inzwa_rtc.speech.loudness import Loudness, loudness
from inzwa_rtc.speech.manner import manner_of
from inzwa_rtc.speech.reading import Manner, Reading
from tests.support.speech import RATE, Engine, tone

GREETING = "Hello, this is Inzwa. What would you like to know?"
SORRY = "I am sorry, something went wrong on my side. Please try that again."


class Named(Engine):
    """An engine that tells who it is; `speaks_as` names those that make its pieces, in turn."""

    def __init__(self, level: float = 2000.0, seconds_a_word: float = 0.3) -> None:
        super().__init__(
            lambda text: tone(int(len(text.split()) * RATE * seconds_a_word), level=level)
        )
        self.speaks_as = ["test"]

    def speaker(self, voice: str | None, language: str) -> Speaker:
        return Speaker("test", "model 1")

    def model_of(self, engine: str) -> str:
        return "model"

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        name = self.speaks_as[len(self.requests) % len(self.speaks_as)]
        async for chunk in super().synthesize(request):
            yield replace(chunk, engine=name)


def rehearsing(engine: Engine, cache: PhraseCache, levels: Loudness) -> tuple[Rehearsal, Manner]:
    manner = replace(manner_of(SpeechSettings()), loudness=levels)
    return Rehearsal(lambda: Reading(engine, manner), cache, 5.0), manner


async def test_a_rehearsed_line_is_spoken_in_a_call_without_its_engine() -> None:
    """Of several sentences, too, and as loud as its voice is to be."""
    engine, cache, levels = Named(), PhraseCache(Settings()), Loudness(-20.0)
    rehearsal, manner = rehearsing(engine, cache, levels)
    requests = [SpeechRequest(text, "one") for text in (SORRY, GREETING)]
    rehearsal.pin(requests)
    rendered = await rehearsal.rendered(requests)
    asked = len(engine.requests)
    reading = KeptReading(Reading(engine, manner), cache)
    parts = [part async for part in reading.phrase(SpeechRequest(GREETING, "one"))]
    assert parts == [rendered[1].phrase]
    assert len(engine.requests) == asked
    for line in rendered:
        pcm = b"".join(f.pcm for frames in line.phrase.decoded_frames(RATE) for f in frames)
        told = loudness(pcm, RATE)
        assert told is not None
        assert abs(told + 20.0) < 1.5


async def test_as_many_lines_are_spoken_as_it_takes_to_know_the_voice() -> None:
    engine, cache, levels = Named(), PhraseCache(Settings()), Loudness(-20.0)
    rehearsal, _ = rehearsing(engine, cache, levels)
    others = [SpeechRequest(f"This is line {number} of many.", "one") for number in range(9)]
    (rendered,) = await rehearsal.rendered([SpeechRequest("Sorry.", "one")], others)
    assert rendered.text == "Sorry."
    assert levels.is_known("test", "one", "model 1")
    assert 2 < len(engine.requests) < 9


async def test_a_line_that_two_engines_spoke_is_heard_and_not_kept() -> None:
    engine, cache = Named(), PhraseCache(Settings())
    engine.speaks_as = ["another", "test"]
    rehearsal, _ = rehearsing(engine, cache, Loudness(None))
    request = SpeechRequest(SORRY, "one")
    rehearsal.pin([request])
    (rendered,) = await rehearsal.rendered([request])
    assert rendered.phrase.packets
    assert len(cache) == 0
