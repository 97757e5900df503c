"""Where the time of a turn went."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from inzwa_rtc.events import TurnMetrics


@dataclass(slots=True)
class Latency:
    """When each stage of a turn was done, on the loop's clock; 0 for one never reached.

    `origin` is when the caller's last voiced sample was heard, or the text arrived;
    without it there is nothing to tell (a line of the server's own).
    """

    origin: float | None = None
    silence: float = 0.0
    transcript: float = 0.0
    first_token: float = 0.0

    def metrics(self, turn: int, first_audio: float) -> TurnMetrics | None:
        """Each mark in ms since the origin. A stage never reached took no time."""
        if self.origin is None:
            return None
        marks = (self.silence, self.transcript, self.first_token, first_audio)
        ms = [round((at - self.origin) * 1000) for at in accumulate((self.origin, *marks), max)]
        return TurnMetrics(turn, *ms[1:])
