"""Compressed speech decoded while it comes, by FFmpeg (PyAV).

FFmpeg asks for bytes when it needs some, in a thread of its own, and waits there until they have
come: no more than one piece of the stream lies here.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import av

from inzwa_rtc.audio.filters import FrameResampler

Format = Literal["mp3", "opus", "aac", "flac"]

_KNOWN: dict[Format, tuple[str, tuple[str, ...]]] = {
    # What it lies in, and how its codecs' names begin. Nothing else is opened: FFmpeg also knows
    # formats that name files and addresses.
    "mp3": ("mp3", ("mp3",)),
    "opus": ("ogg", ("opus", "libopus")),
    "aac": ("aac", ("aac",)),
    "flac": ("flac", ("flac",)),
}
_BEFORE_THE_FIRST_SOUND = 1024
"""Bytes that FFmpeg may look at to find out what it is; its own measure is 5 MB."""
_MOST_CHANNELS = 8

NOT_SOUND = (av.FFmpegError, ValueError, IndexError)
"""What decoding raises for what is not of the format."""


class Decoders:
    """Decodes at most `count` speeches at the same time."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix="decoding")

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def decode(
        self, data: AsyncIterator[bytes], kind: Format, sample_rate: int
    ) -> AsyncGenerator[bytes, None]:
        """Yield int16 mono at `sample_rate`. Raises one of `NOT_SOUND`, and what `data` raises."""
        source = _Source(data)
        frames = _frames(source, kind, sample_rate)
        work: concurrent.futures.Future[bytes | None] | None = None
        try:
            while True:
                work = self._threads.submit(next, frames, None)
                pcm = await asyncio.wrap_future(work)
                if pcm is None:
                    return
                if pcm:
                    yield pcm
        except NOT_SOUND:
            if source.failure is not None:
                raise source.failure from None
            raise
        finally:
            await source.close()
            if work is not None:
                work.add_done_callback(lambda _: frames.close())


class _Source:
    """A file for FFmpeg, read in its thread; what it holds comes on the loop."""

    def __init__(self, data: AsyncIterator[bytes]) -> None:
        self.failure: BaseException | None = None
        self._data = data
        self._loop = asyncio.get_running_loop()
        self._held = b""
        self._waiting: asyncio.Task[bytes] | None = None
        self._is_closed = False

    def read(self, size: int) -> bytes:
        """The next bytes, none at the end. Called in the thread."""
        if not self._held:
            coming = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
            try:
                self._held = coming.result()
            except concurrent.futures.CancelledError:
                raise EOFError from None
        piece, self._held = self._held[:size], self._held[size:]
        return piece

    async def close(self) -> None:
        """Nothing more is read: who waits for bytes waits no longer."""
        self._is_closed = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.cancel()
            await asyncio.wait({self._waiting})

    async def _next(self) -> bytes:
        if self._is_closed:
            raise EOFError
        self._waiting = asyncio.current_task()
        try:
            while piece := await anext(self._data, b""):
                return piece
            return b""
        except Exception as error:
            self.failure = error
            raise


def _frames(source: Any, kind: Format, sample_rate: int) -> Generator[bytes, None, None]:
    """Runs in a thread."""
    demuxer, codecs = _KNOWN[kind]
    sparing = {"probesize": str(_BEFORE_THE_FIRST_SOUND), "analyzeduration": "0"}
    opened = av.open(
        source, mode="r", format=demuxer, options=sparing, buffer_size=_BEFORE_THE_FIRST_SOUND
    )
    with opened as container:
        stream = container.streams.audio[0]
        if not stream.codec_context.name.startswith(codecs):
            raise ValueError("another codec than that of the format")
        if not 0 < stream.codec_context.channels <= _MOST_CHANNELS:
            raise ValueError("a number of channels that nobody speaks with")
        resampler = FrameResampler("s16", sample_rate)
        for frame in container.decode(stream):
            frame.pts = None  # it may jump, or go back
            for part in resampler.resample(frame):
                yield part.to_ndarray().astype("<i2", copy=False).tobytes()
        for part in resampler.resample(None):
            yield part.to_ndarray().astype("<i2", copy=False).tobytes()
