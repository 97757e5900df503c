"""Opus (RFC 6716) by libopus itself, which PyAV's wheel carries.

PyAV's own codec classes cannot decode to 16 kHz, use in-band FEC or conceal a
loss; the library's C interface can. No system package is needed.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Literal

import av

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, FRAME_MS
from inzwa_rtc.errors import EngineUnavailable, PeerError

MAX_PACKET_BYTES = 1275  # RFC 6716, section 3.4: the longest frame
MAX_PACKET_MS = 120
FRAMES_MS = (20, 40, 60)
"""What is coded as one frame in the mode for voice (RFC 6716, section 2.1.4); 10 ms cost more."""

Mode = Literal["celt", "voice", "lossy"]
"""CELT alone; what libopus has for voice: SILK, and above 8 kHz CELT beside it, as browsers send
it; or SILK alone, with enough FEC for a network that loses much."""

CELT_FROM = 24_000
"""bit/s from which on speech is encoded as CELT: as good by measure at a fifth of the cost, and
4 ms sooner (docs/media.md). With less, SILK and its FEC are better."""

# opus_defines.h
_APPLICATIONS: dict[Mode, int] = {"celt": 2051, "voice": 2048, "lossy": 2048}
"""RESTRICTED_LOWDELAY, VOIP."""
_BANDWIDTH_WIDE = 1103  # up to 8 kHz: as far as SILK goes
_SIGNAL_VOICE = 3001
_SET_BITRATE = 4002
_SET_MAX_BANDWIDTH = 4004
_SET_COMPLEXITY = 4010
_SET_INBAND_FEC = 4012
_SET_PACKET_LOSS_PERC = 4014
_SET_SIGNAL = 4024
_GET_LOOKAHEAD = 4027
_RESET_STATE = 4028

_COMPLEXITIES: dict[Mode, int] = {"celt": 0, "voice": 5, "lossy": 5}  # docs/media.md
_LOSS_PERCENT: dict[Mode, int] = {"celt": 5, "voice": 5, "lossy": 10}  # to be expected

_Ptr = ctypes.c_void_p
_Int = ctypes.c_int


@cache
def library() -> ctypes.CDLL:
    """libopus: PyAV's copy, else the system's. Raises `EngineUnavailable` without a usable one."""
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
    if not hasattr(lib, "opus_packet_has_lbrr"):
        raise EngineUnavailable(
            f"{name} is too old: it cannot tell which packets carry FEC.",
            action="Install PyAV from its wheel (`pip install --force-reinstall av`).",
        )
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
    lib.opus_packet_has_lbrr.argtypes = [ctypes.c_char_p, ctypes.c_int32]
    lib.opus_strerror.restype = ctypes.c_char_p
    return lib


def version() -> str:
    """The library's own version string."""
    return str(library().opus_get_version_string().decode())


class OpusEncoder:
    """Encodes mono frames of speech, `frame_ms` (20, 40 or 60) long: as CELT from `CELT_FROM`
    bit/s on, below it in the mode for voice, with in-band FEC where the bit rate leaves room.

    `rate` is the input's (8, 12, 16, 24 or 48 kHz); `bitrate` in bit/s; `complexity` 0 to 10,
    which is chosen by the mode where it is not given. `mode` given, it is that whatever the bit
    rate. Within a call the codec's timestamps count at 48 kHz whatever the rate (RFC 7587).
    """

    def __init__(
        self,
        rate: int,
        bitrate: int,
        *,
        frame_ms: int = FRAME_MS,
        complexity: int | None = None,
        mode: Mode | None = None,
    ) -> None:
        if frame_ms not in FRAMES_MS:
            raise ValueError(f"Opus codes voice in frames of {FRAMES_MS} ms, not {frame_ms}")
        self.rate = rate
        self.frame_ms = frame_ms
        self._lib = library()
        mode = mode or ("celt" if bitrate >= CELT_FROM else "voice")
        application = _APPLICATIONS[mode]
        complexity = _COMPLEXITIES[mode] if complexity is None else complexity
        error = _Int()
        self._state = self._lib.opus_encoder_create(rate, 1, application, ctypes.byref(error))
        _check(self._lib, error.value)
        settings = [
            (_SET_BITRATE, bitrate),
            (_SET_COMPLEXITY, complexity),
            (_SET_INBAND_FEC, 1),
            (_SET_PACKET_LOSS_PERC, _LOSS_PERCENT[mode]),
            (_SET_SIGNAL, _SIGNAL_VOICE),
        ]
        if mode == "lossy":
            settings.append((_SET_MAX_BANDWIDTH, _BANDWIDTH_WIDE))
        for request, value in settings:
            _check(self._lib, self._lib.opus_encoder_ctl(self._state, request, _Int(value)))
        lookahead = _Int()
        _check(
            self._lib,
            self._lib.opus_encoder_ctl(self._state, _GET_LOOKAHEAD, ctypes.byref(lookahead)),
        )
        self.lookahead = lookahead.value
        """By how many samples what is decoded comes later than what was encoded."""
        self._samples = rate * frame_ms // 1000
        chosen = (rate, self._samples, application, *chain.from_iterable(settings))
        self.coding = f"opus {' '.join(map(str, chosen))}"
        """Another one wherever anything that was chosen here differs: packets that are kept are
        those of one coding."""
        self._packet = ctypes.create_string_buffer(MAX_PACKET_BYTES)

    def encode(self, pcm: bytes) -> bytes:
        """One packet from exactly one frame of int16 LE mono."""
        if len(pcm) != self._samples * BYTES_PER_SAMPLE:
            raise ValueError(f"need {self._samples} samples, got {len(pcm)} bytes")
        size = self._lib.opus_encode(
            self._state, pcm, self._samples, self._packet, MAX_PACKET_BYTES
        )
        _check(self._lib, size)
        return ctypes.string_at(self._packet, size)

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
        self._frame = rate * FRAME_MS // 1000
        self._pcm = ctypes.create_string_buffer(self._most * BYTES_PER_SAMPLE)
        self._address = ctypes.addressof(self._pcm)
        self._opus_decode = self._lib.opus_decode

    def decode(self, packet: bytes) -> bytes:
        """The packet's audio. Raises `PeerError` when it is not Opus."""
        if not packet:
            raise PeerError("An empty Opus packet arrived.", code="bad_audio")
        return self._decode(packet, self._most, fec=0)

    def recover(self, following: bytes, samples: int | None = None) -> bytes:
        """Audio standing in for the end of what was lost before `following`, from its FEC data.

        `samples` is a multiple of 2.5 ms; 20 ms unless told. What is longer than a frame of
        `following` begins with concealment, what is shorter is concealment altogether.
        """
        return self._decode(following, samples or self._frame, fec=1)

    def conceal(self, samples: int | None = None) -> bytes:
        """Audio standing in for what was lost, extrapolated from what came before.

        `samples` is a multiple of 2.5 ms, 120 ms at most; 20 ms unless told.
        """
        return self._decode(None, samples or self._frame, fec=0)

    def has_fec(self, packet: bytes) -> bool:
        """Whether the packet can repair the loss of the one before it."""
        return bool(self._lib.opus_packet_has_lbrr(packet, len(packet)) > 0)

    def _decode(self, packet: bytes | None, samples: int, fec: int) -> bytes:
        if samples > self._most:
            raise ValueError(f"at most {self._most} samples at once, not {samples}")
        size = len(packet) if packet else 0
        count = self._opus_decode(self._state, packet, size, self._pcm, samples, fec)
        if count < 0:
            reason = self._lib.opus_strerror(count).decode()
            raise PeerError(f"The audio is not valid Opus: {reason}.", code="bad_audio")
        return ctypes.string_at(self._address, count * BYTES_PER_SAMPLE)

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._lib.opus_decoder_destroy(self._state)
            self._state = None


def _check(lib: ctypes.CDLL, code: int) -> None:
    if code < 0:
        raise RuntimeError(f"libopus: {lib.opus_strerror(code).decode()}")
