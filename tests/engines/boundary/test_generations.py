"""However often engines are exchanged, two generations of a kind are the most that live."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psutil
import pytest
from structlog.testing import capture_logs

from inzwa_rtc.engines.lineup import Engines
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.errors import Unavailable
from inzwa_rtc.settings import Settings
from tests.engines.boundary.exchanging import Named, children, ended, pids, rename, said

if TYPE_CHECKING:
    from .conftest import Boundary


async def test_what_a_turn_still_has_puts_the_next_exchange_off(
    named: Named, boundary: Boundary
) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings(), patience_s=60) as engines:
        oldest = pids(engines)["llm"]
        lent = engines.now.lent()
        lent.__enter__()
        rename(named, "llm", {"volume": 4})
        engines.use(await engines.load(Settings()))
        before = children()
        rename(named, "llm", {"volume": 5})
        loading = asyncio.create_task(engines.load(Settings()))
        for _ in range(3):  # each is a round trip to a process: it has had the time to begin
            assert await said(engines.now, boundary, "meanwhile") == "meanwhile"
        assert children() == before
        lent.__exit__(None, None, None)
        engines.use(await loading)
        assert oldest not in children()


async def test_an_exchange_that_is_put_off_for_too_long_is_refused_and_says_why(
    named: Named, boundary: Boundary
) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings(), patience_s=0) as engines:
        with engines.now.lent():
            rename(named, "llm", {"volume": 4})
            engines.use(await engines.load(Settings()))
            before = children()
            rename(named, "llm", {"volume": 5})
            with pytest.raises(Unavailable, match=r"earlier exchange.*Try again") as refused:
                await engines.load(Settings())
            assert refused.value.code == "exchange_unfinished"
            assert children() == before
            rename(named, "llm", {"volume": 4})
            rename(named, "tts", {"volume": 5})  # of which there is but one generation
            assert engines.use(await engines.load(Settings())) == ("tts",)


async def test_a_set_that_was_discarded_has_ended_before_others_are_loaded(
    named: Named, boundary: Boundary, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        before = children()
        rename(named, "tts", {"volume": 4})
        lineup = await engines.load(Settings())
        (discarded,) = children() - before
        engines.discard(lineup)
        start, there = EngineProcess.start, []

        async def noted(process: EngineProcess) -> None:
            there.append(discarded in children())
            await start(process)

        monkeypatch.setattr(EngineProcess, "start", noted)
        rename(named, "tts", {"volume": 5})
        engines.use(await engines.load(Settings()))
        assert there == [False]


async def test_ten_exchanges_leave_nothing_behind(named: Named, boundary: Boundary) -> None:
    async with asyncio.timeout(2 * boundary.guard_s):
        async with Engines(Settings()):
            pass  # what the first ones open for good is opened before it is counted
        before = psutil.Process().num_fds()
        async with Engines(Settings()) as engines:
            for number in range(10):
                rename(named, "llm", {"volume": number})
                with engines.now.lent() as lent:
                    engines.use(await engines.load(Settings()))
                    assert await said(lent, boundary, "old") == "old"
                assert await said(engines.now, boundary, "new") == "new"
            await everything_has_ended_but(engines)
            assert children() == set(pids(engines).values())
            assert (len(engines._pool._lives), len(engines._pool._groups)) == (3, 3)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert psutil.Process().num_fds() == before


async def everything_has_ended_but(engines: Engines) -> None:
    """Return when only the engines in use are left."""
    while engines._pool.leaving(["llm"]):
        await asyncio.wait(engines._pool.leaving(["llm"]))
        await asyncio.sleep(0)  # its end is noted in the loop's next round


async def test_a_server_that_is_stopped_while_a_new_engine_hangs_leaves_no_process(
    named: Named, boundary: Boundary
) -> None:
    hangs = asyncio.Event()

    async def serve() -> None:
        async with Engines(Settings()) as engines:
            before = children()
            rename(named, "llm", {"never_load": True})
            loading = asyncio.create_task(engines.load(Settings()))
            try:
                while children() == before:  # noqa: ASYNC110 - a process is no event
                    await asyncio.sleep(0.01)
                hangs.set()
                await loading
            finally:
                loading.cancel()

    async with asyncio.timeout(boundary.guard_s):
        serving = asyncio.create_task(serve())
        await hangs.wait()
        serving.cancel()
        await asyncio.wait({serving})
    assert serving.cancelled()
    assert children() == set()


async def test_a_server_that_is_stopped_while_its_first_engine_hangs_leaves_no_process(
    named: Named, boundary: Boundary
) -> None:
    rename(named, "llm", {"never_load": True})
    async with asyncio.timeout(boundary.guard_s):
        starting = asyncio.create_task(Engines(Settings()).__aenter__())
        while len(children()) < 3:  # noqa: ASYNC110 - a process is no event
            await asyncio.sleep(0.01)
        starting.cancel()
        await asyncio.wait({starting})
    assert starting.cancelled()
    assert children() == set()


async def test_a_retired_engine_that_ends_in_disorder_ends_nobody_s_call(
    named: Named, boundary: Boundary, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        old = pids(engines)["llm"]
        process = engines.now.groups[1].has[0].host
        close = process.close

        async def closed_in_disorder() -> None:
            await close()
            raise AssertionError("nobody thought of this")

        monkeypatch.setattr(process, "close", closed_in_disorder)
        rename(named, "llm", {"volume": 4})
        with capture_logs() as lines:
            engines.use(await engines.load(Settings()))
            await ended(old)
            await everything_has_ended_but(engines)
        (line,) = [line for line in lines if line["log_level"] == "error"]
        assert (line["event"], line["engine"]) == ("engine.retired_in_disorder", "test-llm")
        assert await said(engines.now, boundary, "unharmed") == "unharmed"


async def test_what_killed_servers_left_is_looked_for_once(
    named: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[None] = []
    monkeypatch.setattr("inzwa_rtc.engines.lineup.sweep", lambda: swept.append(None))
    async with Engines(Settings()) as engines:
        rename(named, "llm", {"volume": 4})
        engines.use(await engines.load(Settings()))
    assert len(swept) == 1
