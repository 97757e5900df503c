"""Voices mixed by weight: `af_bella*0.7+af_sarah*0.3`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from inzwa_rtc.engines.tts.kokoro.voices import Style

_PART = re.compile(r"\s*(?P<name>[\w-]{1,60})\s*(?:\*\s*(?P<weight>\d{1,6}(?:\.\d{1,9})?))?\s*")
_MOST_PARTS = 8


@dataclass(frozen=True, slots=True)
class Mix:
    """Voices and their shares of the whole, which are 1 together. One voice is a mix, too."""

    shares: Mapping[str, float]

    @property
    def leading(self) -> str:
        """The voice with the largest share: whose language the mix speaks."""
        return max(self.shares, key=lambda name: self.shares[name])

    def style(self, styles: Mapping[str, Style]) -> Style:
        """The mixed style, for as many lengths as all its voices have."""
        lengths = min(len(styles[name]) for name in self.shares)
        mixed = sum(styles[name][:lengths] * share for name, share in self.shares.items())
        return np.asarray(mixed, dtype=np.float32)


def read_mix(text: str) -> Mix | None:
    """The mix that is asked for; a part without a weight has the weight 1. None for a text that
    is no mix, or one without any weight."""
    parts = text.split("+")
    if len(parts) > _MOST_PARTS:
        return None
    weights: dict[str, float] = {}
    for part in parts:
        match = _PART.fullmatch(part)
        if match is None:
            return None
        weight = 1.0 if match["weight"] is None else float(match["weight"])
        weights[match["name"]] = weights.get(match["name"], 0.0) + weight
    whole = sum(weights.values())
    if whole <= 0:
        return None
    return Mix({name: weight / whole for name, weight in weights.items() if weight > 0})
