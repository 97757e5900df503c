"""What callers say: speech that was encoded before the call, and what is in its packets.

The two files were made with eSpeak NG's voice en-us (`benchmarks/utterances.py`): a request of
three seconds, and a question of one and a half.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np

from inzwa_rtc.audio.frame import FRAME_MS, frame_bytes
from inzwa_rtc.audio.opus import OpusDecoder, OpusEncoder

FOLDER = Path(__file__).parent
AUDIBLE_RMS = 328.0
"""-40 dB of full scale: below it 20 ms count as silent, for callers and servers alike."""

_RATE = 16_000
_SILENT_LEVEL = 127  # RFC 6464: -127 dBov and below
_SETTLING = 10  # packets until an encoder is at rest


@dataclass(frozen=True, slots=True)
class Packet:
    """20 ms in Opus; `level` is its loudness in -dBov (RFC 6464: 0 loudest, 127 silence)."""

    payload: bytes
    level: int
    is_audible: bool


@dataclass(frozen=True, slots=True)
class Utterance:
    """Packets of speech, silence behind them; the numbers of the first and last audible ones."""

    packets: tuple[Packet, ...]
    first: int
    last: int

    @property
    def length_s(self) -> float:
        """From the first audible packet to the last."""
        return (self.last - self.first + 1) * FRAME_MS / 1000


@cache
def utterance(name: str) -> Utterance:
    """One of ours: `request` or `question`."""
    return read(FOLDER / f"{name}.opus")


def read(file: Path) -> Utterance:
    """A file of Opus in 20 ms packets. Raises `ValueError` where nothing is audible."""
    with av.open(str(file)) as container:
        payloads = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    decoder = OpusDecoder(_RATE)
    packets = tuple(_packet(payload, decoder.decode(payload)) for payload in payloads)
    audible = [number for number, packet in enumerate(packets) if packet.is_audible]
    if not audible:
        raise ValueError(f"nothing is audible in {file.name}")
    return Utterance(packets, audible[0], audible[-1])


@cache
def silence() -> Packet:
    """20 ms of it, as an encoder at rest makes it."""
    encoder = OpusEncoder(_RATE, 32_000, mode="voice")
    payloads = [encoder.encode(bytes(frame_bytes(_RATE))) for _ in range(_SETTLING)]
    return Packet(payloads[-1], _SILENT_LEVEL, False)


def rms(pcm: bytes) -> float:
    """Root mean square of int16 LE samples."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    return math.sqrt(float(samples @ samples) / len(samples)) if len(samples) else 0.0


def _packet(payload: bytes, pcm: bytes) -> Packet:
    loudness = rms(pcm)
    level = round(-20 * math.log10(loudness / 32768)) if loudness else _SILENT_LEVEL
    return Packet(payload, min(_SILENT_LEVEL, max(0, level)), loudness >= AUDIBLE_RMS)
