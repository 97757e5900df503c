"""An exchange loads what is not there yet, and nothing else."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inzwa_rtc.engines.lineup import Engines
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.service import NICENESS
from inzwa_rtc.errors import ConfigError, EngineError, EngineUnavailable
from inzwa_rtc.settings import Settings, TimeoutSettings
from tests.engines.boundary.exchanging import (
    Named,
    chain,
    children,
    ended,
    pids,
    pids_of,
    rename,
    said,
)

if TYPE_CHECKING:
    from .conftest import Boundary

BIG = {"volume": 4}
SMALL = {"volume": 5}


@pytest.fixture
def start_times(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """How long each engine that is loaded was given."""
    times: dict[str, float] = {}
    start = EngineProcess._start_child

    async def noted(process: EngineProcess, *launch: object) -> None:
        times[process.spec.kind] = process.start_timeout_s
        await start(process, *launch)  # type: ignore[arg-type]

    monkeypatch.setattr(EngineProcess, "_start_child", noted)
    return times


async def test_other_times_load_nothing_and_count_from_now_on(
    named: Named, boundary: Boundary, start_times: dict[str, float]
) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        before = pids(engines)
        patient = Settings(timeouts=TimeoutSettings(engine_start=90, first_token=20))
        lineup = await engines.load(patient)
        assert set(start_times.values()) == {60}
        assert engines.use(lineup) == ()
        assert pids(engines) == before
        with pytest.raises(EngineError):
            await said(engines.now, boundary, "exit")
        assert await said(engines.now, boundary, "back") == "back"
        assert start_times["llm"] == 90


async def test_a_chain_is_given_another_time_without_being_made_anew(
    named: Named, boundary: Boundary
) -> None:
    chain(named, "llm", a=BIG, b=SMALL)
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        model = engines.now.llm
        quick = Settings(timeouts=TimeoutSettings(first_token=0.001))
        engines.use(await engines.load(quick))
        assert engines.now.llm is model
        with pytest.raises(EngineUnavailable, match="engine_timeout"):
            await said(engines.now, boundary, "never")


async def test_an_engine_that_is_put_beside_another_is_all_that_is_loaded(
    named: Named, boundary: Boundary
) -> None:
    chain(named, "llm", a=BIG)
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        before = pids_of(engines, "llm")
        chain(named, "llm", a=BIG, b=SMALL)
        assert engines.use(await engines.load(Settings())) == ("llm",)
        after = pids_of(engines, "llm")
        assert after.keys() == {"a", "b"}
        assert after["a"] == before["a"]
        assert await said(engines.now, boundary, "hello") == "hello"
        assert len(children()) == 4
    assert children() == set()


async def test_a_chain_that_loses_an_engine_keeps_the_other_and_ends_this_one(
    named: Named, boundary: Boundary
) -> None:
    chain(named, "llm", a=BIG, b=SMALL)
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        before = pids_of(engines, "llm")
        chain(named, "llm", b=SMALL)
        with engines.now.lent() as lent:
            engines.use(await engines.load(Settings()))
            assert pids_of(engines, "llm") == {"b": before["b"]}
            assert before["a"] in children()
            assert await said(lent, boundary, "still here") == "still here"
        await ended(before["a"])
        assert await said(engines.now, boundary, "hello") == "hello"
        assert pids_of(engines, "llm") == {"b": before["b"]}


async def test_a_chain_is_exchanged_for_a_single_engine_and_ends_whole(
    named: Named, boundary: Boundary
) -> None:
    chain(named, "llm", a=BIG, b=SMALL)
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        before = pids_of(engines, "llm")
        chain(named, "llm", c={})
        engines.use(await engines.load(Settings()))
        for pid in before.values():
            await ended(pid)
        status = engines.status()["llm"]
        assert (status.name, status.breaker, status.others) == ("c", None, ())
        assert await said(engines.now, boundary, "hello") == "hello"


async def test_an_engine_that_a_turn_still_has_is_taken_again(
    named: Named, boundary: Boundary
) -> None:
    """There and back: what was there first never ended."""
    async with asyncio.timeout(boundary.guard_s), Engines(Settings(), patience_s=0) as engines:
        before = pids(engines)
        with engines.now.lent():
            rename(named, "llm", BIG)
            engines.use(await engines.load(Settings()))
            between = pids(engines)["llm"]
            rename(named, "llm", {})
            engines.use(await engines.load(Settings()))
            assert pids(engines) == before
            await ended(between)
        assert await said(engines.now, boundary, "hello") == "hello"
        assert pids(engines) == before


async def test_an_engine_that_does_not_serve_is_not_shared_but_tells_why_it_cannot_load(
    named: Named, boundary: Boundary
) -> None:
    broken = {"fail": "no such model"}
    chain(named, "llm", a=broken, b=SMALL)
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        chain(named, "llm", a=broken)
        with pytest.raises(EngineUnavailable, match="no such model"):
            await engines.load(Settings())
        assert await said(engines.now, boundary, "hello") == "hello"


async def test_an_engine_that_came_late_is_shared_as_any_other(
    named: Named, boundary: Boundary, tmp_path: Path
) -> None:
    obstacle = tmp_path / "obstacle"
    obstacle.touch()
    late = {"fail_unless_missing": str(obstacle)}
    chain(named, "llm", a=late, b=SMALL)
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        obstacle.unlink()
        while engines.status()["llm"].name != "a":  # noqa: ASYNC110 - a start is no event
            await asyncio.sleep(0.01)
        came = pids_of(engines, "llm")["a"]
        chain(named, "llm", a=late)
        engines.use(await engines.load(Settings()))
        assert pids_of(engines, "llm") == {"a": came}


async def test_a_wrong_option_of_one_of_several_engines_is_no_failure_to_be_tried_again(
    named: Named, boundary: Boundary
) -> None:
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        before = children()
        chain(named, "llm", a=BIG, b={"volum": 1})
        with pytest.raises(ConfigError, match=r"`llm\.volum` is not an option"):
            await engines.load(Settings())
        assert children() == before
    with pytest.raises(ConfigError, match=r"`llm\.volum` is not an option"):
        async with Engines(Settings()):
            pytest.fail("it must not be entered")
    assert children() == set()


async def test_engines_load_at_full_speed_but_beside_others_that_serve(
    named: Named, boundary: Boundary, tmp_path: Path
) -> None:
    note = tmp_path / "niceness"
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    rename(named, "llm", {"niceness_to": str(note)})
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        rename(named, "llm", {"niceness_to": str(note), **BIG})
        engines.use(await engines.load(Settings()))
        pid = pids(engines)["llm"]
        assert pid is not None
        assert os.getpriority(os.PRIO_PROCESS, pid) == usual + NICENESS
        # It is gone, and callers wait for the next one.
        async with aclosing(engines.now.llm.reply(boundary.request("exit"))) as chunks:
            await anext(chunks)
        await ended(pid)
        assert await said(engines.now, boundary, "back") == "back"
    told = [int(line) for line in note.read_text().split()]
    assert told == [usual, usual + NICENESS, usual]
