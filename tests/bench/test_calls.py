"""Callers against a real server: what they report is what there was to hear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from inzwa_rtc.bench.caller import Caller, calling
from inzwa_rtc.bench.clock import SendClock
from inzwa_rtc.bench.course import Course, Samples, talk
from inzwa_rtc.bench.door import INZWA, NoCall, NotLetIn, Refused
from inzwa_rtc.bench.fleet import Fleet
from inzwa_rtc.bench.ramp import Limits, ramp
from inzwa_rtc.bench.utterance import Utterance, utterance
from inzwa_rtc.engines.asr.fixed import FixedTranscript
from inzwa_rtc.engines.llm.fixed import FixedReply
from inzwa_rtc.engines.tts.tone import Tone
from inzwa_rtc.errors import InzwaError
from tests.support.server import Serving, serving

LIMITS = Limits(own_late_ms=1e9)
PATIENCE_S = 60.0  # far more than any step takes on a busy machine


@pytest.fixture
async def server() -> AsyncIterator[Serving]:
    async with serving(
        FixedTranscript(FixedTranscript.Options()),
        FixedReply(FixedReply.Options()),
        Tone(Tone.Options()),
        turn={"silence_ms": 200},
        call={"greeting": ""},
        max_concurrent_sessions=2,
    ) as running:
        yield running


def said_to_be_silent(said: Utterance) -> Utterance:
    """The same, by a sender that writes "silence" into every packet."""
    return replace(said, packets=tuple(replace(one, level=127) for one in said.packets))


@pytest.mark.parametrize("said", [utterance("question"), said_to_be_silent(utterance("question"))])
async def test_a_question_is_answered_and_an_interruption_stops_the_answer(
    server: Serving, said: Utterance
) -> None:
    """Whatever the sender claims of the loudness of its packets."""
    clock, samples = SendClock(), Samples()
    course = Course(said, said, interrupts_every=1)
    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as http:
        ticking = asyncio.create_task(clock.run())
        caller = Caller(server.url, INZWA)
        async with calling(caller, http, clock):
            talking = asyncio.create_task(talk(caller, course, samples))
            while not (len(samples.responses) >= 2 and samples.cuts):  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # speech takes its time
            talking.cancel()
        ticking.cancel()
        await asyncio.gather(talking, ticking, return_exceptions=True)
    assert caller.asked_at < caller.connected_at
    assert samples.stops
    assert all(ms > 0 for _, ms in samples.responses + samples.stops + samples.cuts)
    assert not samples.unanswered
    assert not samples.early
    assert caller.ear.bad_packets == 0
    seen = caller.ear.arrivals(0.0)
    assert seen.heard_s() > 0.5
    assert not caller.lost


async def test_callers_without_a_course_say_nothing_and_hear_nothing(server: Serving) -> None:
    fleet = Fleet(server.url, INZWA, None)
    async with asyncio.timeout(PATIENCE_S), fleet.up():
        await fleet.grow(2)
        assert len(server.calls) == 2
        seen = await fleet.watch(0.5)
    assert (seen.calls, seen.lost, seen.heard_s, seen.responses_ms) == (2, 0, 0.0, ())
    assert len(fleet.set_ups.connected_ms) == 2


async def test_a_server_that_is_full_is_said_to_refuse_and_its_calls_live_on(
    server: Serving,
) -> None:
    fleet = Fleet(server.url, INZWA, None)
    async with asyncio.timeout(PATIENCE_S), fleet.up():
        await fleet.grow(2)
        with pytest.raises(Refused):
            await fleet.grow(3)
        assert (fleet.calls, fleet.set_ups.refused) == (2, 1)


async def test_a_ramp_against_a_real_server_ends_where_it_refuses(server: Serving) -> None:
    fleet = Fleet(server.url, INZWA, Course(utterance("question"), utterance("question")))
    generous = Limits(outbound_ms=1e9, response_ms=None, own_late_ms=1e9)
    async with asyncio.timeout(PATIENCE_S), fleet.up():
        steps = [
            step async for step in ramp(fleet, generous, start=2, most=9, settle_s=0.0, seconds=1.0)
        ]
    assert [(step.calls, step.is_held) for step in steps] == [(2, True), (3, False)]
    assert "no more calls" in steps[-1].broken


async def test_calls_that_the_server_ends_are_told_and_the_others_go_on(server: Serving) -> None:
    fleet = Fleet(server.url, INZWA, None)
    async with asyncio.timeout(PATIENCE_S), fleet.up():
        await fleet.grow(2)
        server.calls.all()[0].dismiss()
        while not (seen := await fleet.watch(0.2)).lost:  # it takes leave first
            pass
        assert (seen.calls, seen.lost) == (2, 1)
        assert LIMITS.broken_by(seen) == "1 calls lost their connection"
        await fleet.shrink(2)
        assert fleet.calls == 1
        await fleet.grow(2)
        assert not (await fleet.watch(0.2)).lost


async def test_all_calls_have_ended_with_the_block(server: Serving) -> None:
    fleet = Fleet(server.url, INZWA, None)
    async with asyncio.timeout(PATIENCE_S):
        async with fleet.up():
            await fleet.grow(2)
        while len(server.calls):  # noqa: ASYNC110 - the server notices by itself
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("status", "told", "error", "said"),
    [
        (503, {"code": "server_full", "message": "Busy."}, Refused, "no more calls"),
        (503, {"code": "server_busy", "message": "Late."}, Refused, "no more calls"),
        (
            503,
            {"code": "webrtc_disabled", "message": "It is off.", "action": "Switch it on."},
            NotLetIn,
            "It is off. Switch it on.",
        ),
        (503, {"code": "draining", "message": "It ends.", "action": "Wait."}, NotLetIn, "It ends."),
        (429, {"code": "rate_limited", "message": "Too fast."}, NotLetIn, "any number of calls"),
        (401, {"code": "unauthorized", "message": "No key."}, NotLetIn, "No key."),
        (404, ["not", "an", "object"], NotLetIn, "404"),
        (200, {"nothing": "of use"}, NotLetIn, "200"),
    ],
)
async def test_an_answer_that_is_none_is_told_by_what_it_means(
    status: int, told: object, error: type[InzwaError], said: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(told, status=status, headers={"Retry-After": "7"})

    app = web.Application()
    app.router.add_post(INZWA.path, answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession() as http:
            host, port = runner.addresses[0]
            with pytest.raises(error) as raised:
                await INZWA.answer(http, f"http://{host}:{port}", "v=0", "secret-key")
    finally:
        await runner.cleanup()
    assert said in str(raised.value)
    assert "secret-key" not in str(raised.value)
    if isinstance(raised.value, Refused):
        assert raised.value.retry_after_s == 7


async def test_a_server_that_is_not_there_is_told_by_its_address() -> None:
    fleet = Fleet("http://127.0.0.1:9", INZWA, None)
    with pytest.raises(NoCall, match=r"127\.0\.0\.1:9"):
        async with fleet.up():
            await fleet.grow(1)
