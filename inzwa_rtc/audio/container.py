"""Speech as files and streams: wav, mp3, Opus in Ogg, aac, flac, and bare samples.

FFmpeg's encoders and formats as PyAV's wheel carries them, libmp3lame for mp3 among them;
docs/dependencies.md tells their licences.
"""

from __future__ import annotations

from fractions import Fraction
from typing import IO, Literal, Protocol, get_args

import av
import numpy as np
from av.audio.stream import AudioStream

Format = Literal["wav", "mp3", "opus", "aac", "flac", "pcm"]

FORMATS: tuple[Format, ...] = get_args(Format)

MEDIA_TYPES: dict[Format, str] = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "pcm": "audio/pcm",
}

# name: (FFmpeg's name for the file, for the codec, bit/s of one voice: 0 where nothing is lost)
_FFMPEG: dict[Format, tuple[str, str, int]] = {
    "wav": ("wav", "pcm_s16le", 0),
    "mp3": ("mp3", "libmp3lame", 64_000),
    "opus": ("ogg", "libopus", 32_000),
    "aac": ("adts", "aac", 64_000),
    "flac": ("flac", "flac", 0),
}
_FORMAT_OPTIONS = {"flush_packets": "1", "page_duration": "200000"}  # what is encoded leaves


class Encoder(Protocol):
    """Turns int16 LE mono audio into a file, piece by piece."""

    def feed(self, pcm: bytes) -> bytes:
        """What is ready once this (any whole number of samples) is in."""
        ...

    def finish(self) -> bytes:
        """The rest; the file is complete after this."""
        ...

    def close(self) -> None:
        """Free what it holds, finished or not."""
        ...


def encoder(name: Format, rate: int) -> Encoder:
    """An encoder of audio at `rate` Hz whose bytes are sent as they come. What cannot be known
    before the end is left open in the header: a player of a `wav` takes all that comes."""
    return _Bare() if name == "pcm" else _Encoded(name, rate, _Pipe())


def file_encoder(name: Format, rate: int, file: IO[bytes]) -> Encoder:
    """An encoder that writes to a file which can be gone back in, so that the header is whole."""
    return _BareFile(file) if name == "pcm" else _Encoded(name, rate, file)


class _Pipe:
    """What is written is taken from the other side, once."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


class _Encoded:
    def __init__(self, name: Format, rate: int, file: IO[bytes] | _Pipe) -> None:
        form, codec, bitrate = _FFMPEG[name]
        self._rate = rate
        self._taken = 0
        self._pipe = file if isinstance(file, _Pipe) else None
        self._container = av.open(file, "w", format=form, options=_FORMAT_OPTIONS)
        stream = self._container.add_stream(codec, rate=_nearest_rate(codec, rate))
        assert isinstance(stream, AudioStream)
        stream.layout = "mono"
        if bitrate:
            stream.bit_rate = bitrate
        self._stream: AudioStream = stream

    def feed(self, pcm: bytes) -> bytes:
        if pcm:
            samples = np.frombuffer(pcm, "<i2").reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate = self._rate
            frame.time_base = Fraction(1, self._rate)
            frame.pts = self._taken
            self._taken += samples.shape[1]
            self._container.mux(self._stream.encode(frame))
        return self._ready()

    def finish(self) -> bytes:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._ready()

    def close(self) -> None:
        self._container.close()

    def _ready(self) -> bytes:
        return self._pipe.take() if self._pipe is not None else b""


class _Bare:
    def feed(self, pcm: bytes) -> bytes:
        return pcm

    def finish(self) -> bytes:
        return b""

    def close(self) -> None:
        pass


class _BareFile(_Bare):
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def feed(self, pcm: bytes) -> bytes:
        self._file.write(pcm)
        return b""


def _nearest_rate(codec: str, rate: int) -> int:
    """The lowest rate that the codec takes and that loses nothing, else its highest."""
    rates = sorted(av.Codec(codec, "w").audio_rates or [rate])
    return next((one for one in rates if one >= rate), rates[-1])
