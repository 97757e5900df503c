"""Silero hears speech in a person's recording and none in noise."""

from __future__ import annotations

import random
import wave
from pathlib import Path

import pytest

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.settings import TurnSettings
from inzwa_rtc.turntaking.detector import (
    SpeechMaybe,
    SpeechStarted,
    TurnDetector,
    TurnEnded,
    TurnEvent,
)
from inzwa_rtc.turntaking.vad import SileroVad

RECORDINGS = Path("/usr/share/sounds/alsa")  # Debian's alsa-utils
PLACES = [
    *("Front_Center", "Front_Left", "Front_Right", "Rear_Center", "Rear_Left", "Rear_Right"),
    *("Side_Left", "Side_Right"),
]
FRAME_BYTES = 640


def recording(name: str) -> bytes:
    """A recording, and a second of silence behind it."""
    path = RECORDINGS / f"{name}.wav"
    assert path.exists(), "install alsa-utils (scripts/test does)"
    with wave.open(str(path)) as file:
        resampler = Resampler(file.getframerate(), 16_000)
        pcm = resampler.feed(file.readframes(file.getnframes())) + resampler.flush()
    return pcm + bytes(32_000)


def probabilities(pcm: bytes) -> list[float]:
    vad = SileroVad()
    last = len(pcm) - FRAME_BYTES
    return [vad.feed(pcm[i : i + FRAME_BYTES]) for i in range(0, last + 1, FRAME_BYTES)]


def turn_events(pcm: bytes) -> list[TurnEvent]:
    detector = TurnDetector(TurnSettings())
    events: list[TurnEvent] = []
    for number, probability in enumerate(probabilities(pcm)):
        at = number * FRAME_BYTES
        frame = Frame(pcm[at : at + FRAME_BYTES], 16_000, at // 2)
        events += detector.feed(frame, probability)
    return events


def test_a_person_is_heard() -> None:
    loud = [p for p in probabilities(recording("Front_Center")) if p > 0.5]
    assert len(loud) >= 20  # 0.4 s


@pytest.mark.parametrize("name", PLACES)
def test_a_person_who_says_two_words_opens_one_turn_and_ends_it(name: str) -> None:
    pcm = recording(name)
    events = turn_events(pcm)
    (ended,) = [event for event in events if isinstance(event, TurnEnded)]
    assert events[-1] == ended
    assert [type(event) for event in events].count(SpeechMaybe) == 1
    # Once for each word, as they stand apart, and both of the same turn.
    starts = [event.start for event in events if isinstance(event, SpeechStarted)]
    assert starts and set(starts) == {ended.start}
    assert ended.start < 16_000 // 4  # every recording begins with the first word
    assert ended.end <= len(pcm) // 2 - 16_000 + 1600  # and no later than 100 ms after it


def test_a_recording_of_noise_is_no_turn() -> None:
    assert turn_events(recording("Noise")) == []


@pytest.mark.parametrize("level", [0, 300])
def test_silence_and_noise_are_not(level: int) -> None:
    noise = random.Random(1)
    samples = [noise.randint(-level, level) for _ in range(16_000 * 2)]
    pcm = b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)
    assert max(probabilities(pcm)) < 0.5
