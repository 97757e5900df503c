"""Questions to a server that wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from inzwa_rtc.engines.remote import answers
from inzwa_rtc.engines.remote.asking import Asking, StreamingOptions
from inzwa_rtc.engines.remote.options import Server
from inzwa_rtc.errors import EngineError, EngineTimeout

SERVER = Server("llm", "The chat server", "http://gpu:8000/v1", "tiny")


async def test_a_question_that_finds_no_place_in_time_says_so() -> None:
    asking, began, may_end = Asking(SERVER, 1), asyncio.Event(), asyncio.Event()

    async def attempt() -> bool:
        began.set()
        return await may_end.wait()

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(asking.once(attempt, "timeout_s", 30))
        await began.wait()
        with pytest.raises(EngineError, match=r"llm\.max_concurrent") as caught:
            await asking.once(attempt, "timeout_s", 0.01)
        assert caught.value.code == "engine_busy"
        may_end.set()
    assert first.result() is True
    assert await asking.once(attempt, "timeout_s", 30)


async def test_a_stream_holds_its_place_until_it_is_closed() -> None:
    asking, closed = Asking(SERVER, 1), asyncio.Event()

    async def count() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            closed.set()

    async with aclosing(asking.stream(count, StreamingOptions())) as numbers:
        assert await anext(numbers) == 1
        assert not asking.is_one_free
    assert closed.is_set()
    assert asking.is_one_free


@pytest.mark.usefixtures("brief_pauses")
async def test_an_attempt_that_comes_to_nothing_is_closed_before_the_next() -> None:
    asking = Asking(SERVER, 1)
    told: list[str] = []

    async def attempt() -> AsyncGenerator[int, None]:
        told.append("asked")
        try:
            if len(told) < 2:
                raise answers.Failed(EngineError("no"), passes=True)
            yield 1
        finally:
            told.append("closed")

    assert [n async for n in asking.stream(attempt, StreamingOptions())] == [1]
    assert told == ["asked", "closed", "asked", "closed"]


@pytest.mark.usefixtures("brief_pauses")
async def test_the_time_runs_from_the_question_not_from_the_attempt() -> None:
    """However many attempts are made, and however slow each is, the caller waits no longer."""
    attempts = 0

    async def attempt() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 2:
            await asyncio.Event().wait()
        raise answers.Failed(EngineError("no"), passes=True)

    with pytest.raises(EngineTimeout):
        await Asking(SERVER, 1).once(attempt, "timeout_s", 0.5)
    assert attempts == 2
