"""A caller who asks for less data is sent three frames in a packet, and none of them late."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from inzwa_rtc.audio.opus import OpusDecoder
from inzwa_rtc.audio.opus_packet import packet_ticks
from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.playout.speech import Speech
from inzwa_rtc.transport.sender import OUT_SAMPLE_RATE
from inzwa_rtc.transport.terms import Terms
from tests.support.sending import FRAME, ONE, USUAL, Line, Told, live


def test_with_less_data_three_frames_share_a_packet_and_sound_as_they_do_apart() -> None:
    little, apart = Line(Terms.low_data()), Line(Terms(12_000, 12_000))
    for line in (little, apart):
        line.play(*live(ONE), *[None] * 30)
    sound = [one for one in little.sent if len(one.payload) > 1]
    lengths = [opus_ms(one.payload) for one in sound]
    assert sum(lengths) == 20 * (len(ONE) + 10)
    assert lengths.count(60) >= len(lengths) - 4, "where the coding changes they stay apart"
    places = [one.timestamp // 48 for one in sound]
    assert places == [sum(lengths[:number]) for number in range(len(lengths))]
    decoder = OpusDecoder(OUT_SAMPLE_RATE)
    heard = b"".join(decoder.decode(one.payload) for one in sound)
    alone = OpusDecoder(OUT_SAMPLE_RATE)
    expected = b"".join(alone.decode(one.payload) for one in apart.sent if len(one.payload) > 1)
    assert heard == expected
    spent = sum(len(one.payload) + 50 for one in sound) * 8 * 1000 // sum(lengths)
    assert spent < 20_000, "bit/s, headers and all"


@pytest.mark.parametrize(
    ("terms", "transit_ms"), [(USUAL, 60 + 40), (Terms.low_data(), 60 + 40 + 40)]
)
def test_a_playout_knows_from_its_first_frame_on_how_long_sound_is_under_way(
    terms: Terms, transit_ms: int
) -> None:
    """With the two frames that leave before their time where three share a packet."""
    line = Line(terms)
    line.play(*[None] * 7)
    line.round_trip_s = 0.08
    playout = Told()
    line.sender.play(playout)
    assert playout.transit_ms == transit_ms


class Numbering:
    """An encoder whose packets tell which they are, and are all of one coding."""

    def __init__(self) -> None:
        self._encoded = 0

    def encode(self, pcm: bytes) -> bytes:
        self._encoded += 1
        return b"\x48<%03d>" % self._encoded

    def reset(self) -> None: ...


async def numbered(terms: Terms, words: int) -> tuple[Line, Playout, Speech]:
    """A line that is about to send a speech of one frame a word."""
    line, playout = Line(terms), Playout(OUT_SAMPLE_RATE, lambda event: None)
    line.sender.play(playout)
    assert playout.form is not None
    playout.want(replace(playout.form, new_encoder=Numbering))
    speech = playout.speech(1)
    speech.begin_phrase("w " * words, 0)
    starts = tuple(WordTime(2 * number, 1, 20 * number) for number in range(words))
    await speech.write(bytes(words * FRAME), starts)
    speech.end_phrase()
    return line, playout, speech


@pytest.mark.parametrize("terms", [USUAL, Terms.low_data()])
@pytest.mark.parametrize("tick", [10, 11, 12])
async def test_nothing_of_what_was_cut_is_in_the_next_packet(terms: Terms, tick: int) -> None:
    line, _, speech = await numbered(terms, 40)
    for line.ticks in range(40):
        if line.ticks == tick:
            speech.cut()
        line.sender.send(line.ticks)
    assert any(b"<" in one.payload for one in line.sent)
    assert not any(b"<" in one.payload for one in line.sent if one.tick >= tick)


async def test_with_less_data_the_first_packet_leaves_as_soon_and_no_frame_too_late() -> None:
    line, _, speech = await numbered(Terms.low_data(), 20)
    speech.finish()
    for line.ticks in range(40):
        line.sender.send(line.ticks)
    assert [one.tick for one in line.sent[:8]] == [0, 3, 6, 9, 12, 15, 18, 20]
    assert all(one.timestamp == one.tick * 960 for one in line.sent)
    sound = b"".join(one.payload for one in line.sent)
    assert [int(number) for number in re.findall(rb"<(\d+)>", sound)] == list(range(1, 21))


async def test_with_less_data_what_comes_late_waits_for_no_packet_to_be_full() -> None:
    line, _, speech = await numbered(Terms.low_data(), 1)
    speech.begin_phrase("more", 2)
    for line.ticks in range(4):
        line.sender.send(line.ticks)
        await speech.write(bytes(FRAME))
    assert [(one.tick, one.payload) for one in line.sent] == [
        (tick, b"\x48<%03d>" % (tick + 1)) for tick in range(4)
    ]


async def test_with_less_data_nothing_counts_as_heard_sooner() -> None:
    little, _, more = await numbered(Terms.low_data(), 40)
    usual, _, apart = await numbered(USUAL, 40)
    for tick in range(30):
        little.sender.send(tick)
        usual.sender.send(tick)
        assert len(more.heard()) <= len(apart.heard())
    assert len(more.heard()) > 20


async def test_with_less_data_what_was_kept_is_encoded_anew() -> None:
    playout = Playout(OUT_SAMPLE_RATE, lambda event: None)
    line = Line(Terms.low_data())
    line.sender.play(playout)
    assert not playout.speech(1).takes_packets


def opus_ms(payload: bytes) -> int:
    return packet_ticks(payload) * 1000 // 48_000
