"""What is spoken in one run: the first clause alone, for it is waited for; then sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from inzwa_rtc.engines.tts.clauses import Clause, clauses

_LONGEST_CHARS = 300  # the work, and the memory that it takes, grow with it
_SHORTEST_FIRST = 12  # characters: a lone word comes out badly, and saves little
# They begin behind a mark, not with a run of marks: in "!!!!..." each would be tried anew.
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n+\s*")
_CLAUSE = re.compile(r"(?<=[.!?…,;:–—])[\"'”’)\]]*\s+|\n+\s*")

_WINDOW_S = 0.01
_AUDIBLE = 0.006  # of the loudest window: 45 dB below it
_LEAD_S, _TAIL_S = 0.05, 0.2


def units(text: str) -> Iterator[Clause]:
    """Yield the text in order, nothing left out, each unit of a bounded length."""
    start = 0
    clause_ends = (match.end() for match in _CLAUSE.finditer(text))
    first = next((end for end in clause_ends if end >= _SHORTEST_FIRST), len(text))
    sentence_ends = (match.end() for match in _SENTENCE.finditer(text, first))
    for end in (first, *sentence_ends, len(text)):
        for part in clauses(text[start:end], _LONGEST_CHARS):
            yield Clause(part.text, start + part.offset)
        start = end


def audible(samples: npt.NDArray[np.float32], sample_rate: int) -> slice:
    """The part without the silence that the model puts around each run: a little of it stays
    before and after."""
    window = round(_WINDOW_S * sample_rate)
    count = len(samples) // window
    if not count:
        return slice(0, len(samples))
    level = np.sqrt((samples[: count * window].reshape(count, window) ** 2).mean(axis=1))
    loud = np.flatnonzero(level > _AUDIBLE * level.max())
    if not len(loud):
        return slice(0, len(samples))
    begin = max(0, int(loud[0]) * window - round(_LEAD_S * sample_rate))
    end = (int(loud[-1]) + 1) * window + round(_TAIL_S * sample_rate)
    return slice(begin, min(len(samples), end))
