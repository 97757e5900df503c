"""Several recognisers: who hears the caller when one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest

from inzwa_rtc.engines.breaker import BreakerPolicy
from inzwa_rtc.engines.contracts import RecognizeRequest, TranscriptChunk
from inzwa_rtc.engines.fallback import FallbackRecognizer
from inzwa_rtc.engines.replay import Replay
from inzwa_rtc.errors import EngineError
from tests.engines.remote.clock import Clock

BUSY = EngineError("It is busy.", action="Wait.", code="engine_busy")
GUARD_S = 30.0


class Ear:
    """Hears the audio as text; `fails_after` so many bytes, or is silent from then on."""

    def __init__(self, fails_after: int | None = None, error: Exception | None = None) -> None:
        self.fails_after = fails_after
        self.error = error
        self.failed = asyncio.Event()

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        heard = b""
        async for piece in audio:
            heard += piece
            if self.fails_after is not None and len(heard) >= self.fails_after:
                await self._fail()
            yield self._chunk(heard, is_final=False)
        if self.fails_after is not None:
            await self._fail()
        yield self._chunk(heard, is_final=True)

    async def _fail(self) -> None:
        self.failed.set()
        if self.error is None:
            await asyncio.Event().wait()
        else:
            raise self.error

    def _chunk(self, heard: bytes, *, is_final: bool) -> TranscriptChunk:
        return TranscriptChunk(heard.decode(), 0, 0, is_final, 1.0, "en")


def ears(*engines: Ear, final_s: float = 20, kept_s: float = 60) -> FallbackRecognizer:
    named = [(f"ear-{number}", ear) for number, ear in enumerate(engines)]
    return FallbackRecognizer(named, final_s=final_s, kept_s=kept_s)


async def spoken(*pieces: str) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece.encode()
        await asyncio.sleep(0)


async def heard(recognizer: FallbackRecognizer, audio: AsyncIterator[bytes]) -> str:
    stream = recognizer.recognize(audio, RecognizeRequest())
    async with asyncio.timeout(GUARD_S), aclosing(stream) as chunks:
        finals = [chunk.text async for chunk in chunks if chunk.is_final]
    (final,) = finals
    return final


@pytest.mark.parametrize("fails_after", [1, 3, 6, 100], ids=["first", "middle", "last", "end"])
async def test_the_next_recogniser_hears_the_utterance_from_its_beginning(fails_after: int) -> None:
    recognizer = ears(Ear(fails_after, BUSY), Ear())
    assert await heard(recognizer, spoken("ab", "cd", "ef")) == "abcdef"
    assert recognizer.states() == {"ear-0": "closed", "ear-1": "closed"}


async def test_a_recogniser_that_hangs_is_given_up_in_time_for_the_next() -> None:
    assert await heard(ears(Ear(1), Ear(), final_s=0.1), spoken("ab", "cd")) == "abcd"


async def test_a_recogniser_has_all_the_time_that_the_caller_takes(clock: Clock) -> None:
    more = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"ab"
        await more.wait()
        yield b"cd"

    chunks = ears(Ear(), final_s=20).recognize(slowly(), RecognizeRequest())
    async with aclosing(chunks):
        assert (await anext(chunks)).text == "ab"
        final = asyncio.ensure_future(anext(chunks))
        clock.advance(1000)
        more.set()
        await final
        assert (await anext(chunks)).is_final


async def test_an_utterance_too_long_to_keep_stays_with_its_recogniser() -> None:
    kept_s = 4 / 32_000
    assert await heard(ears(Ear(), Ear(), kept_s=kept_s), spoken("ab", "cd", "ef")) == "abcdef"
    with pytest.raises(EngineError) as caught:
        await heard(ears(Ear(6, BUSY), Ear(), kept_s=kept_s), spoken("ab", "cd", "ef"))
    assert caught.value is BUSY


async def test_what_comes_while_the_next_recogniser_begins_is_kept_for_it() -> None:
    """As much as is kept had come when the first one failed: not a byte more may be let go."""
    more, gone = asyncio.Event(), asyncio.Event()

    class Late(Ear):
        async def recognize(
            self, audio: AsyncIterator[bytes], request: RecognizeRequest
        ) -> AsyncGenerator[TranscriptChunk, None]:
            more.set()
            await gone.wait()
            async for chunk in super().recognize(audio, request):
                yield chunk

    async def speaking() -> AsyncIterator[bytes]:
        yield b"abcd"
        await more.wait()
        asyncio.get_running_loop().call_later(0, gone.set)
        yield b"ef"

    recognizer = ears(Ear(4, BUSY), Late(), kept_s=4 / 32_000)
    assert await heard(recognizer, speaking()) == "abcdef"


async def test_an_utterance_that_is_too_long_to_be_heard_again_says_so() -> None:
    async with Replay(spoken("ab", "cd", "ef"), 4 / 32_000) as replay:
        assert b"".join([piece async for piece in replay.pieces()]) == b"abcdef"
        assert not replay.rewind()
        with pytest.raises(EngineError, match="too long"):
            await anext(replay.pieces())


async def test_a_recogniser_that_is_tried_again_is_open_to_others_at_its_first_partial(
    clock: Clock,
) -> None:
    first, second = Ear(1, BUSY), Ear()
    policy = BreakerPolicy(failures=1, open_s=15)
    recognizer = FallbackRecognizer(
        [("first", first), ("second", second)], final_s=20, policy=policy
    )
    assert await heard(recognizer, spoken("ab")) == "ab"
    assert recognizer.states()["first"] == "open"
    clock.advance(15)
    first.fails_after = None

    async def endless() -> AsyncIterator[bytes]:
        yield b"ab"
        await asyncio.Event().wait()

    async with aclosing(recognizer.recognize(endless(), RecognizeRequest())) as chunks:
        assert (await anext(chunks)).text == "ab"
        assert recognizer.states()["first"] == "closed"


async def test_a_model_that_cannot_translate_is_not_blamed_for_it() -> None:
    cannot = EngineError("It cannot.", action="Use another.", code="cannot_translate")
    recognizer = ears(Ear(1, cannot), Ear())
    for _ in range(5):
        assert await heard(recognizer, spoken("ab")) == "ab"
    assert recognizer.states() == {"ear-0": "closed", "ear-1": "closed"}


async def test_the_audios_own_failure_is_no_engines() -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"ab"
        raise ConnectionResetError("the caller left")

    recognizer = ears(Ear(), Ear())
    with pytest.raises(ConnectionResetError):
        await heard(recognizer, breaking())
    assert set(recognizer.states().values()) == {"closed"}


async def test_a_recogniser_without_a_final_transcript_has_failed() -> None:
    class Mute(Ear):
        async def recognize(
            self, audio: AsyncIterator[bytes], request: RecognizeRequest
        ) -> AsyncGenerator[TranscriptChunk, None]:
            async for _ in audio:
                pass
            return
            yield

    assert await heard(ears(Mute(), Ear()), spoken("ab")) == "ab"


async def test_leaving_a_recogniser_stops_reading_the_audio() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            yield b"ab"
            await asyncio.Event().wait()
        finally:
            closed.set()

    stream = ears(Ear()).recognize(endless(), RecognizeRequest())
    async with asyncio.timeout(GUARD_S), aclosing(stream) as chunks:
        assert (await anext(chunks)).text == "ab"
    assert closed.is_set()


@pytest.mark.parametrize(
    ("own", "known"),
    [
        ([("en", "sn"), ("en", "fr")], ("en", "sn", "fr")),
        ([("en",), ()], ()),
        ([("en",), None], ()),
    ],
)
def test_languages_are_those_of_all_and_none_where_one_does_not_know(
    own: list[tuple[str, ...] | None], known: tuple[str, ...]
) -> None:
    engines = [Ear() for _ in own]
    for engine, languages in zip(engines, own, strict=True):
        if languages is not None:
            engine.languages = languages  # type: ignore[attr-defined]
    assert ears(*engines).languages == known
