"""Engines are exchanged while they are used: what was lent stays, what nobody uses ends."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import psutil
import pytest

from inzwa_rtc.engines.lineup import Engines
from inzwa_rtc.errors import EngineUnavailable
from inzwa_rtc.settings import Settings
from tests.engines.boundary.exchanging import Named, children, ended, pids, rename, said

if TYPE_CHECKING:
    from .conftest import Boundary
from tests.support.left_running import left_running


async def test_the_same_settings_exchange_nothing(named: Named) -> None:
    async with Engines(Settings()) as engines:
        before = pids(engines)
        lineup = await engines.load(Settings())
        assert lineup == engines.now
        assert engines.use(lineup) == ()
        assert pids(engines) == before


async def test_only_the_engine_that_is_named_anew_is_loaded_and_the_old_one_ends(
    named: Named, boundary: Boundary
) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        before = pids(engines)
        rename(named, "llm", {"volume": 4})
        lineup = await engines.load(Settings())
        assert pids(engines) == before  # until it is used
        old = psutil.Process(before["llm"])
        assert engines.use(lineup) == ("llm",)
        after = pids(engines)
        assert after["llm"] != before["llm"]
        assert {kind: after[kind] for kind in ("asr", "tts")} == {
            kind: before[kind] for kind in ("asr", "tts")
        }
        await asyncio.to_thread(old.wait)
        assert await said(engines.now, boundary, "hello") == "hello"
        assert children() == set(after.values())
    assert left_running() == []


async def test_what_was_lent_serves_until_it_is_given_back(
    named: Named, boundary: Boundary
) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        old = psutil.Process(pids(engines)["llm"])
        rename(named, "llm", {"volume": 4})
        with engines.now.lent() as lent:
            async with aclosing(lent.llm.reply(boundary.request("forever"))) as chunks:
                assert await anext(chunks)
                engines.use(await engines.load(Settings()))
                assert await said(lent, boundary, "still here") == "still here"
                with engines.now.lent() as newer:
                    assert await said(newer, boundary, "me too") == "me too"
                assert old.is_running()
        await asyncio.to_thread(old.wait)


async def test_an_engine_that_cannot_be_loaded_changes_nothing(
    named: Named, boundary: Boundary
) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        before = pids(engines)
        rename(named, "llm", {"fail": "no such model"})
        rename(named, "tts", {"volume": 4})  # it loads, and is not used alone
        with pytest.raises(EngineUnavailable, match="no such model"):
            await engines.load(Settings())
        assert pids(engines) == before
        assert children() == set(before.values())
        assert await said(engines.now, boundary, "hello") == "hello"


async def test_loading_that_is_given_up_leaves_no_process(named: Named, boundary: Boundary) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        before = set(pids(engines).values())
        rename(named, "llm", {"never_load": True})
        loading = asyncio.create_task(engines.load(Settings()))
        async with asyncio.timeout(boundary.guard_s):
            while len(left_running()) == len(before):  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.01)
        loading.cancel()
        await asyncio.wait({loading})
        assert children() == before


async def test_a_set_that_is_discarded_ends(named: Named, boundary: Boundary) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        before = pids(engines)
        rename(named, "tts", {"volume": 4})
        lineup = await engines.load(Settings())
        (new,) = children() - set(before.values())
        engines.discard(lineup)
        await ended(new)
        assert pids(engines) == before
        assert await said(engines.now, boundary, "hello") == "hello"


async def test_the_end_of_the_server_does_not_wait_for_what_is_lent(
    named: Named, boundary: Boundary
) -> None:
    async with asyncio.timeout(boundary.guard_s):
        async with Engines(Settings()) as engines:
            rename(named, "llm", {"volume": 4})
            lent = engines.now.lent()
            lent.__enter__()
            engines.use(await engines.load(Settings()))
        assert left_running() == []
        lent.__exit__(None, None, None)


async def test_a_retired_engine_that_crashes_is_started_again_for_those_who_have_it(
    named: Named, boundary: Boundary
) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        old = psutil.Process(pids(engines)["llm"])
        rename(named, "llm", {"volume": 4})
        with engines.now.lent() as lent:
            engines.use(await engines.load(Settings()))
            old.kill()
            await asyncio.to_thread(old.wait)
            assert await said(lent, boundary, "again") == "again"
