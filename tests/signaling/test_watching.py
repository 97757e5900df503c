"""What watches over the server may break; the server does not, and the log says so."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import aiohttp
import pytest
from structlog.testing import capture_logs

from inzwa_rtc.machine.load import MachineLoad
from signaling import load
from signaling.telemetry.telemetry import Telemetry
from signaling.watching import watching
from tests.support.server import serving


async def test_a_figure_that_cannot_be_noted_is_told_and_keeps_nobody_from_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_telemetry: Telemetry, _load: MachineLoad) -> None:
        raise RuntimeError("No room for this figure.")

    monkeypatch.setattr(load, "EVERY_S", 0)
    monkeypatch.setattr(Telemetry, "note_load", broken)
    with capture_logs() as lines:
        async with serving() as server, aiohttp.ClientSession() as http:
            async with asyncio.timeout(20):
                while "watch.ended" not in [one["event"] for one in lines]:  # noqa: ASYNC110
                    await asyncio.sleep(0)  # a log has no event to wait for
            async with http.get(f"{server.url}/v1/info") as answer:
                assert answer.status == 200
    told = [(one["watch"], one["log_level"]) for one in lines if one["event"] == "watch.ended"]
    assert told == [("load", "error")]


async def test_the_others_go_on_when_one_fails_and_all_end_with_the_block() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def broken() -> NoReturn:
        raise RuntimeError

    async def well() -> NoReturn:
        try:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError
        finally:
            ended.set()

    with capture_logs() as lines:
        async with watching(broken=broken, well=well):
            await begun.wait()
            assert not ended.is_set()
    assert ended.is_set()
    assert [one["watch"] for one in lines] == ["broken"]
