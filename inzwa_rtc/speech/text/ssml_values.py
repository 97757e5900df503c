"""What the values of SSML attributes ask for. One that cannot be read counts as not given."""

from __future__ import annotations

import re
from collections.abc import Mapping

from inzwa_rtc.speech.speed import bounded_speed
from inzwa_rtc.speech.text.flow import MAX_PAUSE_MS

_TIME = re.compile(r"\+?(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*(ms|s)")
_RATE = re.compile(r"([+-]?)(\d{1,6}(?:\.\d{0,6})?)(%?)")
_STRENGTHS = {"none": 0, "x-weak": 100, "weak": 250, "medium": 500, "strong": 750, "x-strong": 1000}
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.6}
# Factor on the pace, and decibels: a word that is stressed is slower and louder.
_EMPHASES = {
    "strong": (0.85, 4.0),
    "moderate": (0.92, 2.0),
    "none": (1.0, 0.0),
    "reduced": (1.08, -3.0),
}


def pause_ms(attributes: Mapping[str, str]) -> int:
    """The silence of a `break`, 10 s at most."""
    if time := _TIME.fullmatch(attributes.get("time", "").strip()):
        value = float(time[1]) * (1000 if time[2] == "s" else 1)
        return int(min(value, MAX_PAUSE_MS))
    return _STRENGTHS.get(attributes.get("strength", "").strip(), _STRENGTHS["medium"])


def speed(rate: str, current: float) -> float:
    """The pace that a rate asks for, or the nearest one that engines are given: "80%" and "+10%"
    of the current one, "slow" of the voice's own."""
    rate = rate.strip()
    found = _RATE.fullmatch(rate)
    if found:
        value = float(found[2]) / (100 if found[3] else 1)
        if found[1]:
            value = 1 + value if found[1] == "+" else 1 - value
        value *= current
    else:
        value = _RATES.get(rate, current)
    return bounded_speed(value)


def emphasis(level: str) -> tuple[float, float]:
    """Factor on the pace and change of loudness in dB."""
    return _EMPHASES.get(level.strip(), _EMPHASES["moderate"])
