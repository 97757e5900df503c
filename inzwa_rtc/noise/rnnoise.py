"""RNNoise (Valin 2018, arXiv:1709.08243) by its own library, which pyrnnoise's wheel carries.

pyrnnoise itself is not imported: it would import matplotlib and audiolab, and its only
way in takes whole files or resamples through a filter graph of its own.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, frame_bytes
from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE

_RATE = 48_000  # the only one that it knows
_PACKAGE = "pyrnnoise"
_FILES = {"darwin": "librnnoise.dylib", "win32": "rnnoise.dll"}
_LAG_SAMPLES = 16  # of its input, that libswresample keeps back from 16 to 48 kHz

_Ptr = ctypes.c_void_p


@cache
def library() -> ctypes.CDLL:
    """RNNoise's library. Raises `ModuleNotFoundError` without pyrnnoise."""
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise ModuleNotFoundError(f"No module named '{_PACKAGE}'", name=_PACKAGE)
    file = _FILES.get(sys.platform, "librnnoise.so")
    lib = ctypes.CDLL(str(Path(package.origin).with_name(file)))
    lib.rnnoise_create.restype = _Ptr
    lib.rnnoise_create.argtypes = [_Ptr]
    lib.rnnoise_destroy.restype = None
    lib.rnnoise_destroy.argtypes = [_Ptr]
    lib.rnnoise_get_frame_size.restype = ctypes.c_int
    lib.rnnoise_process_frame.restype = ctypes.c_float
    lib.rnnoise_process_frame.argtypes = [_Ptr, _Ptr, _Ptr]
    return lib


class RNNoise:
    """One caller's suppressor (`NoiseSuppressor`), by a recurrent network; 22 ms of delay.

    It takes away noise that changes, too. After voices in the background it takes the
    caller's own for noise, for some seconds (docs/benchmarks.md, Noise). 20 ms of the delay
    are RNNoise's own, 2 those of resampling to 48 kHz and back.
    """

    def __init__(self) -> None:
        self._lib = library()
        self._step = self._lib.rnnoise_get_frame_size()  # samples: 10 ms
        self._state = self._lib.rnnoise_create(None)  # with the weights inside the library
        self._up = Resampler(ASR_SAMPLE_RATE, _RATE)
        self._down = Resampler(_RATE, ASR_SAMPLE_RATE)
        # What resampling keeps back is silence at first: then whole frames come out of it.
        self._up.feed(bytes(_LAG_SAMPLES * BYTES_PER_SAMPLE))
        self._clean(bytes(frame_bytes(ASR_SAMPLE_RATE)))

    def feed(self, pcm: bytes) -> bytes:
        """As in `NoiseSuppressor`."""
        cleaned = self._clean(pcm)
        if len(cleaned) != len(pcm):
            raise RuntimeError(f"resampling made {len(cleaned)} bytes of {len(pcm)}")
        return cleaned

    def _clean(self, pcm: bytes) -> bytes:
        wide = np.frombuffer(self._up.feed(pcm), "<i2").astype(np.float32)
        for step in wide.reshape(-1, self._step):  # views: RNNoise writes where it reads
            self._lib.rnnoise_process_frame(self._state, step.ctypes.data, step.ctypes.data)
        return self._down.feed(np.clip(np.rint(wide), -32768, 32767).astype("<i2").tobytes())

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._lib.rnnoise_destroy(self._state)
            self._state = None
