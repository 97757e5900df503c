"""Packets that say they are silent wait until somebody wants to hear what has come."""

from __future__ import annotations

import struct

import pytest

from inzwa_rtc.transport.hooks.lane import MOST_SILENT
from inzwa_rtc.transport.line import LONGEST_S, READ_S, WebRtcLine
from inzwa_rtc.transport.receiver import OpusReceiver
from tests.transport.test_hooks import End, connected

SILENT, LOUD = 127, 20
LEVEL_ID = 2  # aiortc's


def rtp(sequence: int, level: int, kind: int) -> bytes:
    head = struct.pack("!BBHII", 0x90, kind, sequence, sequence * 960, 7)
    return head + struct.pack("!HHBBxx", 0xBEDE, 1, LEVEL_ID << 4, level) + b"\x08"


class Sending:
    """From one end to the other, past the network."""

    def __init__(self, caller: End, called: End) -> None:
        self.called = called
        self.gate = called.gates[0]
        self._caller = caller
        self._sequence = 0

    def send(self, *levels: int) -> None:
        out, take = self._caller.lane._out, self.gate.on_rtp
        assert out is not None and take is not None
        for level in levels:
            self._sequence += 1
            packet = rtp(self._sequence, level, self.called.lane._in_type)
            take(out.protect(packet), self.gate.heard_at + 1.0)

    @property
    def came(self) -> list[int]:
        return [one.sequence for one in self.called.came]


async def test_silent_packets_are_put_aside_until_a_sound_comes_and_keep_their_place() -> None:
    async with connected() as ends:
        sending = Sending(*ends)
        sending.send(LOUD, SILENT, SILENT)
        assert sending.came == [1]
        sending.send(LOUD, SILENT)
        assert sending.came == [1, 2, 3, 4]
        sending.called.lane.take_silent()
        assert sending.came == [1, 2, 3, 4, 5]


async def test_no_more_than_some_are_put_aside() -> None:
    async with connected() as ends:
        sending = Sending(*ends)
        sending.send(*[SILENT] * MOST_SILENT)
        assert sending.came == []
        sending.send(SILENT)
        assert len(sending.came) == MOST_SILENT + 1


async def test_only_what_is_authentic_tells_that_the_caller_is_there() -> None:
    """Not what says of itself that it is silent."""
    async with connected() as ends:
        sending = Sending(*ends)
        before = sending.gate.heard_at
        assert sending.gate.on_rtp is not None
        sending.gate.on_rtp(rtp(1, SILENT, sending.called.lane._in_type), before + 1.0)
        sending.called.lane.take_silent()
        assert sending.gate.heard_at == before
        assert sending.called.lane.unreadable == 1
        sending.send(SILENT)
        assert sending.gate.heard_at == before
        sending.called.lane.take_silent()
        assert sending.gate.heard_at == before + 1.0


class Lane:
    """Satisfies `Lane`; what it is to give is put into the receiver as it is read."""

    def __init__(self) -> None:
        self.reads: list[float] = []
        self.silence_taken = 0

    def read(self, now: float) -> None:
        self.reads.append(now)

    def take_silent(self) -> None:
        self.silence_taken += 1


class Sink:
    def put_audio(self, pcm: bytes) -> None:
        """Nobody listens."""


@pytest.fixture
def lane() -> Lane:
    return Lane()


@pytest.fixture
def line(lane: Lane) -> WebRtcLine:
    line = WebRtcLine(lane, None, OpusReceiver(Sink()), lambda: None)  # type: ignore[arg-type]
    line.fetch(100.0)
    lane.reads.clear()
    lane.silence_taken = 0
    return line


def test_commands_are_read_for_within_60_ms_however_little_is_heard(
    line: WebRtcLine, lane: Lane
) -> None:
    for number in range(1, 12):
        line.take_in(100.0 + number * 0.02)
    assert lane.reads == pytest.approx([100.06, 100.12, 100.18])
    assert not lane.silence_taken
    assert READ_S < 0.06


def test_what_is_fetched_need_not_be_read_again(line: WebRtcLine, lane: Lane) -> None:
    for number in range(1, 12):
        line.fetch(100.0 + number * 0.02)
        line.take_in(100.0 + number * 0.02)
    assert len(lane.reads) == 11


def test_where_nobody_listens_what_comes_is_taken_all_the_same(
    line: WebRtcLine, lane: Lane
) -> None:
    for number in range(1, 101):
        line.take_in(100.0 + number * 0.02)
    assert 2.0 / LONGEST_S - 1 <= lane.silence_taken <= 2.0 / LONGEST_S


def test_a_line_is_silent_as_long_as_no_packet_waits_to_be_heard(
    line: WebRtcLine, lane: Lane
) -> None:
    assert line.is_silent(100.02)
    assert lane.reads == [100.02]
