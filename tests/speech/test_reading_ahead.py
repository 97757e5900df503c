"""A text is read a little ahead of its listener, in bounded memory, and ended whole."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest
from inzwa_rtc.errors import EngineError
from inzwa_rtc.speech.piece import Piece, Span
from tests.support.speech import (
    RATE,
    TEXT,
    Engine,
    SentenceReader,
    audio_of,
    read,
    reading,
    tone,
)


async def test_an_error_in_the_middle_is_raised_behind_what_was_spoken() -> None:
    engine = Engine()
    engine.failures[1] = EngineError("It broke.")
    got: list[SpeechChunk] = []
    with pytest.raises(EngineError, match="It broke"):
        async with aclosing(reading(engine).synthesize(SpeechRequest(TEXT))) as chunks:
            async for chunk in chunks:
                got.append(chunk)
    assert len(audio_of(got)) == 10 * RATE // 5 - RATE // 100
    assert abs(int(audio_of(got)[-1])) < 300
    assert engine.open == 0


async def test_the_next_piece_is_made_while_the_last_is_taken_and_none_beyond() -> None:
    text = "One two three. " * 10
    engine = Engine(chunk=RATE)
    async with aclosing(reading(engine).synthesize(SpeechRequest(text))) as chunks:
        await anext(chunks)
        for _ in range(50):
            await asyncio.sleep(0)
        assert (len(engine.requests), engine.open, engine.most_open) == (2, 0, 1)
        taken = 1
        while len(engine.requests) < 3:
            await anext(chunks)
            taken += 1
        assert taken <= 3


async def test_a_listener_who_stalls_is_not_read_ahead_of_for_long() -> None:
    engine = Engine(lambda text: tone(100 * RATE), chunk=RATE)
    async with aclosing(reading(engine).synthesize(SpeechRequest("A word. Another."))) as chunks:
        await anext(chunks)
        for _ in range(300):
            await asyncio.sleep(0)
        assert engine.open == 1  # waits for room with the first of its pieces
        assert len(engine.requests) == 1
    assert engine.open == 0


async def test_who_closes_it_ends_what_is_being_made() -> None:
    engine = Engine()
    for taken in range(6):
        async with aclosing(reading(engine).synthesize(SpeechRequest(TEXT))) as chunks:
            for _ in range(taken):
                await anext(chunks)
        assert engine.open == 0
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("turns", [0, 1, 3, 10, 40])
async def test_it_is_cancelled_whole(turns: int) -> None:
    engine = Engine()
    task = asyncio.create_task(read(TEXT * 20, reading(engine)))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert engine.open == 0
    assert len(asyncio.all_tasks()) == 1


async def test_a_long_text_takes_no_more_memory_than_a_short_one() -> None:
    """Twenty-five times the text, whose audio alone is 8 MB."""

    class Lazy(SentenceReader):
        def read(self, text: str, limit: int) -> Iterator[Piece]:
            for start in range(0, len(text), 250):
                yield Piece(text[start : start + 250], "en", (Span(0, 250, start, start + 250),))

    async def peak(characters: int) -> int:
        text = ("The river listens to the wind. " * 2000)[:characters]
        engine = Engine(lambda said: tone(20_000), chunk=5000)
        tracemalloc.start()
        try:
            async with aclosing(reading(engine, Lazy()).synthesize(SpeechRequest(text))) as chunks:
                async for _ in chunks:
                    engine.requests.clear()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    await peak(2000)  # what is imported and cached once
    short, long = await peak(2000), await peak(50_000)
    assert long < short + 400_000
