"""Recordings that a voice is cloned from, decoded and checked.

Only RIFF WAV is read, through PyAV: whatever else a file may be, no other demuxer sees it.
"""

from __future__ import annotations

import io
import os
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import av
import numpy as np
from numpy.typing import NDArray

from inzwa_rtc.audio.filters import FrameResampler
from inzwa_rtc.engines.tts.apart.plain_file import open_plain
from inzwa_rtc.errors import EngineUnavailable

SHORTEST_S = 1.0
LONGEST_S = 60.0
LARGEST_BYTES = 64_000_000
_QUIETEST = 10 ** (-50 / 20)  # RMS, of full scale
_REMEDY = "Give it 6 to 30 s of one person speaking, as a WAV file."


@dataclass(frozen=True, slots=True)
class Recording:
    """Mono float32 samples within -1 to 1, and their rate in Hz."""

    samples: NDArray[np.float32]
    rate: int

    def wav(self) -> io.BytesIO:
        """The same as a WAV file (int16) in memory, for libraries that read files."""
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(self.rate)
            out.writeframes((self.samples * 32767).astype("<i2").tobytes())
        file.seek(0)
        return file


def read_recording(path: Path, rate: int) -> Recording:
    """The recording, mixed to mono at `rate`, whatever its channels and its sample format.

    Raises `EngineUnavailable` for a link, a file that is no WAV, broken, shorter than `SHORTEST_S`,
    longer than `LONGEST_S`, or silent.
    """
    try:
        file = open_plain(path)
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})") from error
    with file:
        if os.fstat(file.fileno()).st_size > LARGEST_BYTES:
            raise _refused(path, f"is larger than {LARGEST_BYTES // 1_000_000} MB")
        try:
            samples = _decoded(file, rate)
        except (av.FFmpegError, ValueError, OSError, IndexError) as error:
            raise _refused(path, "is no WAV file that can be decoded") from error
    seconds = len(samples) / rate
    if seconds < SHORTEST_S:
        raise _refused(path, f"is {seconds:.1f} s long; at least {SHORTEST_S:g} s are needed")
    if seconds > LONGEST_S:
        raise _refused(path, f"is longer than {LONGEST_S:g} s")
    if not np.isfinite(samples).all():
        raise _refused(path, "holds samples that are no numbers")
    samples /= max(1.0, float(np.abs(samples).max()))
    if np.sqrt(np.mean(samples**2)) < _QUIETEST:
        raise _refused(path, "is silent")
    return Recording(samples, rate)


def resampled(samples: NDArray[np.float32], rate: int, to: int) -> NDArray[np.float32]:
    """Mono sound at another rate."""
    if rate == to or not len(samples):
        return samples
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples, np.float32).reshape(1, -1), format="flt", layout="mono"
    )
    frame.sample_rate = rate
    resampler = FrameResampler("flt", to)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray().reshape(-1) for part in parts]).astype(np.float32)


def _decoded(file: IO[bytes], rate: int) -> NDArray[np.float32]:
    """A little more than the longest that is allowed at most: more would only be refused."""
    resampler = FrameResampler("flt", rate)
    pieces = [np.zeros(0, np.float32)]
    left = int(LONGEST_S * rate) + rate
    with av.open(file, "r", format="wav") as container:
        stream = container.streams.audio[0]
        for frame in container.decode(stream):
            for part in resampler.resample(frame):
                pieces.append(part.to_ndarray().reshape(-1).astype(np.float32))
                left -= part.samples
            if left <= 0:
                break
        else:
            for part in resampler.resample(None):
                pieces.append(part.to_ndarray().reshape(-1).astype(np.float32))
    return np.concatenate(pieces)


def _refused(path: Path, reason: str) -> EngineUnavailable:
    return EngineUnavailable(f"The recording {path} {reason}.", action=_REMEDY)
