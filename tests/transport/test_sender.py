"""Packets that were encoded before are sent as they are, and nobody hears where they begin."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inzwa_rtc.audio.frame import PlayoutFrame
from inzwa_rtc.audio.opus import OpusDecoder
from inzwa_rtc.audio.opus_packet import packet_ticks
from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.playout.speech import Speech
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.transport.sender import OUT_SAMPLE_RATE, OpusSender
from inzwa_rtc.transport.terms import Terms

BITRATE = 28_000
USUAL = Terms(BITRATE, BITRATE, kept_bitrate=BITRATE)
FRAME = OUT_SAMPLE_RATE // 50 * 2
FADE_MS = 15  # how quickly a voice starts and ends, at the least


def voice(hz: float, frames: int, fade_ms: int = FADE_MS) -> bytes:
    """A dark vowel at the loudness of speech: hardly anything above 1 kHz, where clicks sound."""
    times = np.arange(frames * FRAME // 2) / OUT_SAMPLE_RATE
    sound = np.zeros(len(times))
    for number in range(1, int(1000 / hz)):
        sound += np.sin(2 * np.pi * number * hz * times) / number
    sound *= 9000 / np.abs(sound).max()
    if fade_ms:
        ramp = np.linspace(0, 1, OUT_SAMPLE_RATE * fade_ms // 1000)
        sound[: len(ramp)] *= ramp
        sound[-len(ramp) :] *= ramp[::-1]
    return bytes(sound.astype("<i2").tobytes())


def kept(pcm: bytes) -> list[PlayoutFrame]:
    """Frames with packets, and with the PCM that a live encoder gets in their place."""
    packets = KeptPhrase.of(pcm, OUT_SAMPLE_RATE, (), BITRATE).packets
    pcm += bytes(len(packets) * FRAME - len(pcm))
    return [
        PlayoutFrame(pcm[n * FRAME : (n + 1) * FRAME], packet) for n, packet in enumerate(packets)
    ]


class Told(Playout):
    """Plays what the test says."""

    def __init__(self) -> None:
        super().__init__(OUT_SAMPLE_RATE, lambda event: None)
        self.frames: deque[PlayoutFrame | None] = deque()

    def pull(self) -> PlayoutFrame | None:
        return self.frames.popleft() if self.frames else None

    @property
    def is_ready(self) -> bool:
        return bool(self.frames) and self.frames[0] is not None


@dataclass(frozen=True, slots=True)
class Sent:
    tick: int
    payload: bytes
    timestamp: int
    marker: bool


class Line:
    """A sender, told what to send, and what a decoder makes of all that it sends, and of its
    silence."""

    round_trip_s = 0.0

    def __init__(self, terms: Terms = USUAL) -> None:
        self.sender = OpusSender(self, terms)
        self.sent: list[Sent] = []
        self.ticks = 0
        self._playout = Told()
        self.sender.play(self._playout)
        self._decoder = OpusDecoder(OUT_SAMPLE_RATE)
        self._sound: list[bytes] = []

    def send(self, payload: bytes, timestamp: int, marker: bool) -> None:
        """What the sender calls."""
        self.sent.append(Sent(self.ticks, payload, timestamp, marker))

    def play(self, *frames: PlayoutFrame | None) -> None:
        self._playout.frames = deque(frames)
        for _ in frames:
            sent = len(self.sent)
            self.sender.send(self.ticks)
            came = [one.payload for one in self.sent[sent:]]
            self._sound += [self._decoder.decode(one) for one in came] or [self._decoder.conceal()]
            self.ticks += 1

    @property
    def packets(self) -> list[bytes]:
        """One for each tick; empty where nothing was sent."""
        by_tick = {one.tick: one.payload for one in self.sent}
        return [by_tick.get(tick, b"") for tick in range(self.ticks)]

    @property
    def sound(self) -> NDArray[np.float64]:
        return np.frombuffer(b"".join(self._sound), "<i2").astype(float)


def live(frames: Sequence[PlayoutFrame]) -> list[PlayoutFrame]:
    """The same sound, to be encoded when it is sent."""
    return [PlayoutFrame(frame.pcm) for frame in frames]


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


QUIET: list[PlayoutFrame | None] = [None] * 3
ONE, TWO = kept(voice(110, 20)), kept(voice(170, 20))


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
    ],
    ids=["between", "after", "apart", "after live", "held", "cut", "cut kept", "cut both"],
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
    playout.form = replace(playout.form, new_encoder=Numbering)
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
