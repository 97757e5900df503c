"""Packets that were encoded before are sent as they are, and nobody hears where they begin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from inzwa_rtc.audio.frame import PlayoutFrame
from inzwa_rtc.audio.opus import OpusEncoder
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.transport.sender import OUT_SAMPLE_RATE
from tests.support.sending import BITRATE, FRAME, ONE, TWO, Line, live, voice


def click(line: Line, frame: int) -> float:
    """The sharpest bend of the sound within 60 ms of the start of this frame: a click is all
    bend, a voice hardly any."""
    middle = frame * FRAME // 2
    bends = np.abs(np.diff(line.sound[max(0, middle - 1440) : middle + 1440], n=2))
    return float(bends.max())


def joined(*parts: Sequence[PlayoutFrame | None]) -> tuple[Line, Line, list[int]]:
    """The parts as they are, all of them encoded live, and where each but the first begins."""
    mixed, reference = Line(), Line()
    joints: list[int] = []
    for part in parts:
        joints.append(mixed.ticks)
        mixed.play(*part)
        reference.play(*(PlayoutFrame(frame.pcm) if frame else None for frame in part))
    return mixed, reference, joints[1:]


def against_loss(frames: Sequence[PlayoutFrame]) -> list[PlayoutFrame]:
    """The same sound as it is encoded for a caller who loses much."""
    encoder = OpusEncoder(OUT_SAMPLE_RATE, BITRATE, mode="lossy")
    return [PlayoutFrame(frame.pcm, encoder.encode(frame.pcm)) for frame in frames]


QUIET: list[PlayoutFrame | None] = [None] * 3


@pytest.mark.parametrize(
    "parts",
    [
        (live(ONE), TWO, live(ONE)),
        (ONE, TWO, ONE),
        (ONE, QUIET, live(TWO), QUIET, ONE),
        (live(ONE), QUIET, TWO, QUIET, live(ONE)),
        (QUIET, ONE[:10], QUIET, ONE[10:], QUIET),  # held, and released
        (live(ONE)[:10], TWO, live(ONE)),  # cut, and another turn begins
        (ONE[:10], live(TWO)),
        (ONE[:10], TWO),
        (TWO, against_loss(ONE), TWO, QUIET, against_loss(TWO), QUIET),
        (against_loss(ONE)[:10], QUIET),
    ],
    ids=[
        "between",
        "after",
        "apart",
        "after live",
        "held",
        "cut",
        "cut kept",
        "cut both",
        "lossy",
        "cut lossy",
    ],
)
def test_nothing_clicks_where_encoded_phrases_begin_and_end(
    parts: tuple[Sequence[PlayoutFrame | None], ...],
) -> None:
    mixed, reference, joints = joined(*parts)
    for joint in joints:
        assert click(mixed, joint) < 1.5 * click(reference, joint) + 100


def test_a_click_would_be_noticed() -> None:
    """One frame of samples missing within a phrase bends the sound more than a joint may."""
    torn, whole = Line(), Line()
    torn.play(*live(ONE[:8]), *live(TWO[12:]))
    whole.play(*live(ONE))
    assert click(torn, 8) > 2 * click(whole, 8) + 50


def test_a_kept_phrase_costs_no_encoding_and_neither_does_the_silence_around_it() -> None:
    line = Line()
    line.play(*[None] * 20, *ONE, *[None] * 20, *TWO)
    assert line.sender.encodes == 0
    assert line.packets[20 : 20 + len(ONE)] == [frame.packet for frame in ONE]


def test_silence_costs_a_sign_of_life_and_no_more() -> None:
    """An empty packet in 400 ms, which decoders take for a pause and not for a loss."""
    line = Line()
    line.play(*live(ONE), *[None] * 110)
    behind = [one for one in line.sent if one.tick >= len(ONE)]
    assert [one.tick - len(ONE) for one in behind] == [*range(10), 10, 30, 50, 70, 90]
    assert [len(one.payload) for one in behind[10:]] == [1] * 5
    quiet = line.sound[-40 * FRAME // 2 :]
    assert np.abs(quiet).max() < 100


def test_a_sender_is_quiet_behind_the_tail_of_a_sound_until_there_is_another() -> None:
    line = Line()
    line.play(*live(ONE))
    assert not line.sender.is_quiet
    line.play(*[None] * 10)
    assert not line.sender.is_quiet
    line.play(None)
    assert line.sender.is_quiet


def test_a_sign_of_life_that_was_due_at_a_tick_that_was_left_out_leaves_at_the_next() -> None:
    line = Line()
    line.play(None)
    for _ in range(20):
        line.ticks += 2
        line.play(None)
    assert [one.tick for one in line.sent] == [0, 21, 42]


def test_time_goes_on_in_silence_and_sound_behind_it_is_marked() -> None:
    line = Line()
    line.play(None, *ONE, *[None] * 40, *TWO)
    assert [one.timestamp for one in line.sent] == [one.tick * 960 for one in line.sent]
    assert [one.tick for one in line.sent if one.marker] == [1, 1 + len(ONE) + 40]


def test_a_stall_is_skipped_in_time_too() -> None:
    line = Line()
    line.play(*ONE[:3])
    line.ticks += 7
    line.play(*ONE[3:5])
    assert [one.timestamp // 960 for one in line.sent] == [0, 1, 2, 10, 11]


async def test_what_a_sender_plays_is_encoded_when_it_is_written() -> None:
    """When it is due, nothing is left to do but to send it."""
    playout = Playout(OUT_SAMPLE_RATE, lambda event: None)
    line = Line()
    line.sender.play(playout)
    speech = playout.speech(1)
    speech.begin_phrase("one", 0)
    assert speech.takes_packets
    await speech.write_frames([PlayoutFrame(b"", frame.packet) for frame in ONE[:3]])
    await speech.write(voice(110, 6) + bytes(100))  # ends within a frame
    speech.end_phrase()
    speech.finish()
    for tick in range(10):
        line.sender.send(tick)
    assert [one.payload for one in line.sent[:3]] == [frame.packet for frame in ONE[:3]]
    assert all(len(one.payload) > 20 for one in line.sent[3:9])
    assert line.sender.encodes == 0
