"""Takes a text apart into what personal data are made of: names, digits, what is between."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

import regex

CONNECTIVES = ("at", "pa", "dot", "doti")
"""Words that an address is spelled with."""

DIGIT_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("oh", "double", "triple", "plus"),
)
"""Words that a number is spelled with."""

PieceKind = Literal["mail", "plain", "digits", "name", "word", "gap"]


class Piece(NamedTuple):
    """`text` is a whole address; plain prose, in which nothing begins or goes on; groups of
    digits with what stands between and before them; a name, which may be a part of an address
    (`tinashe`, `example.com`); letters of other alphabets; or a gap."""

    kind: PieceKind
    text: str


_SPACE = r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"  # of Unicode, all (Zs)
_DASH = r"[-\u058a\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d/]"  # (Pd), minus, stroke
_UNSEEN = r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"  # (Cf)
_EMPHASIS = r"\*{0,3}"  # as models write it: **0777** 123 456
_DIGIT_JOINT = (
    rf"(?:{_UNSEEN}{{1,2}}|{_EMPHASIS}{_UNSEEN}?"
    rf"(?:{_SPACE}{{1,2}}|{_SPACE}?{_DASH}{_SPACE}?|\.|\){_SPACE}?{_DASH}?)"
    rf"{_UNSEEN}?{_EMPHASIS})"
)
_DIGITS = r"[(+]{0,3}\d++"
_NAMES = (
    rf"(?P<digits>{_DIGITS}(?:{_DIGIT_JOINT}{_DIGITS})*+)"
    r"|(?P<name>[A-Za-z](?:[A-Za-z0-9]|[-._](?=[A-Za-z0-9]))*+)|(?P<word>[^\W\d_A-Za-z]+)"
)
_GAP = r"(?P<gap>(?:(?![(+]{0,3}\d)[\W_])+)"
_ADDRESS = r"[A-Za-z0-9._+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
_MAIL = rf"(?P<mail>{_ADDRESS})|"
# Else what an address begins with would depend on what was told before it.
_GAP_BEFORE_MAIL = rf"(?P<gap>(?:(?![(+]{{0,3}}\d)(?!(?=[._+%-]){_ADDRESS})[\W_])+)"
# Words each of which is followed by one more, and none of which is a digit or a connective.
_PROSE = (
    rf"(?:(?!(?i:{'|'.join((*CONNECTIVES, *DIGIT_WORDS))})\b)[A-Za-z]+"
    rf"(?:[ ,;:!?\n'\"”’“]|\.(?=[ \n]))+(?=[A-Za-z])(?!(?i:{'|'.join(CONNECTIVES)})\b))+"
)
_PLAIN = rf"(?P<plain>{_PROSE})|"
_PATTERNS = {
    False: (re.compile(f"{_PLAIN}{_NAMES}|{_GAP}"), re.compile(f"{_NAMES}|{_GAP}")),
    True: (
        re.compile(f"{_MAIL}{_PLAIN}{_NAMES}|{_GAP_BEFORE_MAIL}"),
        re.compile(f"{_MAIL}{_NAMES}|{_GAP_BEFORE_MAIL}"),
    ),
}
"""In prose, and behind a connective."""

_MORE_DIGITS = re.compile(rf"{_DIGIT_JOINT}?{_DIGITS}(?:{_DIGIT_JOINT}{_DIGITS})*+{_SPACE}?")
_BOUND = re.compile(r"[\w.+%@'’(-]")
_FIRST_BEYOND = "\u0e00"  # from Thai on, scripts that put no spaces between words

_BETWEEN_DIGITS = regex.compile(_DIGIT_JOINT)
_AFTER_COMMA = regex.compile(rf",{_SPACE}?")
_BETWEEN_WORDS = regex.compile(
    rf"{_SPACE}{{1,2}}|{_SPACE}?[(\[{{<]{_SPACE}?|{_SPACE}?[)\]}}>]{_SPACE}?"
)
_AT = regex.compile(rf"{_SPACE}?@{_SPACE}?")
_LONGEST_JOINT = 12


class Joint(NamedTuple):
    """What a gap may join; of a gap that may yet grow, what it may then join."""

    digits: bool
    comma: bool
    words: bool
    at: bool


NO_JOINT = Joint(False, False, False, False)


@lru_cache(512)
def joint(gap: str, may_grow: bool) -> Joint:
    """Of a gap. One that `may_grow` ends where the text does, as far as it is known."""
    if len(gap) > _LONGEST_JOINT:
        return NO_JOINT
    patterns = (_BETWEEN_DIGITS, _AFTER_COMMA, _BETWEEN_WORDS, _AT)
    return Joint(*(p.fullmatch(gap, partial=may_grow) is not None for p in patterns))


def pieces(text: str) -> list[Piece]:
    """The pieces of a text; joined, they are the text."""
    found = []
    in_prose, spelled = (pattern.match for pattern in _PATTERNS["@" in text])
    at, is_spelled = 0, False
    while at < len(text):
        match = (spelled if is_spelled else in_prose)(text, at)
        assert match is not None, "every character is one of these"
        kind: PieceKind = match.lastgroup  # type: ignore[assignment]
        piece = match[0]
        found.append(Piece(kind, piece))
        at = match.end()
        if kind == "gap":
            is_spelled = is_spelled or "@" in piece
        else:  # behind a connective stands a name
            is_spelled = kind == "name" and piece.lower() in CONNECTIVES
    return found


def goes_on_with_digits(text: str) -> bool:
    """Whether a text is nothing but more of the digits before it."""
    return _MORE_DIGITS.fullmatch(text) is not None


class Waiting:
    """Text that waits for its last word to be complete: what follows may go on with it."""

    def __init__(self) -> None:
        self.text = ""
        self._tail = 0

    def __len__(self) -> int:
        return len(self.text)

    def add(self, text: str) -> str:
        """More text; all that waits up to the last place where no word or address goes on."""
        self.text += text
        tail = _tail(text)
        self._tail = self._tail + tail if tail == len(text) else tail
        return self.text[: len(self.text) - self._tail]

    def take(self, length: int) -> None:
        """So much from the beginning waits no more."""
        self.text = self.text[length:]
        self._tail = min(self._tail, len(self.text))

    def take_all(self) -> str:
        """Nothing waits any more."""
        text = self.text
        self.take(len(text))
        return text


def _tail(text: str) -> int:
    """How many characters at the end belong to what may stand beside them."""
    end = len(text)
    while end and _is_bound(text[end - 1]):
        end -= 1
    return len(text) - end


def _is_bound(char: str) -> bool:
    if char >= _FIRST_BEYOND:
        return char.isdigit()
    return _BOUND.match(char) is not None
