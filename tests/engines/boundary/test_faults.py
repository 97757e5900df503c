"""An engine that crashes, hangs or fails harms the requests it holds, and no later one."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from inzwa_rtc.engines.client import LanguageModelClient
from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.engines.process import HANG_S, PROBE_EVERY_S, answers
from inzwa_rtc.engines.supervised import supervised
from inzwa_rtc.errors import ConfigError, EngineError, EngineTimeout, EngineUnavailable
from tests.support.left_running import left_running

if TYPE_CHECKING:
    from .conftest import Boundary

KINDS: tuple[EngineKind, ...] = ("asr", "llm", "tts")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
async def test_crash_or_hang_ends_its_streams_and_the_next_request_works(
    boundary: Boundary, kind: EngineKind, fault: signal.Signals
) -> None:
    async with (
        asyncio.timeout(boundary.guard_s),
        boundary.running(kind) as process,
        aclosing(boundary.stream(process)) as stream,
    ):
        await anext(stream)
        victim = process.pid
        assert victim is not None
        os.kill(victim, fault)
        with pytest.raises(EngineError):
            await anext(stream)
        await boundary.counts(process)
        assert process.pid != victim
        assert (process.state, process.restarts) == ("ready", 1)


async def test_request_made_while_the_engine_hangs_is_answered_by_its_successor(
    boundary: Boundary,
) -> None:
    async with asyncio.timeout(boundary.guard_s), boundary.running("llm") as process:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)
        assert await boundary.reply(process, "still there") == "still there"


async def test_engine_that_keeps_the_interpreter_to_itself_is_replaced(
    boundary: Boundary,
) -> None:
    async with asyncio.timeout(boundary.guard_s), boundary.running("llm") as process:
        with pytest.raises(EngineError):
            await boundary.reply(process, "hold")
        assert await boundary.reply(process, "back") == "back"


async def test_stall_of_the_server_itself_is_not_taken_for_the_engine_s(
    boundary: Boundary,
) -> None:
    async with asyncio.timeout(boundary.guard_s), boundary.running("llm") as process:
        child = await process.ready()
        os.kill(child.pid, signal.SIGSTOP)
        probe = asyncio.create_task(answers(child))
        await asyncio.sleep(0)
        time.sleep(HANG_S + PROBE_EVERY_S)  # noqa: ASYNC251 - the stall
        os.kill(child.pid, signal.SIGCONT)
        assert await probe
        assert await boundary.reply(process, "unharmed") == "unharmed"
        assert process.restarts == 0


async def test_engine_that_dies_again_and_again_still_comes_back(boundary: Boundary) -> None:
    async with asyncio.timeout(boundary.guard_s), boundary.running("llm") as process:
        for _ in range(4):
            with pytest.raises(EngineError):
                await boundary.reply(process, "exit")
        assert await boundary.reply(process, "back") == "back"
        assert process.restarts == 4


async def test_failed_restart_is_tried_again(boundary: Boundary, tmp_path: Path) -> None:
    obstacle = tmp_path / "obstacle"
    options = {"fail_unless_missing": str(obstacle)}
    async with (
        asyncio.timeout(boundary.guard_s),
        boundary.running("llm", options=options) as process,
    ):
        obstacle.touch()
        with pytest.raises(EngineError):
            await boundary.reply(process, "exit")
        while process.restarts < 2:  # noqa: ASYNC110 - a failed start is no event
            await asyncio.sleep(0.01)
        assert process.state == "restarting"
        obstacle.unlink()
        assert await boundary.reply(process, "back") == "back"


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
        RuntimeError("can't start new thread"),
        ConfigError("No folder for temporary files has a path short enough."),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_machine_without_room_for_a_successor_costs_no_more_than_that_try(
    boundary: Boundary, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    start = asyncio.create_subprocess_exec
    faults = [fault]

    async def starved(*arguments: str, **named: Any) -> asyncio.subprocess.Process:
        if faults:
            raise faults.pop()
        return await start(*arguments, **named)

    async with asyncio.timeout(boundary.guard_s), boundary.running("llm") as process:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", starved)
        with pytest.raises(EngineError):
            await boundary.reply(process, "exit")
        assert await boundary.reply(process, "back") == "back"
        assert (process.restarts, faults) == (2, [])


@pytest.mark.parametrize("steps", range(8))
async def test_a_start_that_is_given_up_at_once_leaves_no_process_and_no_pipe(
    boundary: Boundary, steps: int
) -> None:
    me = psutil.Process()
    before = me.num_fds()
    starting = asyncio.create_task(boundary.process("llm").start())
    for _ in range(steps):
        await asyncio.sleep(0)
    starting.cancel()
    async with asyncio.timeout(boundary.guard_s):
        await asyncio.wait({starting})
    assert starting.cancelled()
    assert left_running() == []
    assert me.num_fds() == before


async def test_what_an_engine_started_ends_with_it(boundary: Boundary) -> None:
    async with asyncio.timeout(boundary.guard_s), boundary.running("llm") as process:
        helper = psutil.Process(int(await boundary.reply(process, "helper")))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        await boundary.counts(process)
        # It is nobody's child here: gone, or waiting for init to notice.
        if psutil.pid_exists(helper.pid):
            assert helper.status() == psutil.STATUS_ZOMBIE
        children = left_running()
        assert [child.pid for child in children] == [process.pid]


async def test_engine_that_cannot_load_says_why(boundary: Boundary) -> None:
    with pytest.raises(EngineUnavailable, match=r"test-llm.*ValueError: no model at /nowhere"):
        async with boundary.running("llm", options={"fail": "no model at /nowhere"}):
            pytest.fail("it must not be entered")


async def test_wrong_option_stops_the_start_with_its_name(boundary: Boundary) -> None:
    with pytest.raises(ConfigError, match=r"`llm.volum` is not an option.*volume"):
        async with boundary.running("llm", options={"volum": 1}):
            pytest.fail("it must not be entered")


@pytest.mark.parametrize(
    "fault",
    [OSError(errno.EMFILE, "Too many open files"), RuntimeError("can't start new thread")],
    ids=lambda fault: type(fault).__name__,
)
@pytest.mark.parametrize("python", [None, sys.executable])
async def test_machine_without_room_for_the_first_process_is_told_of_with_what_to_do(
    boundary: Boundary, monkeypatch: pytest.MonkeyPatch, fault: Exception, python: str | None
) -> None:
    async def starved(*arguments: str, **named: Any) -> asyncio.subprocess.Process:
        raise fault

    monkeypatch.setattr(asyncio, "create_subprocess_exec", starved)
    with pytest.raises(EngineError, match=rf"test-llm.*{fault.args[-1]}.*ulimit") as error:
        async with boundary.running("llm", python=python):
            pytest.fail("it must not be entered")
    assert not isinstance(error.value, EngineUnavailable)  # which does not mend itself


async def test_engine_that_never_loads_is_given_up(boundary: Boundary) -> None:
    process = boundary.process("llm", options={"never_load": True}, start_timeout_s=2)
    with pytest.raises(EngineTimeout, match=r"not loaded within 2 s.*engine_start"):
        async with supervised([process]):
            pytest.fail("it must not be entered")
    assert process.state == "failed"
    assert left_running() == []


async def test_engine_that_dies_while_it_loads_is_told_from_one_that_cannot_be_loaded(
    boundary: Boundary,
) -> None:
    """The first may mend itself (memory was short), the second does not."""
    with pytest.raises(EngineError, match=r"ended while it was loading \(SIGKILL\)") as error:
        async with boundary.running("llm", options={"die_loading": True}):
            pytest.fail("it must not be entered")
    assert not isinstance(error.value, EngineUnavailable)


async def test_request_that_waits_for_a_stopped_engine_is_told(boundary: Boundary) -> None:
    async with boundary.running("llm") as process:
        pass
    assert process.state == "stopped"
    with pytest.raises(EngineUnavailable, match="not running"):
        await boundary.reply(process, "anyone?")


async def test_engine_s_own_error_arrives_whole(boundary: Boundary) -> None:
    async with boundary.running("llm") as process:
        with pytest.raises(EngineError) as error:
            await boundary.reply(process, "refuse")
        assert (error.value.message, error.value.action) == ("Refused.", "Ask nicely.")
        assert error.value.code == "refused"
        assert process.restarts == 0


async def test_caller_s_words_in_an_exception_or_in_print_reach_nobody(
    boundary: Boundary, capfd: pytest.CaptureFixture[str]
) -> None:
    async with boundary.running("llm", log_json=True) as process:
        with pytest.raises(EngineError, match=r"ValueError at boundary_engines.py:\d+") as error:
            await boundary.reply(process, "fail canary")
        assert "canary" not in str(error.value)
        assert await boundary.reply(process, "print canary") == "printed"
    shown = capfd.readouterr()
    assert "canary" not in shown.out + shown.err
    told = [json.loads(line) for line in shown.err.splitlines() if "unawaited" in line]
    assert [(line["event"], line["level"], line["engine"]) for line in told] == [
        ("engine.unawaited_error", "error", "test-llm")
    ]
    assert told[0]["error"].startswith("ValueError at boundary_engines.py:")


async def test_what_an_engine_logs_while_it_loads_has_the_form_of_the_server_s_lines(
    boundary: Boundary, capfd: pytest.CaptureFixture[str]
) -> None:
    options = {"warn_loading": "no GPU here"}
    async with boundary.running("llm", log_json=True, options=options):
        pass
    [line] = [line for line in capfd.readouterr().err.splitlines() if "no GPU" in line]
    told = json.loads(line)
    assert (told["event"], told["level"], told["logger"]) == ("no GPU here", "warning", "library")


async def test_stream_is_open_to_the_last_chunk_before_a_crash(boundary: Boundary) -> None:
    async with boundary.running("llm") as process:
        stream = LanguageModelClient(process).reply(boundary.request("exit"))
        async with aclosing(stream):
            assert [getattr(await anext(stream), "token", "")] == ["first"]
            with pytest.raises(EngineError):
                await anext(stream)
