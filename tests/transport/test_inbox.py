"""Only audio is ever dropped; commands keep their place; silence stands in for what is missing."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.transport.inbox import GAP_S, MAX_FRAMES, CommandsOverflowError, Inbox
from inzwa_rtc.turntaking.ear import Ear
from tests.support.listening import LoudNetwork
from tests.support.wire import LOUD

GAP_FRAMES = round(GAP_S * 50)

FRAME = b"\x01\x00" * 320


class Line:
    """An inbox and who listens to it, on a clock that a test sets."""

    def __init__(self, gap_s: float = GAP_S) -> None:
        self.now = 0.0
        self.ear = Ear(LoudNetwork())
        self.inbox: Inbox[str] = Inbox(self.ear.of_call(), lambda: self.now, gap_s=gap_s)
        self.items: list[Frame | str] = []
        self.receiving = asyncio.create_task(self._receive())

    async def _receive(self) -> None:
        async with aclosing(self.inbox.receive()) as items:
            async for item in items:
                self.items.append(item)

    async def tick(self, times: int = 1) -> None:
        """Have it listened to, and all received that was."""
        for _ in range(times):
            await asyncio.sleep(0)  # it receives by now
            self.ear.tick(self.now)
            await asyncio.sleep(0)

    async def ticks(self, times: int) -> None:
        """The same, 20 ms apart."""
        for _ in range(times):
            self.now += 0.02
            await self.tick()

    async def all(self) -> list[Frame | str]:
        """What is received until the end, which is now."""
        self.inbox.close()
        while not self.receiving.done():
            await self.tick()
        await self.receiving
        return self.items


async def test_audio_of_any_length_becomes_frames_that_count_samples() -> None:
    line = Line()
    for size in (2, 638, 1280, 100):
        line.inbox.put_audio(bytes(size))
    frames = await line.all()
    assert [frame.index for frame in frames if isinstance(frame, Frame)] == [0, 320, 640]
    assert all(isinstance(frame, Frame) and len(frame.pcm) == 640 for frame in frames)


async def test_the_oldest_audio_goes_first_and_commands_stay() -> None:
    line = Line()
    line.inbox.put_command("first")
    line.inbox.put_audio(FRAME * MAX_FRAMES)
    line.now = 10.0
    line.inbox.put_audio(FRAME * 30)
    line.inbox.put_command("last")
    items = await line.all()
    assert line.inbox.dropped_frames == 30
    assert isinstance(items[1], Frame)
    assert (items[0], items[-1], len(items)) == ("first", "last", MAX_FRAMES + 2)


async def test_commands_and_frames_are_received_in_the_order_in_which_they_came() -> None:
    line = Line()
    for number in range(30):
        line.inbox.put_audio(FRAME)
        line.inbox.put_command(f"after {number}")
    items = await line.all()
    frames = [item for item in items[::2] if isinstance(item, Frame)]
    assert [frame.index for frame in frames] == [320 * number for number in range(30)]
    assert items[1::2] == [f"after {number}" for number in range(30)]


async def test_a_command_with_no_audio_before_it_waits_for_nobody() -> None:
    line = Line()
    line.inbox.put_command("at once")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert line.items == ["at once"]
    line.receiving.cancel()


async def test_frames_are_received_at_the_tick_that_they_came_before_with_their_speech() -> None:
    line = Line()
    line.inbox.put_audio(LOUD * 2)
    await line.tick()
    frames = [item for item in line.items if isinstance(item, Frame)]
    assert [frame.pcm for frame in frames] == [LOUD] * 2
    assert frames[-1].speech == pytest.approx(0.9)
    line.receiving.cancel()


async def test_a_conversation_that_takes_nothing_keeps_no_more_than_ten_seconds() -> None:
    ear, now = Ear(LoudNetwork()), [0.0]
    inbox: Inbox[str] = Inbox(ear.of_call(), clock=lambda: now[0])
    receiving = inbox.receive()
    inbox.put_command("begun")
    assert await anext(receiving) == "begun"
    for _ in range(3 * MAX_FRAMES):
        now[0] += 0.02
        inbox.put_audio(FRAME)
        ear.tick(now[0])
    assert (inbox.waiting_frames, inbox.dropped_frames) == (MAX_FRAMES, 2 * MAX_FRAMES)
    await receiving.aclose()
    assert len(ear) == 0


async def test_what_went_wrong_with_listening_is_raised_where_it_is_received() -> None:
    line = Line()
    await line.tick()
    line.inbox.give_up(RuntimeError("broken"))
    with pytest.raises(RuntimeError, match="broken"):
        await line.receiving


async def test_audio_faster_than_real_time_is_dropped_once_a_stall_is_made_up_for() -> None:
    line = Line()
    for _ in range(100):
        line.inbox.put_audio(FRAME * 50)
        line.now += 0.01
    assert line.inbox.dropped_frames >= 100 * 50 - MAX_FRAMES - 64
    line.receiving.cancel()


async def test_a_flood_of_commands_is_an_error() -> None:
    line = Line()
    with pytest.raises(CommandsOverflowError):
        for _ in range(1000):
            line.inbox.put_command("x")
    line.receiving.cancel()


async def test_silence_stands_in_while_nothing_arrives() -> None:
    line = Line()
    await line.tick()
    line.now = 0.1
    await line.tick()
    frames = [item for item in line.items if isinstance(item, Frame)]
    assert [frame.pcm for frame in frames] == [bytes(640)] * GAP_FRAMES
    line.inbox.put_audio(FRAME)
    *_, last = await line.all()
    assert isinstance(last, Frame)
    assert (last.pcm, last.index) == (FRAME, GAP_FRAMES * 320)


@pytest.mark.parametrize("trickle", ["command", "crumb", "frame"])
async def test_time_in_the_call_goes_on_whatever_a_client_trickles(trickle: str) -> None:
    """A message, a few bytes or a frame every 90 ms neither stop nor slow the call's clock."""
    line = Line()
    await line.tick()
    for _ in range(100):
        line.now += 0.09
        if trickle != "command":
            line.inbox.put_audio(FRAME if trickle == "frame" else b"\x01\x00")
        line.inbox.put_command("tick")
        await line.tick()
    items = await line.all()
    frames = sum(isinstance(item, Frame) for item in items)
    assert items.count("tick") == 100
    assert 0.75 * 9.0 <= frames * 0.02 <= 1.25 * 9.0


async def test_a_device_whose_clock_runs_slow_gets_no_silence_between_its_words() -> None:
    line = Line()
    await line.tick()
    for _ in range(5000):
        line.now += 0.0202
        line.inbox.put_audio(FRAME)
        await line.tick()
    items = await line.all()
    assert len(items) == 5000
    assert {item.pcm for item in items if isinstance(item, Frame)} == {FRAME}


async def test_after_the_servers_own_stall_the_callers_words_are_not_cut_in_two() -> None:
    line = Line()
    await line.tick()
    line.now = 5.0
    line.inbox.put_audio(FRAME * 250)  # what waited in the network's buffers
    items = await line.all()
    assert len(items) == 250
    assert {item.pcm for item in items if isinstance(item, Frame)} == {FRAME}


async def test_a_transport_that_stands_in_by_itself_is_given_the_time_to() -> None:
    line = Line(gap_s=0.4)
    await line.tick()
    for _ in range(4):
        line.now += 0.24
        await line.tick()
        line.inbox.put_audio(FRAME * 15)
        await line.ticks(3)
    heard = list(line.items)
    assert [frame.pcm for frame in heard if isinstance(frame, Frame)] == [FRAME] * 60
    line.now += 0.39
    await line.ticks(4)
    silence = line.items[60:]
    assert [frame.pcm for frame in silence if isinstance(frame, Frame)] == [bytes(640)] * 20


async def test_audio_is_fetched_when_it_is_listened_to_and_before_what_came_after_it() -> None:
    """A command keeps its place behind what was said before it."""
    asked: list[float] = []
    ear, now = Ear(LoudNetwork()), 1.0

    class Asked:
        def fetch(self, at: float) -> None:
            asked.append(at)
            inbox.put_audio(LOUD)

        def is_silent(self, now: float) -> bool:
            return False

    inbox: Inbox[str] = Inbox(ear.of_call(), lambda: now)
    inbox.source = Asked()
    items: list[Frame | str] = []
    async with aclosing(inbox.receive()) as receiving:
        inbox.put_command("after the first")
        now = 1.02
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(receiving)
    async with aclosing(inbox.receive()) as receiving:

        async def three() -> None:
            items.extend([await anext(receiving) for _ in range(3)])

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(three())
            await asyncio.sleep(0)  # it receives by now
            ear.tick(1.04)
    assert [isinstance(item, Frame) for item in items] == [True, False, True]
    inbox.close()
    assert asked == [1.0, 1.04, 1.02]


class Nothing:
    """A source that never has anything."""

    def fetch(self, at: float) -> None:
        pass

    def is_silent(self, at: float) -> bool:
        return True


async def test_audio_that_comes_by_itself_is_looked_for_soon() -> None:
    line = Line()
    line.inbox.wanted = Haste.IN_TIME
    assert haste(line) is Haste.SOON
    line.inbox.source = Nothing()
    assert haste(line) is Haste.IN_TIME
    await line.all()


def haste(line: Line) -> Haste:
    return line.inbox.haste


async def test_an_inbox_is_in_the_haste_of_its_conversation_but_for_what_cannot_wait() -> None:
    line = Line()
    line.inbox.source = Nothing()
    await line.tick()
    assert haste(line) is Haste.EACH_FRAME
    for line.inbox.wanted in (Haste.IN_TIME, Haste.SOON, Haste.EACH_WINDOW):
        assert haste(line) is line.inbox.wanted
    line.inbox.wanted = Haste.IN_TIME
    line.inbox.put_audio(FRAME)
    line.inbox.put_command("now")
    assert haste(line) is Haste.EACH_FRAME
    await line.tick()
    assert line.items[-1] == "now"
    assert haste(line) is Haste.IN_TIME
    line.inbox.close()
    assert haste(line) is Haste.EACH_FRAME
    await line.all()


@pytest.mark.parametrize("haste", Haste)
@pytest.mark.parametrize("each", [1, 2, 3])
async def test_where_audio_is_missing_time_goes_on_in_whatever_haste(
    haste: Haste, each: int
) -> None:
    """A second of the call is a second, be there a frame now and then or none."""
    line = Line()
    await line.tick()
    line.inbox.wanted = haste
    for number in range(1, 501):
        line.now = number * 0.02
        if each > 1 and number % each == 0:
            line.inbox.put_audio(FRAME)
        await line.tick()
    frames = len(line.items)
    assert 0.75 * 500 <= frames <= 1.25 * 500
    line.receiving.cancel()
