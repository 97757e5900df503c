"""Sound files, good and bad."""

from __future__ import annotations

import struct

from inzwa_rtc.audio.container import Format, encoder
from tests.support.voice import CLEAR_VOICE, speech

RATE = 16_000
UNTOLD = 0xFFFFFFFF


async def recorded(text: str, name: Format = "wav", rate: int = RATE) -> bytes:
    """A file of this text, spoken."""
    samples = await speech(text, rate, CLEAR_VOICE)
    making = encoder(name, rate)
    return making.feed(samples.astype("<i2").tobytes()) + making.finish()


def wav(
    body: bytes,
    rate: int = RATE,
    channels: int = 1,
    bits: int = 16,
    form: int = 1,
    size: int | None = None,
) -> bytes:
    """A WAV file whose header says this, whatever is true."""
    told = len(body) if size is None else size
    step = channels * bits // 8
    head = struct.pack("<HHIIHH", form, channels, rate, rate * step % 2**32, step, bits)
    parts = [b"RIFF", struct.pack("<I", min(told + 36, UNTOLD)), b"WAVEfmt "]
    parts += [struct.pack("<I", len(head)), head, b"data", struct.pack("<I", told), body]
    return b"".join(parts)
