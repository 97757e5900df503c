"""How often a server is asked, by the pauses that are made."""

from __future__ import annotations

import asyncio
import time

import pytest

from inzwa_rtc.engines.remote.answers import Failed
from inzwa_rtc.engines.remote.retries import at_start, in_time
from inzwa_rtc.errors import EngineError


class Server:
    """Fails as it is told, and counts."""

    def __init__(self, *, passes: bool = True, retry_after_s: float | None = None) -> None:
        self.asked = 0
        self._passes = passes
        self._retry_after_s = retry_after_s

    def ask(self) -> None:
        self.asked += 1
        raise Failed(
            EngineError(f"failure {self.asked}"),
            passes=self._passes,
            retry_after_s=self._retry_after_s,
        )

    async def ask_async(self) -> None:
        self.ask()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr(time, "sleep", made.append)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    return made


def test_at_start_a_server_gets_time_to_come_up(pauses: list[float]) -> None:
    server = Server()
    with pytest.raises(EngineError, match="failure 4"):
        at_start(server.ask)
    assert pauses == [1, 2, 4]


async def test_in_a_call_all_attempts_fit_into_the_time(pauses: list[float]) -> None:
    server = Server()
    with pytest.raises(EngineError, match="failure 3"):
        await in_time(server.ask_async, within_s=3)
    assert pauses == [0.25, 0.5]


async def test_a_server_that_asks_for_a_little_time_gets_it(pauses: list[float]) -> None:
    server = Server(retry_after_s=2)
    with pytest.raises(EngineError, match="failure 3"):
        await in_time(server.ask_async, within_s=60)
    assert pauses == [2, 2]


async def test_one_that_asks_for_more_than_there_is_is_not_waited_for(pauses: list[float]) -> None:
    server = Server(retry_after_s=3)
    with pytest.raises(EngineError, match="failure 1"):
        await in_time(server.ask_async, within_s=3)
    assert pauses == []


async def test_what_does_not_pass_is_not_asked_again(pauses: list[float]) -> None:
    with pytest.raises(EngineError, match="failure 1"):
        at_start(Server(passes=False).ask)
    with pytest.raises(EngineError, match="failure 1"):
        await in_time(Server(passes=False).ask_async, within_s=3)
    assert pauses == []
