"""Text that remembers, through every rewriting, where it comes from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from inzwa_rtc.speech.piece import Span

# Scripts written without spaces: each character is a word of its own.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}](?:[^\s{_CJK}]*[^\W_{_CJK}])?")


class Edit(NamedTuple):
    """Put `text` in the place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Tracked:
    """Each character of `text` stands for `starts[i]` to `ends[i]` of the source."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def of(cls, source: str, start: int = 0, end: int | None = None) -> Tracked:
        """A part of the source, as it stands there."""
        end = len(source) if end is None else end
        return cls(source[start:end], range(start, end), range(start + 1, end + 1))

    @classmethod
    def all_for(cls, text: str, start: int, end: int) -> Tracked:
        """A text of its own, all of which stands for one place in the source."""
        return cls(text, [start] * len(text), [end] * len(text))

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, part: slice) -> Tracked:
        return Tracked(self.text[part], self.starts[part], self.ends[part])

    def __add__(self, other: Tracked) -> Tracked:
        return joined((self, other))

    def edited(self, edits: Iterable[Edit]) -> Tracked:
        """The text with these edits made, which are in order and do not overlap. What an edit
        puts in stands for all that it takes out."""
        texts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for edit in edits:
            texts += (self.text[at : edit.start], edit.text)
            starts += self.starts[at : edit.start]
            ends += self.ends[at : edit.start]
            first, last = self._place(edit.start, edit.end)
            starts += [first] * len(edit.text)
            ends += [last] * len(edit.text)
            at = edit.end
        if not texts:
            return self
        texts.append(self.text[at:])
        starts += self.starts[at:]
        ends += self.ends[at:]
        return Tracked("".join(texts), starts, ends)

    def _place(self, start: int, end: int) -> tuple[int, int]:
        if start < end:
            return self.starts[start], self.ends[end - 1]
        if start:  # an insertion: right behind what stands before it
            return self.ends[start - 1], self.ends[start - 1]
        place = self.starts[0] if len(self) else 0
        return place, place

    def stripped(self) -> Tracked:
        text = self.text.strip()
        start = len(self.text) - len(self.text.lstrip())
        return self[start : start + len(text)]

    def spans(self) -> tuple[Span, ...]:
        """The words and their places in the source. Words that stand for one place together
        (the four of "105") are one span."""
        spans: list[Span] = []
        for match in _WORD.finditer(self.text):
            start, end = match.start(), _with_marks(self.text, match.end())
            if end <= start:
                continue
            source = (self.starts[start], self.ends[end - 1])
            if spans and source[0] < spans[-1].source_end:
                before = spans.pop()
                start = before.start
                source = (before.source_start, max(before.source_end, source[1]))
            spans.append(Span(start, end, *source))
        return tuple(spans)


def joined(parts: Iterable[Tracked]) -> Tracked:
    """The parts, one after another."""
    texts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for part in parts:
        texts.append(part.text)
        starts += part.starts
        ends += part.ends
    return Tracked("".join(texts), starts, ends)


def _with_marks(text: str, end: int) -> int:
    """Vowel signs and accents belong to the letter before them."""
    while end < len(text) and unicodedata.category(text[end])[0] == "M":
        end += 1
    return end
