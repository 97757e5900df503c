"""The sound of a WAV file that comes in pieces. No I/O.

FFmpeg's reader looks at the first 64 KiB before it gives any sound, which is more than a second.
Servers that stream do not know how long the file will be: they write 0 or 0xFFFFFFFF.
"""

from __future__ import annotations

import struct

import av
import numpy as np

from inzwa_rtc.audio.filters import FrameResampler

_LONGEST_HEADER = 64 * 1024
_UNTOLD = 0x7FFF_0000
"""From this size on a server means that it does not know it."""
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_FORMATS = {(_PCM, 8): "u8", (_PCM, 16): "s16", (_PCM, 32): "s32", (_FLOAT, 32): "flt"}
_DTYPES = {"u8": "u1", "s16": "<i2", "s32": "<i4", "flt": "<f4"}
_LAYOUTS = {1: "mono", 2: "stereo"}


class Wav:
    """One file, as int16 mono at `sample_rate`. All raises `ValueError` for what is none."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._held = b""
        self._sound: _Sound | None = None

    def feed(self, data: bytes) -> bytes:
        """The sound that is complete with this."""
        if self._sound is None:
            self._held += data
            found = _sound_in(self._held, self._rate)
            if found is None:
                return b""
            self._sound, start = found
            data, self._held = self._held[start:], b""
        return self._sound.feed(data)

    def end(self) -> bytes:
        """The last of it."""
        if self._sound is not None:
            return self._sound.end()
        if self._held:
            raise ValueError("it ends before its sound")
        return b""


class _Sound:
    """What follows the header; `left` is how many bytes of it, None for all that come."""

    def __init__(
        self, form: str, channels: int, rate: int, wanted_rate: int, left: int | None
    ) -> None:
        self._form, self._channels, self._rate = form, channels, rate
        self._left = left
        self._held = b""
        self._as_it_is = (form, channels, rate) == ("s16", 1, wanted_rate)
        self._resampler = FrameResampler("s16", wanted_rate)

    def feed(self, data: bytes) -> bytes:
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        if self._as_it_is:
            return data
        dtype = np.dtype(_DTYPES[self._form])
        self._held += data
        whole = len(self._held) - len(self._held) % (dtype.itemsize * self._channels)
        data, self._held = self._held[:whole], self._held[whole:]
        if not data:
            return b""
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(data, dtype).reshape(1, -1),
            format=self._form,
            layout=_LAYOUTS[self._channels],
        )
        frame.sample_rate = self._rate
        return self._resampled(frame)

    def end(self) -> bytes:
        if self._left or self._held:
            raise ValueError("it ends in the middle of its sound")
        return b"" if self._as_it_is else self._resampled(None)

    def _resampled(self, frame: av.AudioFrame | None) -> bytes:
        return b"".join(
            part.to_ndarray().astype("<i2", copy=False).tobytes()
            for part in self._resampler.resample(frame)
        )


def _sound_in(header: bytes, wanted_rate: int) -> tuple[_Sound, int] | None:
    """What the sound is and where it begins; None where the header is not complete yet."""
    if not (b"RIFF".startswith(header[:4]) and b"WAVE".startswith(header[8:12])):
        raise ValueError("it is no WAV file")
    form: tuple[str, int, int] | None = None
    at = 12
    while at + 8 <= len(header):
        name, size = struct.unpack_from("<4sI", header, at)
        at += 8
        if name == b"data":
            if form is None:
                raise ValueError("it does not say what its sound is")
            left = size if 0 < size < _UNTOLD else None
            return _Sound(*form, wanted_rate, left), at
        if name == b"fmt " and at + size <= len(header):
            form = _form(header[at : at + size])
        at += size + size % 2
    if len(header) > _LONGEST_HEADER:
        raise ValueError("its header does not end")
    return None


def _form(chunk: bytes) -> tuple[str, int, int]:
    """Sample format, channels and rate."""
    if len(chunk) < 16:
        raise ValueError("its format is cut")
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if code == _EXTENSIBLE and len(chunk) >= 26:
        (code,) = struct.unpack_from("<H", chunk, 24)
    form = _FORMATS.get((code, bits))
    if form is None or channels not in _LAYOUTS or not 8000 <= rate <= 192_000:
        raise ValueError("a kind of sound that nobody speaks with")
    return form, channels, rate
