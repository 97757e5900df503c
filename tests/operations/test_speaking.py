"""Texts read aloud for requests."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator
from contextlib import aclosing

import av
import pytest

from inzwa_rtc.engines.contracts import Speaker, SpeechChunk, SpeechRequest
from inzwa_rtc.errors import EngineError, PeerError, Unavailable
from inzwa_rtc.users import UserSettings, VoiceMode
from signaling.access.caller import Caller
from tests.support.engines import WORD_MS, ToneSynthesizer
from tests.support.work import working


class NamedTone(ToneSynthesizer):
    """A voice that is known well enough for its phrases to be kept."""

    def speaker(self, voice: str | None, language: str) -> Speaker:
        return Speaker("tone", "1")

    def model_of(self, engine: str) -> str:
        return "tone-1"

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        async with aclosing(super().synthesize(request)) as chunks:
            async for chunk in chunks:
                yield SpeechChunk(chunk.pcm, chunk.words, "tone")


class Waiting(ToneSynthesizer):
    """Says a word, then waits to be let go on. `open` counts what it works on."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.has_begun = asyncio.Event()
        self.open = 0

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        self.open += 1
        if not self.go_on.is_set():
            self.has_begun.set()
        try:
            async with aclosing(super().synthesize(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
                    await self.go_on.wait()
        finally:
            self.open -= 1


async def test_what_recurs_is_kept_and_sent_without_being_made_or_encoded_again() -> None:
    tts = NamedTone()
    async with working(tts=tts, tts_loudness_lufs=None) as shop:
        sounds = []
        for _ in range(4):
            spoken = shop.work.speaking.begin("Good morning to you.")
            sounds.append(b"".join([piece async for piece in spoken.encoded("opus")]))
            await shop.switchboard.now.cache.settled()
        asked = [one.text for one in tts.requests].count("Good morning to you.")
        pcm = b"".join(
            [chunk.pcm async for chunk in shop.work.speaking.begin("Good morning to you.").pcm()]
        )
    assert asked == 2
    assert sounds[2] == sounds[3]
    with av.open(io.BytesIO(sounds[3]), "r") as file:
        heard = sum(frame.samples for frame in file.decode(audio=0)) / 48_000
    assert heard == pytest.approx(4 * WORD_MS / 1000, abs=0.05)
    assert len(pcm) / 2 / tts.sample_rate == pytest.approx(heard, abs=0.05)


async def test_what_is_spoken_is_counted_to_the_user() -> None:
    async with working(tts=NamedTone()) as shop:
        spoken = shop.work.speaking.begin("Good day.", caller=Caller(user="somebody"))
        assert [piece async for piece in spoken.encoded("mp3")]
        spending = shop.switchboard.now.spending
        assert [line.cost.characters for line in spending.of("somebody")] == [9]


async def test_a_user_is_read_to_as_they_have_chosen() -> None:
    tts = ToneSynthesizer()
    async with working(tts=tts) as shop:
        caller = Caller(settings=UserSettings(tts_voice="low", tts_speed=1.5))
        assert shop.work.speaking.begin("Yes.", caller=caller).request.voice == "low"
        assert shop.work.speaking.begin("Yes.", caller=caller).request.speed == 1.5
        assert shop.work.speaking.begin("Yes.", "tone", speed=2, caller=caller).voice == "tone"


@pytest.mark.parametrize("mode", ["disabled", "transcribe_only"])
async def test_who_may_not_be_read_to_is_not(mode: VoiceMode) -> None:
    async with working() as shop:
        with pytest.raises(PeerError) as refused:
            shop.work.speaking.begin("Yes.", caller=Caller(settings=UserSettings(mode)))
    assert refused.value.status == 403


async def test_nothing_is_spoken_where_voice_is_switched_off() -> None:
    async with working(voice_enabled=False) as shop:
        with pytest.raises(Unavailable) as refused:
            shop.work.speaking.begin("Yes.")
    assert refused.value.code == "voice_disabled"


async def test_whoever_leaves_ends_the_work() -> None:
    tts = Waiting()
    async with working(tts=tts) as shop:
        tts.go_on.clear()
        spoken = shop.work.speaking.begin("One two three. " * 40)
        async with aclosing(spoken.pcm()) as chunks:
            await anext(chunks)
            assert tts.open
        assert not tts.open


async def test_more_than_can_wait_are_sent_away_and_the_others_served() -> None:
    tts = Waiting()
    limits = {"speeches_at_once": 1, "requests_waiting": 1}
    async with working(tts=tts, limits=limits) as shop:
        tts.go_on.clear()

        async def speak(number: int) -> int:
            spoken = shop.work.speaking.begin(f"Number {number} is here.")
            return sum([len(chunk.pcm) async for chunk in spoken.pcm()])

        first = asyncio.create_task(speak(1))
        second = asyncio.create_task(speak(2))
        await tts.has_begun.wait()
        with pytest.raises(Unavailable) as refused:
            await speak(3)
        tts.go_on.set()
        assert await first and await second
    assert (refused.value.code, refused.value.retry_after_s) == ("busy", 2)


async def test_requests_take_half_of_what_the_engine_speaks_at_once() -> None:
    tts = Waiting()
    async with working(tts=tts, tts_max_concurrent=4) as shop:
        tts.go_on.clear()
        speaking = [
            asyncio.create_task(_all(shop.work.speaking.begin(f"Number {number} is here.").pcm()))
            for number in range(6)
        ]
        for _ in range(300):
            await asyncio.sleep(0)
        assert tts.open == 2
        tts.go_on.set()
        await asyncio.gather(*speaking)


async def _all(chunks: AsyncGenerator[SpeechChunk, None]) -> None:
    async with aclosing(chunks):
        async for _ in chunks:
            pass


async def test_what_the_engine_refuses_is_the_fault_of_the_request() -> None:
    tts = ToneSynthesizer()
    async with working(tts=tts) as shop:
        tts.failures.append(EngineError("No such voice.", code="unknown_voice"))
        with pytest.raises(PeerError) as refused:
            await _all(shop.work.speaking.begin("Yes.").pcm())
        tts.failures.append(EngineError("It broke."))
        with pytest.raises(EngineError):
            await _all(shop.work.speaking.begin("Yes.").pcm())
    assert refused.value.code == "unknown_voice"
