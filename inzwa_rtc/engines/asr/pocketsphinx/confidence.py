"""How far to believe a recognised phrase.

A decoder that knows few phrases finds one in everything. Three things tell a stranger:
the phrase fits its sound badly; a second decoder, free to put the script's words in any
order, hears other words; and those fit better. Of all that
was tried on unknown sentences of ten voices (posteriors, the worst word, a loop of phones
as the alternative, other warps of the spectrum) the second decoder told most: with 93% of
strangers refused, 74% of phrases were kept instead of 67 by the fit alone.

The weights are a logistic regression on 300 phrases and 200 strangers, spoken by eSpeak
and by voices made from people's recordings (Flite's), in noise, through Opus. The bias
is set so that at the threshold of 0.5 93% of these strangers are refused, and 97% of 150
others; of the phrases 77% pass, and 74% of 180 others.
"""

from __future__ import annotations

import math

_FIT, _DIFFERS, _LEAD, _BIAS = 0.772, 2.375, 0.0633, 6.27


def confidence(score: float, frames: int, free_score: float, *, agreed: bool) -> float:
    """0 to 1: how likely the phrase is what was said.

    Scores are 100 times the natural logarithm of PocketSphinx's, of the phrase and of
    the free words, 0 being the best there is; `frames` are those of the phrase.
    `agreed` says whether both are the same words.
    """
    sure = _BIAS + _FIT * score / math.sqrt(max(frames, 1))
    sure -= _LEAD * (free_score - score) + (0.0 if agreed else _DIFFERS)
    return 1 / (1 + math.exp(-max(-50.0, min(sure, 50.0))))
