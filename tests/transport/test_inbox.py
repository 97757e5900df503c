"""Only audio is ever dropped; commands keep their place; silence stands in for what is missing."""

from __future__ import annotations

import asyncio

import pytest

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.transport.inbox import GAP_FRAMES, MAX_FRAMES, CommandsOverflowError, Inbox

FRAME = b"\x01\x00" * 320


async def drain(inbox: Inbox[str]) -> list[Frame | str]:
    inbox.close()
    return [item async for item in inbox.receive()]


async def test_audio_of_any_length_becomes_frames_that_count_samples() -> None:
    inbox: Inbox[str] = Inbox()
    for size in (2, 638, 1280, 100):
        inbox.put_audio(bytes(size))
    frames = await drain(inbox)
    assert [frame.index for frame in frames if isinstance(frame, Frame)] == [0, 320, 640]
    assert all(isinstance(frame, Frame) and len(frame.pcm) == 640 for frame in frames)


async def test_the_oldest_audio_goes_first_and_commands_stay() -> None:
    now = [0.0]
    inbox: Inbox[str] = Inbox(clock=lambda: now[0])
    inbox.put_command("first")
    inbox.put_audio(FRAME * MAX_FRAMES)
    now[0] = 10.0
    inbox.put_audio(FRAME * 30)
    inbox.put_command("last")
    items = await drain(inbox)
    assert inbox.dropped_frames == 30
    assert isinstance(items[1], Frame)
    assert (items[0], items[-1], len(items)) == ("first", "last", MAX_FRAMES + 2)


async def test_audio_faster_than_real_time_is_dropped_once_a_stall_is_made_up_for() -> None:
    now = [0.0]
    inbox: Inbox[str] = Inbox(clock=lambda: now[0])
    for _ in range(100):
        inbox.put_audio(FRAME * 50)
        now[0] += 0.01
    assert inbox.dropped_frames >= 100 * 50 - MAX_FRAMES - 64


async def test_a_flood_of_commands_is_an_error() -> None:
    inbox: Inbox[str] = Inbox()
    with pytest.raises(CommandsOverflowError):
        for _ in range(1000):
            inbox.put_command("x")


async def test_silence_stands_in_while_nothing_arrives() -> None:
    inbox: Inbox[str] = Inbox()
    receiving = inbox.receive()
    frames = [await anext(receiving) for _ in range(GAP_FRAMES)]
    assert {frame.pcm for frame in frames if isinstance(frame, Frame)} == {bytes(640)}
    inbox.put_audio(FRAME)
    async with asyncio.timeout(5):
        async for item in receiving:
            assert isinstance(item, Frame)
            if item.pcm == FRAME:
                assert item.index % 320 == 0 and item.index >= GAP_FRAMES * 320
                break


@pytest.mark.parametrize("trickle", ["command", "crumb", "frame"])
async def test_time_in_the_call_goes_on_whatever_a_client_trickles(trickle: str) -> None:
    """A message, a few bytes or a frame every 90 ms neither stop nor slow the call's clock."""
    now = [0.0]
    inbox: Inbox[str] = Inbox(clock=lambda: now[0])
    receiving = inbox.receive()
    frames = 0
    inbox.put_command("tick")
    assert await anext(receiving) == "tick"
    for _ in range(100):
        now[0] += 0.09
        if trickle != "command":
            inbox.put_audio(FRAME if trickle == "frame" else b"\x01\x00")
        inbox.put_command("tick")
        while await anext(receiving) != "tick":
            frames += 1
    assert 0.75 * 9.0 <= frames * 0.02 <= 1.25 * 9.0


async def test_a_device_whose_clock_runs_slow_gets_no_silence_between_its_words() -> None:
    now = [0.0]
    inbox: Inbox[str] = Inbox(clock=lambda: now[0])
    receiving = inbox.receive()
    inbox.put_command("start")
    assert await anext(receiving) == "start"
    for _ in range(5000):
        now[0] += 0.0202
        inbox.put_audio(FRAME)
        item = await anext(receiving)
        assert isinstance(item, Frame) and item.pcm == FRAME


async def test_after_the_servers_own_stall_the_callers_words_are_not_cut_in_two() -> None:
    now = [0.0]
    inbox: Inbox[str] = Inbox(clock=lambda: now[0])
    now[0] = 5.0
    inbox.put_audio(FRAME * 250)  # what waited in the network's buffers
    items = await drain(inbox)
    assert {item.pcm for item in items if isinstance(item, Frame)} == {FRAME}


async def test_a_transport_that_stands_in_by_itself_is_given_the_time_to() -> None:
    now = [0.0]
    inbox: Inbox[str] = Inbox(clock=lambda: now[0], gap_s=0.4)
    receiving = inbox.receive()
    inbox.put_command("start")
    assert await anext(receiving) == "start"
    for number in range(10):
        now[0] += 0.3
        inbox.put_audio(FRAME)
        frame = await anext(receiving)
        assert isinstance(frame, Frame) and (frame.pcm, frame.index) == (FRAME, number * 320)
    now[0] += 0.4
    silence = [await anext(receiving) for _ in range(20)]
    assert {frame.pcm for frame in silence if isinstance(frame, Frame)} == {bytes(640)}
