"""Speech on its way into a file format, beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import closing
from typing import ParamSpec, TypeVar

from inzwa_rtc.audio.container import Encoder, Format, encoder
from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE
from inzwa_rtc.audio.ogg import OggOpus
from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines.contracts import SpeechChunk
from inzwa_rtc.speech.cache.phrase import KeptPhrase

P = ParamSpec("P")
T = TypeVar("T")

PCM_RATE = 24_000
"""Of bare samples, in Hz, whatever the engine's own is: they tell nobody theirs."""

_FIRST_S = 0.2  # of sound is encoded at first, so that some bytes leave soon
_NEXT_S = 1.0  # 10 ms of a processor at most


async def encoded(
    parts: AsyncGenerator[SpeechChunk | KeptPhrase, None], name: Format, rate: int
) -> AsyncGenerator[bytes, None]:
    """The speech as a file in this format, as it is made. What was kept as Opus and is wanted as
    Opus is not encoded anew. No speech gives nothing. Does not close `parts`."""
    first = await anext(parts, None)
    if isinstance(first, KeptPhrase):
        if name == "opus":
            yield first.as_ogg()
            return
        sound = await asyncio.to_thread(first.pcm, rate)
    elif first is not None:
        sound = first.pcm
    else:
        return
    with closing(await in_thread(_File, name, rate)) as file:
        length_s = _FIRST_S
        while True:
            for pcm in _slices(sound, int(length_s * rate) * BYTES_PER_SAMPLE):
                if ready := await in_thread(file.feed, pcm):
                    yield ready
            length_s = _NEXT_S
            part = await anext(parts, None)
            if not isinstance(part, SpeechChunk):
                break
            sound = part.pcm
        if rest := await in_thread(file.finish):
            yield rest


async def in_thread(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Its result. Whoever is cancelled meanwhile goes on when it is done: what it works on may be
    closed then."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *given, **named))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        raise


def _slices(pcm: bytes, size: int) -> Iterator[bytes]:
    return (pcm[at : at + size] for at in range(0, len(pcm), size))


class _File:
    """A file that is being made of samples at `rate` Hz."""

    def __init__(self, name: Format, rate: int) -> None:
        own_rate = PCM_RATE if name == "pcm" else rate
        self._resampler = Resampler(rate, own_rate)
        # Of our own where it is Opus: FFmpeg's first page comes 200 ms of sound later.
        self._encoder: Encoder = OggOpus(rate) if name == "opus" else encoder(name, own_rate)

    def feed(self, pcm: bytes) -> bytes:
        return self._encoder.feed(self._resampler.feed(pcm))

    def finish(self) -> bytes:
        return self._encoder.feed(self._resampler.flush()) + self._encoder.finish()

    def close(self) -> None:
        self._encoder.close()
