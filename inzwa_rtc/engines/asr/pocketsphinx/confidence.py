"""How far to believe a recognised phrase.

A decoder that knows few words finds them in everything: "my grandmother bought
oranges" becomes "my own model fine". Its own measure, the posterior of the best
hypothesis, separated strangers from the guide's phrases badly: keeping 89% of
what was right let 23% of strangers pass. What tells them apart is grammar: what
was right is a phrase of the script, and what strangers become almost never is
(4%). So a hypothesis is looked for among the decoder's best ones that is a
phrase of the script, and the posteriors only weigh those that were found.

The weights are a logistic regression on 324 utterances of six eSpeak voices at
five speeds in three noises (benchmarks/recognition.py), not on people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_MOST_BEHIND = 8.0
_LEAST = math.exp(-8.0)
_POSTERIOR, _BEHIND, _FIRST, _BIAS = 0.78, 0.31, 2.35, 2.74
ONE_WORD_OFF = 4.0
"""How far behind a phrase counts from which the best hypothesis differs in one word."""

NOT_A_PHRASE = 0.1
"""The most confidence in words that are no phrase of the script."""


def confidence(posteriors: Sequence[float], behind: float | None) -> float:
    """0 to 1, from the posteriors of the words heard.

    `behind` is how far the phrase of the script is behind the best hypothesis,
    in units of 10,000 of PocketSphinx's log scores; None if none was found.
    """
    if not posteriors:
        return 0.0
    weakest = math.log(max(min(posteriors), _LEAST))
    behind_by = _MOST_BEHIND if behind is None else min(behind, _MOST_BEHIND)
    first = _FIRST if behind == 0 else 0.0
    sure = 1 / (1 + math.exp(-(_BIAS + first + _POSTERIOR * weakest - _BEHIND * behind_by)))
    return sure * NOT_A_PHRASE if behind is None else sure
