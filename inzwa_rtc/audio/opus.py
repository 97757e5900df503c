"""Opus (RFC 6716) by libopus itself, which PyAV's wheel carries.

PyAV's own codec classes cannot decode to 16 kHz, use in-band FEC or conceal a
loss; the library's C interface can. No system package is needed.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from pathlib import Path

import av

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, FRAME_MS
from inzwa_rtc.errors import EngineUnavailable, PeerError

MAX_PACKET_BYTES = 1275  # RFC 6716, section 3.4: the longest frame
MAX_PACKET_MS = 120
FRAMES_MS = (20, 40, 60)
"""What is coded as one frame in the mode for voice (RFC 6716, section 2.1.4); 10 ms cost more."""

# opus_defines.h
_APPLICATION_VOIP = 2048
_SIGNAL_VOICE = 3001
_SET_BITRATE = 4002
_SET_COMPLEXITY = 4010
_SET_INBAND_FEC = 4012
_SET_PACKET_LOSS_PERC = 4014
_SET_SIGNAL = 4024
_GET_LOOKAHEAD = 4027
_RESET_STATE = 4028

_Ptr = ctypes.c_void_p
_Int = ctypes.c_int


@cache
def library() -> ctypes.CDLL:
    """libopus: PyAV's copy, else the system's. Raises `EngineUnavailable` without either."""
    package = Path(av.__file__).parent
    bundled = [
        file
        for folder in (
            package.parent / "av.libs",
            package / ".dylibs",
            package.parent / "av.dylibs",
        )
        if folder.is_dir()
        for file in sorted(folder.glob("*opus[-.]*"))
    ]
    name = str(bundled[0]) if bundled else ctypes.util.find_library("opus")
    if name is None:
        raise EngineUnavailable(
            "libopus was not found: this build of PyAV carries none.",
            action="Install PyAV from its wheel (`pip install --force-reinstall av`) or libopus0.",
        )
    lib = ctypes.CDLL(name)
    lib.opus_get_version_string.restype = ctypes.c_char_p
    lib.opus_encoder_create.restype = _Ptr
    lib.opus_encoder_create.argtypes = [ctypes.c_int32, _Int, _Int, ctypes.POINTER(_Int)]
    lib.opus_encoder_destroy.argtypes = [_Ptr]
    lib.opus_encoder_destroy.restype = None
    lib.opus_encoder_ctl.argtypes = [_Ptr, _Int]  # variadic: the value follows
    lib.opus_encode.argtypes = [_Ptr, ctypes.c_char_p, _Int, ctypes.c_char_p, ctypes.c_int32]
    lib.opus_decoder_create.restype = _Ptr
    lib.opus_decoder_create.argtypes = [ctypes.c_int32, _Int, ctypes.POINTER(_Int)]
    lib.opus_decoder_destroy.argtypes = [_Ptr]
    lib.opus_decoder_destroy.restype = None
    lib.opus_decode.argtypes = [_Ptr, ctypes.c_char_p, ctypes.c_int32, ctypes.c_char_p, _Int, _Int]
    lib.opus_strerror.restype = ctypes.c_char_p
    return lib


def version() -> str:
    """The library's own version string."""
    return str(library().opus_get_version_string().decode())


class OpusEncoder:
    """Encodes mono frames of `frame_ms` (20, 40 or 60), for voice, with in-band FEC where the
    bit rate leaves room for it.

    `rate` is the input's (8, 12, 16, 24 or 48 kHz); `bitrate` in bit/s. Within a
    call the codec's timestamps count at 48 kHz whatever the rate (RFC 7587).
    """

    def __init__(
        self, rate: int, bitrate: int, *, frame_ms: int = FRAME_MS, complexity: int = 5
    ) -> None:
        if frame_ms not in FRAMES_MS:
            raise ValueError(f"Opus codes voice in frames of {FRAMES_MS} ms, not {frame_ms}")
        self.rate = rate
        self.frame_ms = frame_ms
        self._lib = library()
        error = _Int()
        self._state = self._lib.opus_encoder_create(rate, 1, _APPLICATION_VOIP, ctypes.byref(error))
        _check(self._lib, error.value)
        for request, value in (
            (_SET_BITRATE, bitrate),
            (_SET_COMPLEXITY, complexity),
            (_SET_INBAND_FEC, 1),
            (_SET_PACKET_LOSS_PERC, 5),
            (_SET_SIGNAL, _SIGNAL_VOICE),
        ):
            _check(self._lib, self._lib.opus_encoder_ctl(self._state, request, _Int(value)))
        lookahead = _Int()
        _check(
            self._lib,
            self._lib.opus_encoder_ctl(self._state, _GET_LOOKAHEAD, ctypes.byref(lookahead)),
        )
        self.lookahead = lookahead.value
        """By how many samples what is decoded comes later than what was encoded."""
        self._samples = rate * frame_ms // 1000
        self._packet = ctypes.create_string_buffer(MAX_PACKET_BYTES)

    def encode(self, pcm: bytes) -> bytes:
        """One packet from exactly one frame of int16 LE mono."""
        if len(pcm) != self._samples * BYTES_PER_SAMPLE:
            raise ValueError(f"need {self._samples} samples, got {len(pcm)} bytes")
        size = self._lib.opus_encode(
            self._state, pcm, self._samples, self._packet, MAX_PACKET_BYTES
        )
        _check(self._lib, size)
        return self._packet.raw[:size]

    def reset(self) -> None:
        """Forget all that was encoded; the settings stay. The next packet then relies on no
        packet before it."""
        _check(self._lib, self._lib.opus_encoder_ctl(self._state, _RESET_STATE))

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._lib.opus_encoder_destroy(self._state)
            self._state = None


class OpusDecoder:
    """Decodes any Opus packet straight to int16 LE mono at `rate` Hz."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._lib = library()
        error = _Int()
        self._state = self._lib.opus_decoder_create(rate, 1, ctypes.byref(error))
        _check(self._lib, error.value)
        self._most = rate * MAX_PACKET_MS // 1000
        self._pcm = ctypes.create_string_buffer(self._most * BYTES_PER_SAMPLE)

    def decode(self, packet: bytes) -> bytes:
        """The packet's audio. Raises `PeerError` when it is not Opus."""
        if not packet:
            raise PeerError("An empty Opus packet arrived.", code="bad_audio")
        return self._decode(packet, self._most, fec=0)

    def recover(self, following: bytes) -> bytes:
        """20 ms standing in for the lost packet before `following`, from its FEC data."""
        return self._decode(following, self.rate * FRAME_MS // 1000, fec=1)

    def conceal(self) -> bytes:
        """20 ms standing in for a lost packet, extrapolated from what came before."""
        return self._decode(None, self.rate * FRAME_MS // 1000, fec=0)

    def _decode(self, packet: bytes | None, samples: int, fec: int) -> bytes:
        count = self._lib.opus_decode(
            self._state, packet, len(packet or b""), self._pcm, samples, fec
        )
        if count < 0:
            reason = self._lib.opus_strerror(count).decode()
            raise PeerError(f"The audio is not valid Opus: {reason}.", code="bad_audio")
        return self._pcm.raw[: count * BYTES_PER_SAMPLE]

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._lib.opus_decoder_destroy(self._state)
            self._state = None


def _check(lib: ctypes.CDLL, code: int) -> None:
    if code < 0:
        raise RuntimeError(f"libopus: {lib.opus_strerror(code).decode()}")
