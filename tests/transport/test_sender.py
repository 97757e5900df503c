"""Packets that were encoded before are sent as they are, and nobody hears where they begin."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from inzwa_rtc.audio.frame import PlayoutFrame
from inzwa_rtc.audio.opus import OpusDecoder
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.transport.sender import OUT_SAMPLE_RATE, OpusTrack

BITRATE = 28_000
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


class Line:
    """A track, pulled by hand, and what one decoder makes of all that it sends."""

    def __init__(self) -> None:
        self.track = OpusTrack(BITRATE)
        self.packets: list[bytes] = []
        self._decoder = OpusDecoder(OUT_SAMPLE_RATE)
        self._sound: list[bytes] = []

    def send(self, *frames: PlayoutFrame | None) -> None:
        for frame in frames:
            packet = self.track._packet(frame)
            self.packets.append(packet)
            self._sound.append(self._decoder.decode(packet))

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
        joints.append(len(mixed.packets))
        mixed.send(*part)
        reference.send(*(PlayoutFrame(frame.pcm) if frame else None for frame in part))
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
    torn.send(*live(ONE[:8]), *live(TWO[12:]))
    whole.send(*live(ONE))
    assert click(torn, 8) > 2 * click(whole, 8) + 50


def test_a_kept_phrase_costs_no_encoding_and_neither_does_the_silence_around_it() -> None:
    line = Line()
    line.send(*[None] * 20, *ONE, *[None] * 20, *TWO)
    assert line.track.encodes == 0
    assert line.packets[20 : 20 + len(ONE)] == [frame.packet for frame in ONE]


async def test_a_track_takes_the_packets_of_what_it_plays() -> None:
    playout = Playout(OUT_SAMPLE_RATE, lambda event: None)
    track = OpusTrack(BITRATE)
    track.play(playout)
    speech = playout.speech(1)
    speech.begin_phrase("one", 0)
    assert speech.takes_packets
    await speech.write_frames([PlayoutFrame(b"", frame.packet) for frame in ONE[:3]])
    speech.end_phrase()
    speech.finish()
    async with asyncio.timeout(10):
        sent = [bytes(await track.recv()) for _ in range(3)]
    assert sent == [frame.packet for frame in ONE[:3]]
    assert track.encodes == 0
