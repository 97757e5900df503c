"""Brings a text into the one form that rules are written in: small letters, sentence by
sentence, word by word, with what is written to be overlooked undone.

Letters that are spaced out ("k i l l"), digits for letters ("k1ll"), letters drawn out and
letters of another alphabet count as the word that they make only where a rule knows it: any
other text stays what it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_IGNORED = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
                      "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff]")  # fmt: skip
_MARKS = re.compile("[\u0300-\u036f]+")
_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc\u0060\u00b4", "'" * 5)
_WORD = re.compile(r"[^\W_]+(?:['@$][^\W_]+)*")
_END = re.compile(
    r"[!?…;\n。！？]|\.(?![^\W_])"
)  # a full stop may stand in "3.5" and "example.com"
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .*_-]){2,}[^\W\d_](?![^\W_])")
_VEILED = re.compile(r"[^\x00-\x7f]|[0-9@$]|(.)\1\1")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_LOOKS_LIKE = str.maketrans("аеорсухіјѕԁһαοερι", "aeopcyxijsdhaoepi")
_LEET = (str.maketrans("013457@$", "oleastas"), str.maketrans("013457@$", "oieastas"))
_LONGEST_SPACED = 60
_LONGEST_WORD = 20
_TELLING = 4  # letters of a word that spaced-out letters must contain


@dataclass(frozen=True)
class Spelling:
    """Knows the words that rules name, and what is written otherwise for them."""

    known: frozenset[str]
    same: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of a word as it is written, the words that it stands for."""

    def sentences(self, text: str) -> Iterator[list[str]]:
        """The words of each sentence; between two ends of sentences there may be none."""
        plain = self._plain(text)
        is_veiled = _VEILED.search(plain) is not None
        for sentence in _END.split(plain):
            words = _WORD.findall(sentence)
            if "'" in sentence:
                words = [word.removesuffix("'s") for word in words]
            if is_veiled:
                words = [self._unveiled(word) for word in words]
            yield [meant for word in words for meant in self.same.get(word, (word,))]

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
