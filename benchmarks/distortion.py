"""How far sound is from what it was: ViSQOL's opinion score, and a distance in Bark bands.

ViSQOL (version 3, speech mode) was made for calls and compared with listeners' judgements of
codecs and losses; it hears up to 8 kHz. The distance is our own, simple, and compared with nobody:
it is here because it hears up to 12 kHz.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inzwa_rtc.errors import ConfigError

Samples = NDArray[np.float64]

VISQOL_RATE = 16_000
_WINDOW_S, _STEP_S = 0.032, 0.010
_FULL_SCALE = 32_768.0
_QUIETEST_DB = -70.0  # of full scale, in one band: what is below counts as this
_PAUSE_DB = -45.0  # below the loudest moment: nobody speaks there


def opinion(reference: Samples, sound: Samples) -> float:
    """ViSQOL's MOS-LQO, 1 to 5, of int16 values at `VISQOL_RATE`."""
    result = _visqol().measure_from_arrays(
        reference / _FULL_SCALE, sound / _FULL_SCALE, VISQOL_RATE
    )
    return float(result.moslqo)


def band_distance(reference: Samples, sound: Samples, rate: int) -> float:
    """Mean difference of levels in dB, over Bark bands up to half of `rate` and moments in which
    the reference speaks. 0 is the same; both begin at the same moment and are equally long."""
    ours, theirs = _levels(reference, rate), _levels(sound, rate)
    loudness = ours.max(axis=1)
    spoken = loudness > max(loudness.max() + _PAUSE_DB, _QUIETEST_DB)
    return float(np.abs(ours - theirs)[spoken].mean())


def _levels(sound: Samples, rate: int) -> Samples:
    """Of each moment and band, in dB of full scale."""
    size, step = int(rate * _WINDOW_S), int(rate * _STEP_S)
    moments = np.lib.stride_tricks.sliding_window_view(sound / _FULL_SCALE, size)[::step]
    window = np.hanning(size)
    power = np.abs(np.fft.rfft(moments * window)) ** 2 / (window.sum() / 2) ** 2
    levels: Samples = np.maximum(10 * np.log10(power @ _bands(size, rate) + 1e-12), _QUIETEST_DB)
    return levels


@cache
def _bands(size: int, rate: int) -> Samples:
    """Which line of the spectrum belongs to which band, one of each Bark (Traunmüller 1990)."""
    hertz = np.fft.rfftfreq(size, 1 / rate)
    bark = np.maximum(26.81 * hertz / (1960 + hertz) - 0.53, 0).astype(int)
    belongs: Samples = (np.arange(bark.max() + 1) == bark[:, None]).astype(np.float64)
    return belongs


@cache
def _visqol() -> Any:
    try:
        from visqol import VisqolApi
    except ImportError:
        raise ConfigError(
            "ViSQOL is not installed.", action="Install it with `pip install 'inzwa-rtc[bench]'`."
        ) from None
    api = VisqolApi()
    # The polynomial of version 2: the network of version 3 asks for another runtime, and
    # leaves the order of what it judges as it is.
    api.create(mode="speech", use_lattice_model=False)
    return api
