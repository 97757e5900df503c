"""Callers who send what no client does: other senders in each packet, time that leaps."""

from __future__ import annotations

import asyncio
import struct
from types import SimpleNamespace
from typing import Any

import pylibsrtp
import pytest
from pylibsrtp import Policy, Session

from inzwa_rtc.transport.hooks.reports import Arrivals
from inzwa_rtc.transport.hooks.srtp import MOST_STREAMS, InboundSrtp
from inzwa_rtc.transport.rtp import RtpPacket
from tests.transport.test_hooks import GUARD_S, connected, until

MANY = 1000
KEY = bytes(range(30))


def rtp(ssrc: int, kind: int = 96, sequence: int = 1) -> bytes:
    return struct.pack("!BBHII", 0x80, kind, sequence, 0, ssrc) + b"\x08"


def report(ssrc: int) -> bytes:
    return struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, 0, 0, 0, 0)


def sessions() -> tuple[Session, InboundSrtp, list[str]]:
    """Of a sender, and of a receiver who notes what is authentic beside audio."""
    heard: list[str] = []
    out = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    come = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_INBOUND))
    return out, InboundSrtp(come, lambda: heard.append("rtcp")), heard


@pytest.mark.parametrize("kind", ["rtp", "rtcp"])
def test_of_many_senders_under_one_key_the_newest_are_remembered(kind: str) -> None:
    """libsrtp would look for each packet's sender among all that there ever were."""
    out, come, heard = sessions()
    forgotten: list[int] = []
    come.on_forgotten = forgotten.append
    for ssrc in range(MANY):
        if kind == "rtp":
            assert come.unprotect(out.protect(rtp(ssrc))) == rtp(ssrc)
        else:
            assert come.unprotect_rtcp(out.protect_rtcp(report(ssrc))) == report(ssrc)
    assert forgotten == list(range(MANY - MOST_STREAMS))
    assert len(heard) == (MANY if kind == "rtcp" else 0)
    with pytest.raises(pylibsrtp.Error, match="no appropriate context"):
        come._session.remove_stream(MANY - MOST_STREAMS - 1)
    for ssrc in range(MANY - MOST_STREAMS, MANY):
        come._session.remove_stream(ssrc)


def test_a_sender_who_was_forgotten_is_heard_again() -> None:
    out, come, _ = sessions()
    for sequence, ssrc in enumerate((*range(MOST_STREAMS + 1), 0)):
        assert come.unprotect(out.protect(rtp(ssrc, sequence=sequence)))


async def test_nothing_of_a_call_grows_with_its_senders() -> None:
    async with connected() as (caller, called):
        receiver = called.pc.getReceivers()[0]
        for ssrc in range(1, MANY):
            caller.lane._sender._ssrc = ssrc
            if ssrc % 3 == 0:
                caller.lane._out_type ^= 1  # a type that was not agreed on
            caller.lane.send(b"\x08", 0, False)
            await asyncio.sleep(0)
        caller.lane._sender._ssrc = MANY
        caller.lane._out_type = called.lane._in_type
        caller.lane.send(b"\x08", 0, False)
        async with asyncio.timeout(GUARD_S):
            while not called.came or called.came[-1].ssrc != MANY:
                called.changed.clear()
                await called.changed.wait()
        assert len(called.lane._arrivals.streams) <= MOST_STREAMS
        table = receiver.transport._rtp_router.ssrc_table
        assert len(table) <= MOST_STREAMS + 1  # and that of the offer
        assert MANY in table


@pytest.mark.parametrize("other", [2**32 - 1, 2**31, 2**31 - 1])
async def test_a_sender_whose_time_leaps_can_be_told_of_and_hung_up_on(
    other: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiortc's jitter would outgrow its place in a report, and `close` then wait for ever."""
    monkeypatch.setattr("aiortc.rtcrtpreceiver.random", SimpleNamespace(random=lambda: -0.49))
    async with connected() as (caller, called):
        receiver, told = called.pc.getReceivers()[0], []
        caller.lane._origin = 0
        for number in range(400):
            caller.lane.send(b"\x08", other if number % 2 else 0, False)
            await asyncio.sleep(0)
        await called.has(300)
        send = receiver._send_rtcp

        async def noted(packet: Any) -> None:
            bytes(packet)
            told.append(packet)
            await send(packet)

        monkeypatch.setattr(receiver, "_send_rtcp", noted)
        await until(lambda: len(told) > 1)
        async with asyncio.timeout(GUARD_S):
            await called.pc.close()


def test_the_jitter_of_a_sender_whose_clock_wraps_is_that_of_any_other() -> None:
    arrivals = Arrivals()
    for number in range(100):
        at = (2**32 - 960 * 50 + number * 960) % 2**32
        arrivals.add(RtpPacket((65_500 + number) % 65_536, at, b"\x08"), number * 0.02)
    stream = arrivals.streams[0]
    assert stream.jitter == 0
    assert (stream.packets_received, stream.packets_lost) == (100, 0)


@pytest.mark.parametrize("end", ["receiver", "sender"])
async def test_a_call_is_closed_though_its_reports_have_failed(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"aiortc.rtcrtp{end}.random", SimpleNamespace(random=lambda: -0.49))
    async with connected() as (caller, called):
        owner = getattr(called.pc.getTransceivers()[0], end)
        exited = getattr(owner, f"_RTCRtp{end.capitalize()}__rtcp_exited")
        caller.lane.send(b"\x08", 0, False)

        async def broken(_: Any) -> None:
            raise struct.error("too large")

        monkeypatch.setattr(owner, "_send_rtcp", broken)
        async with asyncio.timeout(GUARD_S):
            await exited.wait()
            await called.pc.close()


async def test_what_comes_twice_is_not_taken_for_what_cannot_be_read() -> None:
    async with connected() as (caller, called):
        assert caller.lane._out is not None
        data = caller.lane._out.protect(rtp(7, called.lane._in_type))
        take = called.gates[0].on_rtp
        assert take is not None
        take(data, 1.0)
        take(data, 1.0)
        assert (called.lane.repeated, called.lane.unreadable) == (1, 0)
