"""How evenly a server sends, as one can see from where its packets arrive.

A packet's place in time is its RTP timestamp. Where it comes later than that, counted from the
most punctual packet within `WINDOW_S`, the server (or what lies between) kept it waiting. The
window is short because the two machines' clocks drift apart, and because a receiver's buffer
forgets as well: a server that shifts its whole stream once, after a stall, is late once.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WINDOW_S = 10.0
PAUSE_S = 1.0
"""Where nothing comes for so long, the server has stopped sending: some do that in silence, and
not all count the time of it. What follows is measured by itself."""

GAP_S = 0.06
"""Twice as long as any receiver bridges without a sound: a gap is heard."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The packets of one call: when they came, where in the stream they belong (seconds of
    media), and whether there is sound in them."""

    at: npt.NDArray[np.float64]
    media_s: npt.NDArray[np.float64]
    audible: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, at: array[float], media_s: array[float], audible: bytearray) -> Arrivals:
        """From the buffers that an `Ear` fills."""
        return cls(
            np.frombuffer(at, np.float64).copy(),
            np.frombuffer(media_s, np.float64).copy(),
            np.frombuffer(audible, np.bool_).copy(),
        )

    def lateness_ms(self) -> npt.NDArray[np.float64]:
        """Of each packet; nothing where there is none."""
        if not len(self.at):
            return np.zeros(0)
        late = self.at - self.media_s
        pauses = np.concatenate([[0], np.cumsum(np.diff(self.at) > PAUSE_S)])
        windows = (self.at - self.at[0]) // WINDOW_S
        _, window = np.unique(np.stack([pauses, windows]), axis=1, return_inverse=True)
        window = window.reshape(-1)  # of another shape in numpy 2.0
        least = np.full(window.max() + 1, np.inf)
        np.minimum.at(least, window, late)
        result: npt.NDArray[np.float64] = (late - least[window]) * 1000
        return result

    def gaps(self) -> int:
        """How often sound stopped for `GAP_S` and went on as sound; a pause is none."""
        waits = np.diff(self.at)
        stops = (waits > GAP_S) & (waits < PAUSE_S)
        return int(np.count_nonzero(stops & self.audible[:-1] & self.audible[1:]))

    def heard_s(self) -> float:
        """How much sound there was."""
        return float(np.count_nonzero(self.audible)) * 0.02
