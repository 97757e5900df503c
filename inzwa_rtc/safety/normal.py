"""Brings a text into the one form that rules are written in: small letters, sentence by
sentence, word by word, with what is written to be overlooked undone.

Letters that are spaced out ("k i l l"), digits for letters ("k1ll"), letters drawn out and
letters of another alphabet count as the word that they make only where a rule knows it: any
other text stays what it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

_IGNORED = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
                      "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff]")  # fmt: skip
_MARKS = re.compile("[\u0300-\u036f]+")
_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc\u0060\u00b4", "'" * 5)
_WORD = re.compile(r"[^\W_]+(?:['@$][^\W_]+)*")
# Ellipses and line breaks may end a sentence or not; a full stop may stand in "3.5" and
# "example.com".
_END = re.compile(r"(?P<pause>\.(?:\s*\.)+|…|\n)|[!?;。！？]|\.(?![^\W_])")
_END_MARKS = " \t\n.…!?;。！？"
# Behind these no sentence ends: a recogniser hears a full stop wherever somebody hesitates.
_GO_ON = frozenset(
    (
        *("a", "an", "and", "how", "i", "my", "or", "our", "than", "the", "their", "to", "your"),
        *("kuti", "ndichada", "ndinoda", "ndoda", "tinoda"),
    )
)
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .*_-]){2,}[^\W\d_](?![^\W_])")
_VEILED = re.compile(r"[^\x00-\x7f]|[0-9@$]|(.)\1\1")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_LOOKS_LIKE = str.maketrans("аеорсухіјѕԁһαοερι", "aeopcyxijsdhaoepi")
_LEET = (str.maketrans("013457@$", "oleastas"), str.maketrans("013457@$", "oieastas"))
PAUSE = "\n"
"""Stands among the words where a sentence may have ended, or goes on."""

_LONGEST_SPACED = 60
_LONGEST_WORD = 20
_TELLING = 4  # letters of a word that spaced-out letters must contain


def joined(sayings: Iterable[str]) -> str:
    """What was said with pauses in between, as one: where it was parted, a sentence may go on."""
    parts = [saying.strip() for saying in sayings if saying.strip()]
    return PAUSE.join([*(part.rstrip(_END_MARKS) for part in parts[:-1]), *parts[-1:]])


@dataclass(frozen=True)
class Spelling:
    """Knows the words that rules name, and what is written otherwise for them."""

    known: frozenset[str]
    same: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of a word as it is written, the words that it stands for."""

    def sentences(self, text: str) -> Iterator[list[str]]:
        """The words of each sentence, and `PAUSE` where it may end; between two ends of
        sentences there may be none."""
        plain = self._plain(text)
        is_veiled = _VEILED.search(plain) is not None
        words: list[str] = []
        at = 0
        for end in _END.finditer(plain):
            words += self._words(plain[at : end.start()], is_veiled)
            at = end.end()
            if end["pause"] or (words and words[-1] in _GO_ON):
                words.append(PAUSE)
            else:
                yield words
                words = []
        yield words + self._words(plain[at:], is_veiled)

    def _words(self, text: str, is_veiled: bool) -> list[str]:
        words = _WORD.findall(text)
        if "'" in text:
            words = [word.removesuffix("'s") for word in words]
        if is_veiled:
            words = [self._unveiled(word) for word in words]
        return [meant for word in words for meant in self.same.get(word, (word,))]

    def _plain(self, text: str) -> str:
        text = text.casefold()
        if not text.isascii():
            text = unicodedata.normalize("NFKC", _IGNORED.sub("", text)).casefold()
            text = text.translate(_APOSTROPHES)
            text = _MARKS.sub("", unicodedata.normalize("NFD", text))
        return _SPACED.sub(self._joined, text)

    def _unveiled(self, word: str) -> str:
        """What a rule knows that this may stand for, or the word itself."""
        if word.isdigit() or word in self.known or word in self.same:
            return word
        for other in self._readings(word):
            if other in self.known or other in self.same:
                return other
        return word

    def _readings(self, word: str) -> Iterator[str]:
        if len(word) > 2 * _LONGEST_WORD:
            return
        if not word.isalpha() and not word.isdigit():
            for table in _LEET:
                yield word.translate(table)
        if _DRAWN_OUT.search(word):
            yield _DRAWN_OUT.sub(r"\1", word)
            yield _DRAWN_OUT.sub(r"\1\1", word)
        if not word.isascii():
            yield word.translate(_LOOKS_LIKE)

    def _joined(self, match: re.Match[str]) -> str:
        letters = re.sub(r"[ .*_-]", "", match[0])
        words = self._parted(letters) if len(letters) <= _LONGEST_SPACED else []
        return " ".join(words) if words else match[0]

    def _parted(self, letters: str) -> list[str]:
        """The known words that letters are made of, the longest first; none if any is left."""
        words: list[str] = []
        at = 0
        while at < len(letters):
            for length in range(min(_LONGEST_WORD, len(letters) - at), 0, -1):
                if letters[at : at + length] in self.known:
                    break
            else:
                return []
            words.append(letters[at : at + length])
            at += length
        return words if any(len(word) >= _TELLING for word in words) else []
