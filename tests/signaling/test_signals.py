"""What a signal asks of the server, by where it was started."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from signaling import signals
from signaling.signals import Signals, hold_hangups

NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Terminal:
    """There, or not."""

    def __init__(self) -> None:
        self.is_there = True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr(signals, "_has_terminal", lambda: terminal.is_there)
    return terminal


@pytest.fixture(autouse=True)
async def _handlers_are_put_back() -> AsyncIterator[None]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    for number, handler in before.items():
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, handler)


async def sent(received: Signals, number: signal.Signals) -> list[str]:
    """What is asked once this signal has come."""
    received.started()
    os.kill(os.getpid(), number)
    events = {"stop": received.stop, "force": received.force, "reload": received.reload}
    waiting = [asyncio.create_task(event.wait()) for event in events.values()]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    for task in waiting:
        task.cancel()
    return [name for name, event in events.items() if event.is_set()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_to_stop_stops(terminal: Terminal, number: signal.Signals) -> None:
    assert await sent(Signals(), number) == ["stop"]


@pytest.mark.parametrize("is_there", [True, False])
async def test_sighup_has_the_settings_read_again(terminal: Terminal, is_there: bool) -> None:
    terminal.is_there = is_there
    assert await sent(Signals(), signal.SIGHUP) == ["reload"]


async def test_sighup_stops_a_server_whose_terminal_goes(terminal: Terminal) -> None:
    received = Signals()
    terminal.is_there = False
    assert await sent(received, signal.SIGHUP) == ["stop"]


async def test_sighup_does_not_stop_a_server_that_was_told_to_ignore_it(
    terminal: Terminal,
) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what nohup does
    received = Signals()
    terminal.is_there = False
    assert await sent(received, signal.SIGHUP) == ["reload"]


async def test_sighup_does_not_stop_a_server_that_was_left_running_without_its_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "_GOING_S", 0.0)
    received = Signals()
    terminal.is_there = False
    assert await sent(received, signal.SIGHUP) == ["reload"]


async def test_a_sighup_before_the_server_listens_to_it_waits(terminal: Terminal) -> None:
    hold_hangups()
    os.kill(os.getpid(), signal.SIGHUP)
    received = Signals()
    await asyncio.wait_for(received.reload.wait(), 10)
