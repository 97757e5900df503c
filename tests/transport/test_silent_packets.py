"""Packets that say they are silent wait until somebody wants to hear what has come."""

from __future__ import annotations

import struct

from inzwa_rtc.transport.hooks.lane import MOST_SILENT
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
