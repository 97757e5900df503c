"""Makes what the callers of `inzwa_rtc.bench` say: eSpeak's voice, encoded as a browser would.

    python -m benchmarks.utterances

The files are part of the package, so that load can be made where no engine is installed.
"""

from __future__ import annotations

import asyncio

import numpy as np

from benchmarks.mouth import phrase
from inzwa_rtc.audio.frame import frame_bytes
from inzwa_rtc.audio.ogg import ogg_opus
from inzwa_rtc.audio.opus import OpusEncoder
from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.bench.utterance import FOLDER
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE

RATE = 48_000  # browsers encode the whole band
BITRATE = 32_000
TEXTS = {
    "request": "please tell me what the weather will be like in the mountains this evening",
    "question": "what is seven times eight",
}


async def make() -> None:
    """Write all of them."""
    for name, text in TEXTS.items():
        said = await phrase(text)
        resampler = Resampler(ASR_SAMPLE_RATE, RATE)
        pcm = resampler.feed(b"".join(said.frames)) + resampler.flush()
        size = frame_bytes(RATE)
        padded = np.frombuffer(pcm + bytes(-len(pcm) % size), "<i2").tobytes()
        encoder = OpusEncoder(RATE, BITRATE, complexity=10, mode="voice")
        frames = (padded[at : at + size] for at in range(0, len(padded), size))
        file = FOLDER / f"{name}.opus"
        file.write_bytes(ogg_opus([encoder.encode(frame) for frame in frames], 0, RATE))


if __name__ == "__main__":
    asyncio.run(make())
