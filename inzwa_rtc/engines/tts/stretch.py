"""Speech made slower or quicker than its maker can, its pitch unchanged.

libavfilter's `atempo`, which PyAV's wheel carries: it lays pieces of the sound over each
other where they fit best (WSOLA). It holds back about a tenth of a second.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np

from inzwa_rtc.audio.filters import filter_graph, pulled
from inzwa_rtc.engines.contracts import SpeechChunk, WordTime

_SLOWEST, _FASTEST = 0.5, 2.0
"""The tempo that one filter bears: beyond 2 it would leave out samples."""


async def stretched(
    speech: AsyncGenerator[SpeechChunk, None], sample_rate: int, tempo: float
) -> AsyncGenerator[SpeechChunk, None]:
    """The speech at `tempo` times its pace; at 1 it passes as it comes."""
    stretch = None if tempo == 1.0 else Stretch(sample_rate, tempo)
    async with aclosing(speech) as chunks:
        async for chunk in chunks:
            other = chunk if stretch is None else stretch.feed(chunk)
            if other.pcm:
                yield other
    if stretch is not None and (rest := stretch.flush()).pcm:
        yield rest


class Stretch:
    """Brings one request's speech to `tempo` times its pace."""

    def __init__(self, sample_rate: int, tempo: float) -> None:
        self._rate = sample_rate
        self._tempo = tempo
        self._words: list[WordTime] = []
        self._taken = 0
        self._made = 0
        self._graph = filter_graph()
        source = self._graph.add_abuffer(
            sample_rate=sample_rate, format="s16", layout="mono", time_base=Fraction(1, sample_rate)
        )
        last = source
        for part in _in_parts(tempo):
            last.link_to(filtering := self._graph.add("atempo", f"{part:.6f}"))
            last = filtering
        last.link_to(self._graph.add("abuffersink"))
        self._graph.configure()

    def feed(self, chunk: SpeechChunk) -> SpeechChunk:
        """The sound that is complete once this chunk is in (there may be none yet), and the
        words that start in it."""
        self._words += (
            replace(word, start_ms=round(word.start_ms / self._tempo)) for word in chunk.words
        )
        if chunk.pcm:
            frame = av.AudioFrame.from_ndarray(
                np.frombuffer(chunk.pcm, "<i2").reshape(1, -1), format="s16", layout="mono"
            )
            frame.sample_rate = self._rate
            frame.pts = self._taken
            self._taken += frame.samples
            self._graph.push(frame)
        return self._chunk()

    def flush(self) -> SpeechChunk:
        """The last of the sound, and all words that were not told yet."""
        self._graph.push(None)
        last = self._chunk()
        left, self._words = self._words, []
        return SpeechChunk(last.pcm, (*last.words, *left))

    def _chunk(self) -> SpeechChunk:
        frames = pulled(self._graph)
        pcm = b"".join(frame.to_ndarray().astype("<i2", copy=False).tobytes() for frame in frames)
        self._made += len(pcm) // 2
        begun = [word for word in self._words if word.start_ms * self._rate < self._made * 1000]
        del self._words[: len(begun)]
        return SpeechChunk(pcm, tuple(begun))


def _in_parts(tempo: float) -> Iterator[float]:
    """Tempos that one filter bears, which together make this one."""
    while not _SLOWEST <= tempo <= _FASTEST:
        part = _SLOWEST if tempo < _SLOWEST else _FASTEST
        yield part
        tempo /= part
    yield tempo
