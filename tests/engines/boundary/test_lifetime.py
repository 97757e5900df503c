"""An engine's process lives exactly as long as its owner wants, and leaves nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from structlog.testing import capture_logs

from inzwa_rtc.engines.contracts import EngineKind, TokenChunk
from inzwa_rtc.engines.lineup import Engines
from inzwa_rtc.engines.registry import KINDS, Chosen
from inzwa_rtc.engines.service import NICENESS
from inzwa_rtc.errors import EngineUnavailable
from inzwa_rtc.settings import Settings
from tests.cli.command import ended
from tests.support.left_running import left_running

if TYPE_CHECKING:
    from .conftest import Boundary

_PARENT = """
import asyncio
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.engines.supervised import supervised

async def main():
    spec = EngineSpec("llm", "test", "boundary_engines:Talker")
    process = EngineProcess(Launch(spec=spec, options={}))
    async with supervised([process]):
        print("child", process.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_engine_dies_with_its_killed_parent(
    boundary: Boundary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # the killed cannot clean up
    with ended(subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE)) as parent:
        assert parent.stdout is not None
        for line in iter(parent.stdout.readline, b""):
            if line.startswith(b"child "):
                child = psutil.Process(int(line.split()[1]))
                break
        else:
            pytest.fail("the parent did not start")
        parent.kill()
        assert child.wait(timeout=boundary.guard_s) in (None, -signal.SIGKILL)


async def test_engine_ends_when_its_standard_input_does(boundary: Boundary) -> None:
    """The way out where the kernel does not kill the children of the dead."""
    async with asyncio.timeout(boundary.guard_s), boundary.running("llm") as process:
        child = await process.ready()
        stdin = child._process.stdin
        assert stdin is not None
        stdin.close()
        await child.exited()
        assert child.ending == "status 1"


async def test_engine_that_serves_stands_back_behind_the_server_with_all_its_threads(
    boundary: Boundary,
) -> None:
    expected = psutil.Process().nice() + NICENESS
    async with boundary.running("llm") as process:
        assert process.pid is not None
        threads = [thread.id for thread in psutil.Process(process.pid).threads()]
        assert len(threads) > 1
        assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads} == {expected}


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What is started heeds Ctrl-C by itself. Tests that run in the background do not, and what
    they start would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


async def test_what_an_engine_has_loaded_is_never_looked_at_by_a_collection(
    boundary: Boundary,
) -> None:
    async with boundary.running("llm") as process:
        assert int(await boundary.reply(process, "kept")) > 10_000


async def test_interrupt_from_the_terminal_is_left_to_the_parent(
    boundary: Boundary, interruptible: None
) -> None:
    async with boundary.running("llm") as process:
        assert process.pid is not None
        assert os.getpgid(process.pid) == process.pid
        os.kill(process.pid, signal.SIGINT)
        assert await boundary.reply(process, "unmoved") == "unmoved"
        assert process.restarts == 0


def left(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_nothing_is_left_after_twenty_lives(
    boundary: Boundary, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(short_path))
    me = psutil.Process()
    before = None
    for number in range(20):
        async with boundary.running("llm") as process:
            (folder,) = left(short_path)
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert await boundary.reply(process, "hello") == "hello"
            if number % 5 == 0 and process.pid is not None:
                os.kill(process.pid, signal.SIGKILL)
                assert await boundary.reply(process, "hello again") == "hello again"
        assert left_running() == []
        assert left(short_path) == []
        before = before or me.num_fds()
    assert me.num_fds() == before


async def test_stuck_engine_is_ended_too(boundary: Boundary) -> None:
    async with asyncio.timeout(boundary.guard_s):
        async with boundary.running("llm") as process:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGSTOP)
        assert left_running() == []


async def test_long_folder_names_do_not_break_the_socket(
    boundary: Boundary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    async with boundary.running("llm") as process:
        assert await boundary.reply(process, "hello") == "hello"


@pytest.fixture
def all_three(
    boundary: Boundary, monkeypatch: pytest.MonkeyPatch
) -> dict[EngineKind, tuple[Chosen, ...]]:
    """The engines that `Engines` finds, whatever the settings."""
    engines: dict[EngineKind, tuple[Chosen, ...]] = {
        kind: (Chosen(boundary.spec(kind), {}),) for kind in KINDS
    }
    monkeypatch.setattr("inzwa_rtc.engines.lineup.chosen", lambda settings: engines)
    return engines


async def test_all_engines_are_ready_inside_and_gone_after(all_three: dict[Any, Any]) -> None:
    async with Engines(Settings()) as engines:
        status = engines.status()
        assert {entry.state for entry in status.values()} == {"ready"}
        assert {entry.pid for entry in status.values()} == {child.pid for child in left_running()}
        assert status["tts"].name == "test-tts"
        assert engines.now.tts.sample_rate == 8000
    assert left_running() == []


async def test_one_engine_that_cannot_load_stops_the_start(all_three: dict[Any, Any]) -> None:
    all_three["tts"] = (replace(*all_three["tts"], options={"fail": "no such voice file"}),)
    with pytest.raises(EngineUnavailable, match="no such voice file"):
        async with Engines(Settings()):
            pytest.fail("it must not be entered")
    assert left_running() == []


async def test_of_several_engines_one_is_enough_to_start_and_answers(
    all_three: dict[Any, Any], boundary: Boundary
) -> None:
    (works,) = all_three["llm"]
    all_three["llm"] = (replace(works, options={"fail": "no such model"}), works)
    async with asyncio.timeout(boundary.guard_s), Engines(Settings()) as engines:
        status = engines.status()["llm"]
        assert (status.state, status.breaker) == ("ready", "closed")
        assert [other.state for other in status.others] == ["failed"]
        async with aclosing(engines.now.llm.reply(boundary.request("hello"))) as chunks:
            said = [chunk.token async for chunk in chunks if isinstance(chunk, TokenChunk)]
        assert "".join(said) == "hello"
    assert left_running() == []


async def test_an_engine_in_an_environment_that_is_not_there_is_told_by_name(
    all_three: dict[Any, Any], tmp_path: Path
) -> None:
    text = tmp_path / "python"
    text.write_text("not a program")
    text.chmod(0o755)
    for python in ("/nowhere/bin/python", f"{text}/bin/python", str(text)):
        all_three["asr"] = (replace(*all_three["asr"], python=python),)
        with pytest.raises(EngineUnavailable, match=rf"{python}.*asr\.engine_python"):
            async with Engines(Settings()):
                pytest.fail("it must not be entered")


async def test_an_engine_runs_in_the_python_that_it_is_given(
    all_three: dict[Any, Any], tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ntouch "{tmp_path}/asked"\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    all_three["asr"] = (replace(*all_three["asr"], python=str(python)),)
    async with Engines(Settings()) as engines:
        assert engines.status()["asr"].state == "ready"
    assert (tmp_path / "asked").exists()


async def test_owner_s_own_error_leaves_as_it_is(all_three: dict[Any, Any]) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with Engines(Settings()):
            raise KeyError("mine")
    assert left_running() == []


async def test_the_log_has_one_line_at_the_start_that_says_what_was_chosen(
    boundary: Boundary,
) -> None:
    with capture_logs() as lines:
        async with boundary.running("llm"):
            pass
    (line,) = [line for line in lines if line["event"] == "engine.ready"]
    assert (line["model"], line["device"]) == ("small", "cpu (no GPU found)")
