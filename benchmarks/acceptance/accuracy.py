"""Word and character error rates, of texts written alike.

Before they are compared, both texts are put into Unicode's NFKC and lower case, hyphens become
spaces, all other punctuation (apostrophes too) is left out, and white space is one space. Numbers
stay as they are written: 7 and "seven" differ.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import jiwer

_ALIKE = jiwer.Compose(
    [
        jiwer.SubstituteRegexes({r"[-\u2010-\u2015/]": " "}),
        jiwer.RemovePunctuation(),  # type: ignore[no-untyped-call]
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
    ]
)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Rates over all words and characters of all texts; above 1 where more was made up."""

    wer: float
    cer: float
    words: int


def normalized(text: str) -> str:
    """The text as it is compared."""
    result: str = _ALIKE(unicodedata.normalize("NFKC", text).lower())
    return result


def accuracy(said: Sequence[str], heard: Sequence[str]) -> Accuracy:
    """How far what was heard is from what was said, text by text."""
    references, hypotheses = [normalized(text) for text in said], [normalized(t) for t in heard]
    words = jiwer.process_words(references, hypotheses)
    characters = jiwer.process_characters(references, hypotheses)
    count = words.hits + words.substitutions + words.deletions
    return Accuracy(words.wer, characters.cer, count)
