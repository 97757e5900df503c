"""How far a reading has come is told, and telling it never holds the reading up."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from inzwa_rtc.speech import progress as module
from inzwa_rtc.speech.progress import Meter, Progress, followed


def test_the_share_never_falls_and_the_end_is_all_of_it() -> None:
    meter = Meter(200, now=10.0)
    told = [meter.at(done, "", now) for done, now in ((0, 10.0), (50, 15.0), (40, 16.0), (200, 30))]
    assert [one.percentage for one in told] == [0, 25, 25, 100]
    assert [one.eta_seconds for one in told] == [None, 15.0, 18.0, 0.0]
    assert [one.processed for one in told] == [0, 50, 50, 200]


def test_no_text_is_read_at_once() -> None:
    assert Meter(0, 1.0).at(0, "", 1.0) == Progress(0, 0, 100.0, 0.0, "")


async def test_each_passage_is_told_where_there_is_time() -> None:
    told: list[Progress] = []

    async def tell(progress: Progress) -> None:
        told.append(progress)

    async with followed(10, tell) as follow:
        for processed, text in ((0, "one"), (4, "two"), (10, "")):
            follow(processed, text)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert [(one.percentage, one.current_text) for one in told] == [
        (0, "one"),
        (40, "two"),
        (100, ""),
    ]


async def test_who_is_slow_is_told_the_newest_and_the_end() -> None:
    told: list[float] = []
    may_go_on = asyncio.Event()

    async def tell(progress: Progress) -> None:
        told.append(progress.percentage)
        await may_go_on.wait()

    async with followed(10, tell) as follow:
        for processed in range(6):
            follow(processed, "")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        may_go_on.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        follow(10, "")
    assert told == [0, 50, 100]


async def test_who_fails_is_told_nothing_more_and_the_block_goes_on() -> None:
    calls = 0

    async def tell(progress: Progress) -> None:
        nonlocal calls
        calls += 1
        raise RuntimeError("a word of the text")

    with capture_logs() as lines:
        async with followed(10, tell) as follow:
            for processed in range(4):
                follow(processed, "a word of the text")
                await asyncio.sleep(0)
                await asyncio.sleep(0)
    assert calls == 1
    assert [line["event"] for line in lines] == ["speech.progress_not_told"]
    assert "word" not in str(lines)


async def test_who_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAST_WORD_S", 0.0)
    is_ended = False

    async def tell(progress: Progress) -> None:
        nonlocal is_ended
        try:
            await asyncio.Event().wait()
        finally:
            is_ended = True

    async with followed(10, tell) as follow:
        follow(3, "")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert is_ended


async def test_an_error_of_the_block_is_not_waited_with() -> None:
    async def tell(progress: Progress) -> None:
        await asyncio.Event().wait()

    with pytest.raises(ValueError, match="its own"):
        async with followed(10, tell) as follow:
            follow(3, "")
            raise ValueError("its own")
    assert len(asyncio.all_tasks()) == 1
