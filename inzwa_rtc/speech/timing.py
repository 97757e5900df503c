"""When words start, where the engine does not tell: estimated by their syllables.

While a piece of speech is being made nobody knows how long it will be. So the words are laid
out at the pace at which this voice spoke before, and the pace is learned anew from each piece.

No clock and no I/O.
"""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass, field

from inzwa_rtc.language import base_language
from inzwa_rtc.speech.piece import Piece, Span

VOICES_KNOWN = 256  # of all engines; the one longest unused is forgotten
LEARNED_SHARE = 0.4  # of the newest piece in the pace of a voice: a list is read unlike a story
LEAST_LEARNED_MS = 400  # of sound: from an "Ehe." no pace is learned

_SYLLABLES_PER_S = {"en": 4.3, "sn": 5.6, "sw": 5.6, "tn": 5.4, "ja": 7.4, "es": 6.6, "fr": 5.8}
_USUAL_SYLLABLES_PER_S = 5.2
_SLOWEST, _FASTEST = 1.0, 20.0  # syllables per second: beyond, what was made was no speech
_CLAUSE_SYLLABLES, _SENTENCE_SYLLABLES = 1.2, 2.0  # that a pause at a comma or a stop takes

_VOWELS = "aeiouyаеиоуыэюяєіїαεηιουω"
_VOWEL_GROUP = re.compile(f"[{_VOWELS}]+")
_SILENT_E = re.compile(r"[^aeiouy]e[sd]?$")
_EACH_VOWEL_IS_ONE = frozenset({"sn", "sw", "tn", "zu", "xh", "st", "ny", "nd", "rw", "lg"})
_LETTERS_PER_SYLLABLE = 2.5  # of writing that has no vowels known here
_WHOLE_SYLLABLES = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7AF))  # kana, Han, Hangul


def syllables(word: str, language: str) -> float:
    """About how many syllables a word has; at least one if it has a letter or a digit."""
    plain = [char for char in unicodedata.normalize("NFD", word.lower()) if char.isalnum()]
    if not plain:
        return 0.0
    whole = sum(any(low <= ord(char) <= high for low, high in _WHOLE_SYLLABLES) for char in plain)
    letters = "".join(plain)
    base = base_language(language)
    if base in _EACH_VOWEL_IS_ONE:
        count: float = sum(letters.count(vowel) for vowel in "aeiou")
    else:
        count = len(_VOWEL_GROUP.findall(letters))
        if base == "en" and count > 1 and _SILENT_E.search(letters):
            count -= 1
    if not count and not whole:
        count = len(letters) / _LETTERS_PER_SYLLABLE
    return max(1.0, whole + count)


@dataclass(slots=True)
class Paces:
    """How fast each voice speaks, and whether its engine tells when words start. Shared by all
    texts that are read."""

    _per_s: OrderedDict[tuple[str, ...], float] = field(default_factory=OrderedDict)
    _tells_times: OrderedDict[tuple[str, ...], bool] = field(default_factory=OrderedDict)

    def of(self, voice: tuple[str, ...], language: str) -> float:
        """Syllables per second at speed 1: as learned, else as the language is usually spoken."""
        usual = _SYLLABLES_PER_S.get(base_language(language), _USUAL_SYLLABLES_PER_S)
        return self._per_s.get(voice, usual)

    def learn(self, voice: tuple[str, ...], syllables_per_s: float) -> None:
        """This voice has just spoken so fast (at speed 1)."""
        if not _SLOWEST <= syllables_per_s <= _FASTEST:
            return
        known = self._per_s.pop(voice, syllables_per_s)
        self._per_s[voice] = known + LEARNED_SHARE * (syllables_per_s - known)
        if len(self._per_s) > VOICES_KNOWN:
            self._per_s.popitem(last=False)

    def tells_times(self, voice: tuple[str, ...]) -> bool | None:
        """Whether times of words were ever told of it: nothing is estimated then. None of a
        voice that has not spoken yet."""
        return self._tells_times.get(voice)

    def has_told_times(self, voice: tuple[str, ...]) -> None:
        """Its engine tells when words start."""
        self._know(voice, tells=True)

    def has_told_none(self, voice: tuple[str, ...]) -> None:
        """A piece is over, and its engine has not told when words start."""
        self._know(voice, tells=False)

    def _know(self, voice: tuple[str, ...], *, tells: bool) -> None:
        self._tells_times[voice] = tells
        self._tells_times.move_to_end(voice)
        if len(self._tells_times) > VOICES_KNOWN:
            self._tells_times.popitem(last=False)


class Estimate:
    """The words of one piece and when each starts, in milliseconds from the piece's first sound.

    `take` and `rest` give each word once, in order.
    """

    def __init__(self, piece: Piece, syllables_per_s: float) -> None:
        self._left: list[tuple[Span, float]] = []
        self._per_ms = syllables_per_s / 1000
        at = 0.0
        for span, following in zip(piece.spans, [*piece.spans[1:], None], strict=True):
            said = sum(
                syllables(word, piece.language)
                for word in piece.text[span.start : span.end].split()
            )
            self._left.append((span, at))
            at += said + _pause(piece.text[span.start : following.start if following else None])
        self.syllables = at
        """How many there are in all, pauses within the piece counted as if they were some."""
        if piece.spans:
            self.syllables -= _pause(piece.text[piece.spans[-1].start :])

    def take(self, until_ms: float) -> list[tuple[Span, float]]:
        """The words that start before this moment, which were not given yet."""
        count = next(
            (
                number
                for number, (_, at) in enumerate(self._left)
                if at and at / self._per_ms >= until_ms
            ),
            len(self._left),
        )
        taken, self._left = self._left[:count], self._left[count:]
        return [(span, at / self._per_ms) for span, at in taken]

    def rest(self, from_ms: float, until_ms: float) -> list[tuple[Span, float]]:
        """The piece is over sooner than its words: those left, spread over this time."""
        left, self._left = self._left, []
        if not left:
            return []
        first = left[0][1]
        whole = max(self.syllables - first, 1.0)
        share = max(0.0, until_ms - from_ms) / whole
        return [(span, from_ms + (at - first) * share) for span, at in left]


def _pause(text: str) -> float:
    """How many syllables the pauses of a stretch of text take."""
    return sum(
        _SENTENCE_SYLLABLES if sign in ".!?…" else _CLAUSE_SYLLABLES
        for sign in re.findall(r"[.!?…,;:–—](?=\s|$)", text)
    )
