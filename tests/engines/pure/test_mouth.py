"""What runs in the one thread of a library that speaks: clauses, in order, stoppable."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import closing

import numpy as np
import pytest

from inzwa_rtc.engines.contracts import SpeechChunk
from inzwa_rtc.engines.tts.apart.mouth import Mouth, Samples, Unwanted, Wanted
from inzwa_rtc.engines.tts.apart.text import speakable
from inzwa_rtc.errors import EngineError

RATE = 8000
GUARD_S = 20.0


async def spoken(mouth: Mouth, text: str, utter: object, tempo: float = 1.0) -> list[SpeechChunk]:
    speech = mouth.speak(text, utter, RATE, limit=20, tempo=tempo)  # type: ignore[arg-type]
    async with asyncio.timeout(GUARD_S):
        return [chunk async for chunk in speech]


def tone(_text: str, _is_wanted: Wanted) -> Generator[Samples, None, None]:
    """2.5 s."""
    yield (0.5 * np.sin(np.arange(20_000) / 5)).astype(np.float32)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello\r\n there\t!", "Hello there !"),
        ("a\0b", "a b"),
        ("x\ud83dy\ufeff", "xy"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("... ?!", ""),
        ("\u200b\u0007", ""),
        ("7", "7"),
        ("", ""),
    ],
)
def test_text_is_freed_of_what_no_model_knows(text: str, said: str) -> None:
    assert speakable(text) == said


async def test_the_first_piece_is_short_and_none_is_long() -> None:
    with closing(Mouth()) as mouth:
        chunks = await spoken(mouth, "One.", tone)
    assert [len(chunk.pcm) // 2 for chunk in chunks] == [800, 8000, 8000, 3200]


async def test_a_long_text_is_spoken_clause_by_clause() -> None:
    said: list[str] = []

    def utter(text: str, _is_wanted: Wanted) -> Generator[Samples, None, None]:
        said.append(text)
        yield np.zeros(10, np.float32)

    with closing(Mouth()) as mouth:
        await spoken(mouth, "One two three. Four, five six... seven eight nine ten.", utter)
    assert said == ["One two three.", "Four, five six...", "seven eight nine", "ten."]


async def test_samples_beyond_full_scale_or_no_numbers_are_kept_in_bounds() -> None:
    def utter(_text: str, _is_wanted: Wanted) -> Generator[Samples, None, None]:
        yield np.array([2, -2, np.nan, np.inf, -np.inf], np.float32)

    with closing(Mouth()) as mouth:
        (chunk,) = await spoken(mouth, "One.", utter)
    assert np.frombuffer(chunk.pcm, "<i2").tolist() == [32767, -32767, 0, 32767, -32767]


@pytest.mark.parametrize("tempo", [0.25, 0.5, 2.0, 4.0])
async def test_a_pace_is_laid_over_what_has_none(tempo: float) -> None:
    with closing(Mouth()) as mouth:
        chunks = await spoken(mouth, "One.", tone, tempo)
    made = sum(len(chunk.pcm) for chunk in chunks) / 2
    assert made == pytest.approx(20_000 / tempo, rel=0.1)


async def test_a_library_s_error_reaches_whoever_listens_and_the_next_is_spoken() -> None:
    def utter(_text: str, _is_wanted: Wanted) -> Generator[Samples, None, None]:
        yield np.zeros(10, np.float32)
        raise RuntimeError("no memory")

    with closing(Mouth()) as mouth:
        with pytest.raises(RuntimeError, match="no memory"):
            await spoken(mouth, "One.", utter)
        assert await spoken(mouth, "One.", tone)


async def test_who_hangs_up_stops_the_work_and_who_closes_does_too() -> None:
    begun, ended = threading.Event(), threading.Event()

    def utter(_text: str, is_wanted: Wanted) -> Generator[Samples, None, None]:
        yield np.zeros(10, np.float32)
        begun.set()
        try:
            while is_wanted():
                pass
            raise Unwanted
        finally:
            ended.set()

    mouth = Mouth()
    speech = mouth.speak("One. Two.", utter, RATE, limit=20)
    async with asyncio.timeout(GUARD_S):
        await anext(speech)
        await asyncio.to_thread(begun.wait, GUARD_S)
        await speech.aclose()
        assert await asyncio.to_thread(ended.wait, GUARD_S)
        begun.clear()
        ended.clear()
        left = mouth.speak("One.", utter, RATE, limit=20)
        await anext(left)
        await asyncio.to_thread(begun.wait, GUARD_S)
        await asyncio.to_thread(mouth.close)
        assert ended.is_set()
        with pytest.raises(EngineError, match="closed while it had text"):
            [chunk async for chunk in left]


async def test_what_waits_when_it_is_closed_and_what_comes_after_is_refused() -> None:
    begun = threading.Event()

    def utter(_text: str, is_wanted: Wanted) -> Generator[Samples, None, None]:
        begun.set()
        while is_wanted():
            pass
        yield np.zeros(10, np.float32)

    mouth = Mouth()
    speaking = [asyncio.create_task(spoken(mouth, "One.", utter)) for _ in range(3)]
    await asyncio.to_thread(begun.wait, GUARD_S)
    await asyncio.to_thread(mouth.close)
    ends = await asyncio.gather(*speaking, return_exceptions=True)
    assert [type(end) for end in ends] == [EngineError] * 3
    with pytest.raises(EngineError, match="closed"):
        await spoken(mouth, "One.", tone)
