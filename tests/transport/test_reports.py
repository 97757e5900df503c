"""Reports of both ends count from when packets came, however late they are read."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket

from inzwa_rtc.transport.hooks.gate import Gate, MediaPort
from inzwa_rtc.transport.hooks.reports import Arrivals, count_from_arrival
from inzwa_rtc.transport.rtp import RTP_CLOCK, RtpPacket
from inzwa_rtc.transport.udp import UdpSocket
from tests.transport.test_hooks import End, connected, connection, packets

NOW = 1000.0
LSR = 77
SSRC = 5


def ends() -> tuple[RTCRtpReceiver, RTCRtpSender]:
    audio = RTCPeerConnection(RTCConfiguration(iceServers=[])).addTransceiver("audio")
    return audio.receiver, audio.sender


def answer(sender: RTCRtpSender, held_s: float) -> RtcpRrPacket:
    """To our last report, which the other end had for so long."""
    told = RtcpReceiverInfo(sender._ssrc, 0, 0, 0, 0, LSR, round(held_s * 65536))
    return RtcpRrPacket(SSRC, [told])


def sent_at(sender: RTCRtpSender) -> Any:
    return getattr(sender, "_RTCRtpSender__lsr_time")  # noqa: B009


def report_left(sender: RTCRtpSender, at: float) -> None:
    setattr(sender, "_RTCRtpSender__lsr", LSR)  # noqa: B010
    setattr(sender, "_RTCRtpSender__lsr_time", at)  # noqa: B010


def nominated(end: End) -> tuple[Gate, tuple[str, int], MediaPort, UdpSocket]:
    """Its gate, where its datagrams come from, and where to."""
    pair = connection(end)._nominated[1]
    port = pair.protocol
    assert isinstance(port, MediaPort) and isinstance(port.transport, UdpSocket)
    return end.gates[0], pair.remote_addr, port, port.transport


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of aiortc's reports stands still."""
    for end in ("receiver", "sender"):
        monkeypatch.setattr(f"aiortc.rtcrtp{end}.time", SimpleNamespace(time=lambda: NOW))


@pytest.mark.parametrize("waited_s", [0.0, 0.02, 0.06])
async def test_the_way_there_and_back_is_told_without_the_time_that_the_answer_waited(
    waited_s: float,
) -> None:
    receiver, sender = ends()
    count_from_arrival(receiver, sender, lambda: waited_s)
    report_left(sender, NOW - 0.25 - 0.08 - waited_s)
    await sender._handle_rtcp_packet(answer(sender, held_s=0.25))
    assert getattr(sender, "_RTCRtpSender__rtt") == pytest.approx(0.08, abs=1e-4)  # noqa: B009
    assert sent_at(sender) == NOW - 0.25 - 0.08 - waited_s  # as it was, for the next answer


async def test_an_answer_to_no_report_of_ours_is_taken() -> None:
    receiver, sender = ends()
    count_from_arrival(receiver, sender, lambda: 0.05)
    await sender._handle_rtcp_packet(answer(sender, held_s=0.25))
    assert sent_at(sender) is None


async def test_a_report_that_leaves_while_an_answer_is_taken_keeps_its_time() -> None:
    receiver, sender = ends()

    async def leaves(_: Any) -> None:
        report_left(sender, NOW)

    sender._handle_rtcp_packet = leaves  # type: ignore[method-assign, assignment]
    count_from_arrival(receiver, sender, lambda: 0.05)
    report_left(sender, NOW - 1)
    await sender._handle_rtcp_packet(answer(sender, held_s=0.25))
    assert sent_at(sender) == NOW


async def test_the_other_end_is_told_how_long_its_report_was_here_from_when_it_came() -> None:
    """Which it takes off, to know the way there and back."""
    receiver, sender = ends()
    count_from_arrival(receiver, sender, lambda: 0.05)
    for _ in range(2):
        await receiver._handle_rtcp_packet(RtcpSrPacket(SSRC, RtcpSenderInfo(1 << 40, 0, 0, 0)))
        came_at = getattr(receiver, "_RTCRtpReceiver__lsr_time")  # noqa: B009
        assert came_at == {SSRC: NOW - 0.05}


async def test_how_long_a_report_waited_is_told_by_the_socket_that_it_came_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with connected() as (_, called):
        gate, address, port, ours = nominated(called)
        monkeypatch.setattr(connection(called), "data_received", lambda *_: None)
        monkeypatch.setattr(gate, "_loop", SimpleNamespace(time=lambda: 20.0))
        ours.arrived_at = 19.75
        gate.take(b"\x80\xc8" + bytes(26), address, port)
        assert gate.report_late_s == 0.25


async def test_a_packet_is_counted_from_when_it_came_and_so_is_the_sign_of_life() -> None:
    async with connected() as (caller, called):
        gate, _, _, ours = nominated(called)
        assert caller.lane._out is not None and gate.on_rtp is not None
        seen: list[float] = []
        take = gate.on_rtp

        def noted(data: bytes, now: float) -> None:
            seen.append(now)
            take(data, now)

        gate.on_rtp = noted
        loop = asyncio.get_running_loop()
        called.lane.read(loop.time())
        before = loop.time()
        caller.lane.send(packets(1)[0], 0, True)
        called.lane.read(behind := loop.time())
        assert len(called.came) == len(seen) == 1
        assert before - 0.001 <= seen[0] <= behind
        assert gate.heard_at == seen[0] == ours.arrived_at


def test_jitter_is_that_of_the_times_at_which_packets_came() -> None:
    steady, shaken = Arrivals(), Arrivals()
    for number in range(400):
        packet = RtpPacket(number, number * 960, b"\x08", SSRC)
        assert steady.add(packet, 5.0 + number * 0.02) == (number == 0)
        shaken.add(packet, 5.0 + number * 0.02 + 0.008 * (number % 2))
    assert steady.streams[SSRC].jitter == 0
    assert shaken.streams[SSRC].jitter == pytest.approx(0.008 * RTP_CLOCK, abs=2)


def test_packets_that_overtake_each_other_and_repeat_count_as_they_are() -> None:
    """RFC 3550, section 6.4.1: what was expected, less what came."""
    arrivals = Arrivals()
    for number in (65_533, 65_535, 65_534, 0, 2, 2):
        arrivals.add(RtpPacket(number, number * 960 % 2**32, b"\x08", SSRC), 1.0)
    stream = arrivals.streams[SSRC]
    assert (stream.packets_expected, stream.packets_received) == (6, 6)
    arrivals.add(RtpPacket(5, 5 * 960, b"\x08", SSRC), 1.0)
    assert stream.packets_lost == 2


def test_no_leap_of_time_outgrows_its_place_in_a_report() -> None:
    arrivals = Arrivals()
    for number in range(100):
        at = 2**31 * (number % 2)
        arrivals.add(RtpPacket(number, at, b"\x08", SSRC), 1e9 * number)
    assert arrivals.streams[SSRC].jitter < 2**32
