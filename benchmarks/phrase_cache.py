"""What a phrase costs that was spoken before, against one that was not.

The engine is eSpeak NG, the fastest there is, in this process: a server reaches its engines in
processes of their own, which makes a miss dearer. Times are from the question for a phrase
until its first frame could leave, and until all of it could; per frame figures are of 20 ms of
speech.

    python -m benchmarks.phrase_cache [--rounds 20] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager

from benchmarks.figures import Figures
from inzwa_rtc.audio.frame import PlayoutFrame, frame_bytes
from inzwa_rtc.audio.opus import OpusDecoder, OpusEncoder
from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.cache.cache import PhraseCache
from inzwa_rtc.speech.cache.key import PhraseKey
from inzwa_rtc.speech.cache.phrase import ENCODED_RATE
from inzwa_rtc.speech.loudness import Loudness, applied
from inzwa_rtc.speech.piece import Piece

TEXT = "I have found your order, and it will arrive on Thursday."
BITRATE = Settings().opus_bitrate


def key(number: int) -> PhraseKey:
    pieces = (Piece(f"{number}", "en"),)
    return PhraseKey("espeak", "benchmark", "en-gb", "en", 1.0, 0.0, pieces)


async def spoken(engine: ESpeak) -> AsyncGenerator[SpeechChunk, None]:
    async with aclosing(engine.synthesize(SpeechRequest(TEXT))) as chunks:
        async for chunk in chunks:
            yield chunk


async def miss(engine: ESpeak, rate: int, figures: Figures, name: str) -> bytes:
    """Synthesize, and encode for a WebRTC caller; return the engine's own samples."""
    began = time.perf_counter()
    resampler = Resampler(engine.sample_rate, rate)
    encoder = OpusEncoder(rate, BITRATE)
    size, waiting, made, first = frame_bytes(rate), b"", b"", 0.0
    async for chunk in spoken(engine):
        made += chunk.pcm
        waiting += resampler.feed(chunk.pcm)
        while len(waiting) >= size:
            encoder.encode(waiting[:size])
            waiting = waiting[size:]
            first = first or time.perf_counter() - began
    figures[f"{name}, first frame"].add(first * 1000)
    figures[f"{name}, whole"].add((time.perf_counter() - began) * 1000)
    return made


async def hit(
    cache: PhraseCache,
    number: int,
    figures: Figures,
    name: str,
    rate: int = 0,
) -> None:
    began = time.perf_counter()
    phrase = await cache.find(key(number))
    assert phrase is not None
    batches: Iterator[Sequence[PlayoutFrame]] = (
        phrase.decoded_frames(rate) if rate else iter([phrase.encoded_frames()])
    )
    next(batches)
    figures[f"{name}, first frame"].add((time.perf_counter() - began) * 1000)
    for _ in batches:
        pass
    figures[f"{name}, whole"].add((time.perf_counter() - began) * 1000)


@contextmanager
def per_frame(figures: Figures, name: str, frames: int) -> Iterator[None]:
    """CPU time of what is done within, in microseconds for each of as many frames."""
    began = time.process_time()
    yield
    spent = time.process_time() - began
    figures.in_unit("us", f"{name}, per frame").add(spent / frames * 1e6)


def codec(pcm: bytes, figures: Figures) -> None:
    """Encoding, decoding and loudness, frame by frame."""
    size = frame_bytes(ENCODED_RATE)
    frames = [pcm[at : at + size] for at in range(0, len(pcm) - size + 1, size)]
    packets: list[bytes] = []
    for name, complexity in (("encode as in a call", None), ("encode to be kept", 10)):
        encoder = OpusEncoder(ENCODED_RATE, BITRATE, complexity=complexity)
        with per_frame(figures, name, len(frames)):
            packets = [encoder.encode(frame) for frame in frames]
    for rate in (16_000, 24_000):
        decoder = OpusDecoder(rate)
        with per_frame(figures, f"decode to {rate // 1000} kHz", len(packets)):
            for packet in packets:
                decoder.decode(packet)
    meter = Loudness(-20.0)
    with per_frame(figures, "measure loudness", len(frames)):
        meter.feed("espeak", "en-gb", pcm, ENCODED_RATE)
    with per_frame(figures, "apply a gain", len(frames)):
        for frame in frames:
            applied(frame, 3.0)


async def run(rounds: int, folder: str) -> Figures:
    engine, figures = ESpeak(ESpeakOptions()), Figures()
    stored = {"phrase_cache": {"disk_mb": 64, "folder": folder}}
    pcm = await miss(engine, ENCODED_RATE, Figures(), "")
    for number in range(rounds):
        cache = PhraseCache(Settings.model_validate(stored))
        await miss(engine, ENCODED_RATE, figures, "miss")
        recording = cache.recording(key(number), engine.sample_rate)
        recording.add(pcm)
        began = time.perf_counter()
        phrase = await cache.keep(key(number), recording)
        figures["keep, encoding and disk"].add((time.perf_counter() - began) * 1000)
        assert phrase is not None
        await hit(cache, number, figures, "hit, Opus")
        await hit(cache, number, figures, "hit, PCM at 16 kHz", 16_000)
        restarted = PhraseCache(Settings.model_validate(stored))
        await hit(restarted, number, figures, "hit on disk, Opus")
        seconds = phrase.duration_ms / 1000
        figures.in_unit("byte/s", "memory").add(phrase.size_bytes / seconds)
        figures.in_unit("byte/s", "packets").add(sum(map(len, phrase.packets)) / seconds)
        resampler = Resampler(engine.sample_rate, ENCODED_RATE)
        codec(resampler.feed(pcm) + resampler.flush(), figures)
    figures.ratios("miss", "hit, Opus")
    figures.ratios("miss", "hit, PCM at 16 kHz")
    figures.ratios("miss", "hit on disk, Opus")
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(run(arguments.rounds, folder))
    sys.stdout.write(figures.show(arguments.json) + "\n")


if __name__ == "__main__":
    main()
