"""What is taken from aiortc and aioice is there, does what it did, and nothing else runs.

One test for each hook: a version of the libraries that moves something fails here, by name.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aioice.ice import Connection
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, rtcsctptransport

from inzwa_rtc.audio.opus import OpusEncoder
from inzwa_rtc.transport import hooks
from inzwa_rtc.transport.hooks import AudioLane, Gate, Unhooked, limit_datagrams, open_gates
from inzwa_rtc.transport.ice import IceSettings, configure
from inzwa_rtc.transport.rtp import RtpPacket

GUARD_S = 30


@dataclass
class End:
    """One end of a call whose lanes are ours at both."""

    pc: RTCPeerConnection
    lane: AudioLane
    gates: list[Gate]
    came: list[RtpPacket] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, packet: RtpPacket, now: float) -> None:
        self.came.append(packet)
        self.changed.set()

    async def has(self, count: int) -> list[RtpPacket]:
        async with asyncio.timeout(GUARD_S):
            while len(self.came) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.came


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(GUARD_S):
        while not condition():  # noqa: ASYNC110 - the libraries tell nobody
            await asyncio.sleep(0.01)


async def end(offer: str | None = None) -> End:
    """One that offers, or one that is offered to."""
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    audio = pc.addTransceiver("audio", direction="sendrecv")
    if offer is not None:
        await pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        description = await pc.createAnswer()
    else:
        description = await pc.createOffer()
    opened = open_gates(pc, lambda host, port: True)
    for connection, gate in opened:
        configure(connection, gate, IceSettings())
    gates = [gate for _, gate in opened]
    one = End(pc, None, gates)  # type: ignore[arg-type]
    one.lane = AudioLane(audio, gates, one.put)
    await pc.setLocalDescription(description)
    return one


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[End, End]]:
    caller = await end()
    called = await end(caller.pc.localDescription.sdp)
    try:
        answer = RTCSessionDescription(called.pc.localDescription.sdp, "answer")
        await caller.pc.setRemoteDescription(answer)
        await until(lambda: caller.lane.is_open and called.lane.is_open)
        yield caller, called
    finally:
        await caller.pc.close()
        await called.pc.close()


def packets(count: int) -> list[bytes]:
    encoder = OpusEncoder(24_000, 24_000)
    return [encoder.encode(bytes(960)) for _ in range(count)]


async def test_packets_go_each_way_as_they_are_without_a_thread_or_a_task_of_their_own() -> None:
    async with connected() as (caller, called):
        tasks, threads = len(asyncio.all_tasks()), threading.active_count()
        sent = packets(5)
        for source, sink in ((caller, called), (called, caller)):
            for number, payload in enumerate(sent):
                source.lane.send(payload, number * 960, number == 0)
            came = await sink.has(5)
            assert [one.payload for one in came] == sent
            first = came[0]
            steps = [(one.sequence - first.sequence) % 65536 for one in came]
            times = [(one.timestamp - first.timestamp) % 2**32 for one in came]
            assert (steps, times) == ([0, 1, 2, 3, 4], [0, 960, 1920, 2880, 3840])
        assert len(asyncio.all_tasks()) <= tasks
        assert threading.active_count() <= threads
        assert not [one for one in threading.enumerate() if "decoder" in one.name]


async def test_a_call_is_read_when_it_is_asked_and_as_it_comes_again_once_it_is_let_go() -> None:
    async with connected() as (caller, called):
        loop, sent = asyncio.get_running_loop(), packets(3)
        called.lane.read(loop.time())
        caller.lane.send(sent[0], 0, True)
        for _ in range(5):
            await asyncio.sleep(0)
        assert called.came == []
        called.lane.read(loop.time())
        assert [one.payload for one in called.came] == sent[:1]
        called.lane.let_go()
        for number in (1, 2):
            caller.lane.send(sent[number], number * 960, False)
            await called.has(number + 1)


async def test_what_came_over_the_path_before_is_read_before_another_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Packets are given on in the order in which they came."""
    done: list[str] = []

    class Before:
        def read(self, now: float) -> None:
            done.append("read")

        def read_as_it_comes(self) -> None:
            done.append("let go")

    async with connected() as (_, called):
        monkeypatch.setattr(called.lane, "_polled", Before())
        called.lane.read(asyncio.get_running_loop().time())
        assert done == ["read", "let go"]


async def test_reports_of_what_came_and_of_the_way_there_and_back_go_on() -> None:
    """aiortc's RTCP works on statistics that the lane keeps for it."""
    async with connected() as (caller, called):
        stats: dict[str, Any] = {}
        async with asyncio.timeout(GUARD_S):
            for number in range(10_000):
                caller.lane.send(b"\x08", number * 960, False)
                called.lane.send(b"\x08", number * 960, False)
                await asyncio.sleep(0.02)
                stats = await caller.pc.getSenders()[0].getStats()
                if caller.lane.round_trip_s and "remote-inbound-rtp" in str(stats):
                    break
        remote = [one for one in stats.values() if one.type == "remote-inbound-rtp"]
        assert remote[0].packetsLost == 0
        assert caller.lane.lost_outward == 0


@pytest.mark.parametrize(
    ("reckoned", "told"), [(None, 0.0), (0.08, 0.08), (-0.5, 0.0), (1e6, 2.0), (float("nan"), 0.0)]
)
async def test_no_report_makes_the_way_there_and_back_shorter_than_none_or_endless(
    reckoned: float | None, told: float
) -> None:
    """aiortc subtracts a time that the caller wrote from our wall clock."""
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    audio = pc.addTransceiver("audio")
    lane = AudioLane(audio, [], lambda packet, now: None)
    setattr(audio.sender, "_RTCRtpSender__rtt", reckoned)  # noqa: B010
    assert lane.round_trip_s == told


async def test_what_was_not_sent_by_the_other_end_is_not_taken() -> None:
    async with connected() as (caller, called):
        forged = b"\x80\x60" + bytes(60)
        gate = called.gates[0]
        heard = gate.heard_at
        assert gate.on_rtp is not None
        gate.on_rtp(forged, 10.0**9)
        assert called.lane.unreadable == 1
        assert gate.heard_at == heard
        caller.lane.send(packets(1)[0], 0, True)
        await called.has(1)
        assert gate.heard_at > heard


async def test_datagrams_from_addresses_that_ice_has_not_validated_are_ignored() -> None:
    async with connected() as (caller, called):
        address = called.pc.getReceivers()[0].transport.transport
        port = address._connection._protocols[0]
        gate = called.gates[0]
        for datagram in (b"\x15\xfe\xfd" + bytes(20), b"\x80\x60" + bytes(60), b"\x80\xc8" * 20):
            port.datagram_received(datagram, ("127.0.0.1", 9))
        assert gate.refused == 3
        port.datagram_received(b"", ("127.0.0.1", 9))
        port.datagram_received(b"\x01\x01junk", ("127.0.0.1", 9))
        caller.lane.send(packets(1)[0], 0, True)
        await called.has(1)
        assert called.pc.connectionState == "connected"


def checks_come(called: End, monkeypatch: pytest.MonkeyPatch) -> None:
    """The called side asks for nothing, so nothing is answered to it."""
    for port in connection(called)._protocols:
        monkeypatch.setattr(port, "request", never)


def checks_are_answered(called: End, monkeypatch: pytest.MonkeyPatch) -> None:
    """The called side hears no check."""
    monkeypatch.setattr(connection(called), "check_incoming", lambda *_: None)


async def never(*_: Any, **options: Any) -> Any:
    await asyncio.Event().wait()


async def nowhere(*_: Any) -> None:
    pass


def connection(end: End) -> Connection:
    return end.pc.getReceivers()[0].transport.transport._connection


@pytest.mark.parametrize("only", [checks_come, checks_are_answered])
async def test_a_listener_who_sends_nothing_is_still_heard_of(
    only: Callable[[End, pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A muted caller's connectivity checks are authentic packets, as are their answers to ours.
    Each is enough."""
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.02)
    async with connected() as (caller, called):
        only(called, monkeypatch)
        for end in (caller, called):  # but for STUN, nothing comes
            for sender in (end.pc.getReceivers()[0], end.pc.getSenders()[0]):
                monkeypatch.setattr(sender, "_send_rtcp", nowhere)
        gate, heard = called.gates[0], called.gates[0].heard_at
        await until(lambda: gate.heard_at > heard)


async def test_reports_are_signs_of_life_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (_, called):
        monkeypatch.setattr(connection(called), "check_incoming", lambda *_: None)
        checks_come(called, monkeypatch)
        gate, heard = called.gates[0], called.gates[0].heard_at
        await until(lambda: gate.heard_at > heard)


def test_messages_are_cut_so_that_no_datagram_is_too_large() -> None:
    limit_datagrams()
    assert rtcsctptransport.USERDATA_MAX_LENGTH + 65 + 28 <= hooks.MAX_DATAGRAM


@pytest.mark.parametrize(
    "gone",
    [
        *(f"_RTCRtpReceiver__{name}" for name in ("remote_streams", "rtcp_exited", "lsr")),
        *(f"_RTCRtpSender__{name}" for name in ("rtp_exited", "rtt", "rtcp_exited")),
    ],
)
async def test_a_changed_aiortc_is_refused_rather_than_leaving_callers_unheard(gone: str) -> None:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    audio = pc.addTransceiver("audio")
    owner = audio.receiver if "Receiver" in gone else audio.sender
    delattr(owner, gone)
    with pytest.raises(Unhooked, match=gone):
        AudioLane(audio, [], lambda packet, now: None)


@pytest.mark.parametrize(
    "gone", ["_rx_srtp", "_tx_srtp", "_rtp_router", "_register_rtp_receiver", "_setup_srtp"]
)
async def test_a_changed_transport_is_refused_too(
    gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    audio = pc.addTransceiver("audio")
    await pc.createOffer()
    transport = audio.receiver.transport
    if gone in vars(transport):
        delattr(transport, gone)
    else:
        monkeypatch.delattr(type(transport), gone)
    with pytest.raises(Unhooked, match=gone):
        gates = [gate for _, gate in open_gates(pc, lambda host, port: True)]
        AudioLane(audio, gates, lambda packet, now: None)


@pytest.mark.parametrize("gone", ["get_component_candidates", "_protocols", "_closing"])
async def test_a_changed_aioice_is_refused_before_it_binds_anything(
    gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.addTransceiver("audio")
    await pc.createOffer()
    ((found, gate),) = open_gates(pc, lambda host, port: True)
    if gone in vars(found):
        delattr(found, gone)
    else:
        monkeypatch.delattr(type(found), gone)
    with pytest.raises(Unhooked, match=gone):
        configure(found, gate, IceSettings())
