"""What is said in measurements of codecs and networks: synthetic voices, and a person's."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

from benchmarks.recognition import KNOWN, PEOPLE
from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE
from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions

CLEAR_VOICE = "en-us"  # of eSpeak's, the one that the embedded recogniser understands best
ENGLISH = (
    "The weather will be dry in the morning, and some rain is expected after four o'clock.",
    "Please bring both of the forms to the office on Friday, and ask for Susan.",
)
SHONA = (
    "Mangwanani, makadii? Ndinofara kukuonai nhasi.",
    "Zvakanaka, ndichakubatsirai izvozvi. Tapota mirai zvishoma.",
)
_PAUSE_S = 0.3
_BEFORE_S, _AFTER_S = 0.3, 0.5


@dataclass(frozen=True, slots=True)
class Saying:
    """Speech, int16 LE mono, with quiet on both sides; `text` where a recogniser knows it."""

    name: str
    pcm: bytes
    text: str = ""


async def passages(rate: int) -> list[Saying]:
    """Some seconds each of English, Shona and, where Debian's alsa-utils are, a person."""
    tts = ESpeak(ESpeakOptions())
    try:
        english = [await _said(tts, text, CLEAR_VOICE, rate) for text in ENGLISH]
        shona = [await _said(tts, text, "sn", rate) for text in SHONA]
    finally:
        tts.close()
    kinds = {"English": english, "Shona": shona, "person": _person(rate)}
    pause = _quiet(_PAUSE_S, rate)
    return [Saying(name, _framed(pause.join(said), rate)) for name, said in kinds.items() if said]


async def phrases(rate: int, most: int) -> list[Saying]:
    """Phrases that the embedded recogniser knows, `most` of them at the most."""
    tts = ESpeak(ESpeakOptions())
    try:
        return [
            Saying(text, _framed(await _said(tts, text, CLEAR_VOICE, rate), rate), text)
            for text in KNOWN[:most]
        ]
    finally:
        tts.close()


def resampled(pcm: bytes, from_rate: int, to_rate: int) -> bytes:
    """int16 LE mono at another rate."""
    resampler = Resampler(from_rate, to_rate)
    return resampler.feed(pcm) + resampler.flush()


async def _said(tts: ESpeak, text: str, voice: str, rate: int) -> bytes:
    chunks = [chunk.pcm async for chunk in tts.synthesize(SpeechRequest(text, voice=voice))]
    return resampled(b"".join(chunks), tts.sample_rate, rate)


def _person(rate: int) -> list[bytes]:
    """Recordings of eight short announcements."""
    found = []
    for file in sorted(Path(PEOPLE).glob("*_*.wav")):
        with wave.open(str(file)) as recording:
            pcm = recording.readframes(recording.getnframes())
            found.append(resampled(pcm, recording.getframerate(), rate))
    return found


def _framed(pcm: bytes, rate: int) -> bytes:
    return _quiet(_BEFORE_S, rate) + pcm + _quiet(_AFTER_S, rate)


def _quiet(length_s: float, rate: int) -> bytes:
    return bytes(round(length_s * rate) * BYTES_PER_SAMPLE)
