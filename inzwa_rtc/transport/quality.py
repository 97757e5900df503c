"""How well a call is heard over its network, in figures and in one of them. Sans I/O.

The score estimates what people would say of the sound (mean opinion score, 1 to 5) by the E-model
of ITU-T G.107 in its simplified form, of which the network decides two parts: delay, and lost
packets. Opus has no official parameters there; those of a codec that conceals losses well stand
in. It tells calls apart; it is no measurement of a voice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from inzwa_rtc.events import NetworkMeasured

_BEST = 93.2  # the transmission rating of a call with nothing wrong
_ANNOYING_MS = 177.3  # one-way delay from which on people talk at cross purposes
_ROBUSTNESS = 20.0  # per cent of loss that costs half of the rating
_WORST = 95.0
_OWN_MS = 27.0  # of one packet and the encoder's look-ahead


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one call in one stretch of time: shares from 0 to 1, times in ms.

    `loss`, where enough came to judge it, and `jitter_ms` are of the caller's packets,
    `concealed_ms` of sound that stands in for lost ones, `buffer_ms` is how long packets waited
    for others; `lost_outward` is of ours.
    """

    loss: float | None
    lost_outward: float
    jitter_ms: float
    concealed_ms: float
    buffer_ms: float
    round_trip_ms: float

    @property
    def score(self) -> float:
        """From 1 (nothing is understood) to 4.4 (nothing is wrong), of the worse direction."""
        delay_ms = self.round_trip_ms / 2 + self.buffer_ms + _OWN_MS
        return round(opinion(delay_ms, max(self.loss or 0.0, self.lost_outward)), 2)


def network_measured(quality: Quality) -> NetworkMeasured:
    """What the caller is told of it."""
    return NetworkMeasured(**asdict(quality), score=quality.score)


def opinion(delay_ms: float, loss: float) -> float:
    """The score of sound that comes so late, with so much of it lost."""
    late = 0.024 * delay_ms + 0.11 * max(0.0, delay_ms - _ANNOYING_MS)
    percent = 100 * min(1.0, max(0.0, loss))
    lost = _WORST * percent / (percent + _ROBUSTNESS)
    rating = min(100.0, max(0.0, _BEST - late - lost))
    return max(1.0, 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating))
