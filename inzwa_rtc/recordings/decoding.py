"""A sound file as samples, piece by piece. Runs in a process of its own: see `worker`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import av
import numpy as np
from av.container import InputContainer

from inzwa_rtc.audio.filters import FrameResampler
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.errors import PeerError
from inzwa_rtc.recordings.kinds import Kind

MOST_CHANNELS = 8
LOWEST_RATE = 4_000  # Hz; one second of 1 Hz sound would be sixteen thousand samples from one
HIGHEST_RATE = 384_000


def decoded(file: IO[bytes], kind: Kind, rate: int | None, longest_s: float) -> Iterator[bytes]:
    """Int16 LE mono samples at 16 kHz; `rate` in Hz is that of bare samples. Raises `PeerError`
    for what is no sound, or too much of it."""
    options = {
        "format_whitelist": kind.demuxer,
        "codec_whitelist": ",".join(kind.decoders),
        "protocol_whitelist": "none",  # there is none of that name
    }
    if rate is not None:
        options |= {"sample_rate": str(rate), "ch_layout": "mono"}
    try:
        with av.open(file, "r", format=kind.demuxer, options=options) as container:
            if kind.tells_length and (container.duration or 0) > longest_s * av.time_base:
                raise _too_long(longest_s)
            yield from _sound(container, kind, longest_s)
    except (av.FFmpegError, ValueError, IndexError, OverflowError):
        raise _no_sound() from None


def _sound(container: InputContainer, kind: Kind, longest_s: float) -> Iterator[bytes]:
    stream = container.streams.audio[0]
    codec = stream.codec_context
    is_usual = 0 < codec.channels <= MOST_CHANNELS
    is_usual = is_usual and LOWEST_RATE <= codec.sample_rate <= HIGHEST_RATE
    if codec.name not in kind.decoders or not is_usual:
        raise _no_sound()
    is_float = codec.name.startswith("pcm_f")
    resampler = FrameResampler("s16", ASR_SAMPLE_RATE)
    samples = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue  # a damaged place in an otherwise good file
        for frame in frames:
            if is_float and not np.isfinite(frame.to_ndarray()).all():
                raise _no_sound()
            frame.pts = None  # it may jump, or go back
            for part in resampler.resample(frame):
                samples += part.samples
                if samples > longest_s * ASR_SAMPLE_RATE:
                    raise _too_long(longest_s)
                yield part.to_ndarray().astype("<i2", copy=False).tobytes()
    if not samples:
        raise _no_sound()
    for part in resampler.resample(None):
        yield part.to_ndarray().astype("<i2", copy=False).tobytes()


def _too_long(longest_s: float) -> PeerError:
    return PeerError(
        f"The recording is longer than {longest_s:g} seconds.",
        action="Send it in parts.",
        code="audio_too_long",
        status=413,
    )


def _no_sound() -> PeerError:
    return PeerError(
        "The file has no sound that can be decoded.",
        action="Send it as another format, such as 16-bit WAV.",
        code="bad_audio",
    )
