"""Recordings are opened by processes of their own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import psutil
import pytest

from inzwa_rtc.errors import PeerError
from inzwa_rtc.recordings.cutting import Stretch
from inzwa_rtc.recordings.kinds import kind_of
from inzwa_rtc.recordings.worker import Job
from inzwa_rtc.recordings.workers import Workers
from inzwa_rtc.settings import TurnSettings
from tests.support.recordings import RATE, recorded, wav


def job(data: bytes, longest_s: float = 60.0) -> Job:
    return Job(len(data), kind_of(data[:12]), None, longest_s, TurnSettings())


def children() -> list[psutil.Process]:
    found = psutil.Process().children()
    return [one for one in found if "inzwa_rtc.recordings.worker" in one.cmdline()]


@asynccontextmanager
async def hired(idle: int = 1) -> AsyncIterator[Workers]:
    workers = Workers(idle)
    try:
        yield workers
    finally:
        await workers.close()


async def all_of(workers: Workers, data: bytes) -> list[Stretch | int]:
    return [part async for part in workers.cut(job(data), data)]


async def test_utterances_come_first_and_the_length_last() -> None:
    sound = await recorded("good morning")
    async with hired() as workers:
        *stretches, samples = await all_of(workers, sound)
    assert len(stretches) == 1
    assert samples == pytest.approx(len(sound) / 2, abs=400)


async def test_one_process_serves_again_even_after_a_bad_file_and_ends_with_the_server() -> None:
    async with hired() as workers:
        await all_of(workers, wav(bytes(RATE)))
        (before,) = children()
        with pytest.raises(PeerError):
            await all_of(workers, wav(bytes(3200), rate=0))
        await all_of(workers, wav(bytes(RATE)))
        assert children() == [before]
    assert children() == []


async def test_a_process_that_dies_costs_its_recording_only() -> None:
    sound = await recorded("good morning")
    async with hired() as workers:
        async with aclosing(workers.cut(job(sound * 40), sound * 40)) as cut:
            asking = asyncio.ensure_future(anext(cut))
            while not children():  # noqa: ASYNC110 - nobody tells of a process that begins
                await asyncio.sleep(0)
            os.kill(children()[0].pid, signal.SIGKILL)
            with pytest.raises(PeerError) as refused:
                await asking
        assert refused.value.code == "bad_audio"
        assert len(await all_of(workers, sound)) == 2


async def test_whoever_leaves_ends_the_process() -> None:
    sound = wav((await recorded("good morning"))[44:] * 30)
    async with hired() as workers:
        async with aclosing(workers.cut(job(sound), sound)) as cut:
            await anext(cut)
            assert len(children()) == 1
        assert children() == []


@pytest.mark.skipif(not psutil.LINUX, reason="Linux tells the limits of a process")
async def test_a_process_can_open_no_file_and_write_none() -> None:
    async with hired() as workers:
        await all_of(workers, wav(bytes(RATE)))
        (process,) = children()
        assert process.rlimit(psutil.RLIMIT_NOFILE) == (3, 3)
        assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)


async def test_a_process_that_opens_files_of_others_knows_no_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("INZWA_ADMIN_KEY", "DATABASE_URL", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "canary-7f31")
    async with hired() as workers:
        await all_of(workers, wav(bytes(RATE)))
        (process,) = children()
        told = process.environ()
    assert "PATH" in told
    assert "canary-7f31" not in told.values()
