"""Words by which a listener says "go on": they take no turn while the other one speaks."""

from __future__ import annotations

import re

# Only what answers no question: "yes" and "okay" may be the answer that was asked for.
# Shona: "ehe" and "aah" have one source each and wait for a speaker's review.
_WORDS = frozenset(["mm", "mmm", "hm", "hmm", "mhm", "mhmm", "uh", "huh", "yeah", "ehe", "aah"])
_LETTERS = re.compile(r"[^\W\d_]+")


def is_backchannel(text: str) -> bool:
    """Whether there is nothing in the text but such words ("Mm-hm.", "uh huh")."""
    words = _LETTERS.findall(text.lower())
    return bool(words) and _WORDS.issuperset(words)
