"""Gathers lines into sentences, words them, and gives them out in pieces of a size."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from inzwa_rtc.speech.piece import Piece
from inzwa_rtc.speech.text.blocks import Line
from inzwa_rtc.speech.text.sentences import LEAST_CLAUSE_CHARS, first_clause, fitting, sentences
from inzwa_rtc.speech.text.tracked import Tracked, joined

# So much is looked at together, to find where sentences end. The first look is short, so that
# the first sound does not wait for it.
FIRST_LOOK_CHARS = 300
LOOK_CHARS = 2000
# A sentence below this is spoken together with the next one: "No." alone sounds cut off.
SHORT_CHARS = 25
MERGED_CHARS = 160

MAX_PAUSE_MS = 10_000  # however many breaks stand side by side

_WORD = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a stretch of text is spoken."""

    language: str
    speed: float = 1.0
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class _Part:
    text: Tracked
    manner: Manner
    pause_ms: int = 0
    is_whole: bool = False  # nothing is added to it

    def piece(self) -> Piece:
        manner = self.manner
        return Piece(
            self.text.text,
            manner.language,
            self.text.spans(),
            manner.speed,
            manner.gain_db,
            self.pause_ms,
        )


class Flow:
    """Lines in, pieces out. `worded` says a sentence as it is spoken in a language."""

    def __init__(self, worded: Callable[[Tracked, str], Tracked]) -> None:
        self._worded = worded
        self._lines: list[Tracked] = []
        self._chars = 0
        self._manner = Manner("")
        self._held: _Part | None = None  # waits for the pause behind it, or for a short neighbour
        self._has_begun = False
        self._limit = 0

    def limit(self, limit: int) -> None:
        self._limit = limit

    def add(self, line: Line, manner: Manner) -> Iterator[Piece]:
        """The pieces that a line completes."""
        if line.before_ms is not None:
            yield from self.close(line.before_ms)
        if manner != self._manner:
            yield from self._flush()
            self._manner = manner
        if len(line.text):
            self._lines.append(line.text)
            self._chars += len(line.text)
        if self._chars > (LOOK_CHARS if self._has_begun else FIRST_LOOK_CHARS):
            yield from self._complete()
        if line.after_ms is not None:
            yield from self.close(line.after_ms)

    def close(self, pause_ms: int) -> Iterator[Piece]:
        """A block ends here: what stands before is a sentence, with a pause after it."""
        if self._lines and (self._lines[-1].text.rstrip()[-1:] or ",").isalnum():
            last = self._lines[-1]
            self._lines.append(Tracked.all_for(".", last.ends[-1], last.ends[-1]))
        yield from self._flush()
        if self._held:
            self._held = replace(self._held, pause_ms=max(self._held.pause_ms, pause_ms))

    def pause(self, pause_ms: int) -> Iterator[Piece]:
        """Silence that the text asks for; adds to what is there."""
        yield from self._flush()
        if self._held is None and pause_ms:
            self._held = _Part(Tracked("", [], []), self._manner)
        if self._held:
            pause_ms = min(self._held.pause_ms + pause_ms, MAX_PAUSE_MS)
            self._held = replace(self._held, pause_ms=pause_ms)

    def end(self) -> Iterator[Piece]:
        """All that is left. What comes next may go on in the same sentence."""
        yield from self._flush()
        if self._held:
            yield self._held.piece()
            self._held = None

    def _taken(self) -> Tracked:
        text = joined(self._lines)
        self._lines, self._chars = [], 0
        return text

    def _flush(self) -> Iterator[Piece]:
        if self._lines:
            for sentence in sentences(self._taken(), self._manner.language):
                yield from self._push(sentence)

    def _complete(self) -> Iterator[Piece]:
        """The sentences that are whole by now; the last one may go on."""
        found = list(sentences(self._taken(), self._manner.language))
        rest = found.pop() if found else Tracked("", [], [])
        for sentence in found:
            yield from self._push(sentence)
        if len(rest) > LOOK_CHARS:  # a sentence without an end: in parts, as it is said
            cut = rest.text.rfind(" ", 0, LOOK_CHARS) + 1 or LOOK_CHARS
            yield from self._push(rest[:cut])
            rest = rest[cut:]
        if len(rest):
            self._lines, self._chars = [rest], len(rest)

    def _push(self, sentence: Tracked) -> Iterator[Piece]:
        spoken = self._worded(sentence, self._manner.language)
        if not _WORD.search(spoken.text):
            return
        if not self._has_begun:
            self._has_begun = True
            cut = first_clause(spoken) or len(spoken)
            yield from self._parts(spoken[:cut], is_whole=cut >= LEAST_CLAUSE_CHARS)
            spoken = spoken[cut:]
            if not _WORD.search(spoken.text):
                return
        yield from self._parts(spoken, is_whole=False)

    def _parts(self, spoken: Tracked, is_whole: bool) -> Iterator[Piece]:
        for text in fitting(spoken, self._limit):
            part = _Part(text, self._manner, is_whole=is_whole)
            held = self._held
            if held and self._goes_with(held, part):
                self._held = _Part(joined((held.text, _space(held.text), text)), held.manner)
                continue
            if held:
                yield held.piece()
            self._held = part

    def _goes_with(self, held: _Part, part: _Part) -> bool:
        chars = len(held.text) + 1 + len(part.text)
        return (
            not held.is_whole
            and not held.pause_ms
            and held.manner == part.manner
            and min(len(held.text), len(part.text)) < SHORT_CHARS
            and chars <= min(self._limit, MERGED_CHARS)
        )


def _space(after: Tracked) -> Tracked:
    return Tracked.all_for(" ", after.ends[-1], after.ends[-1])
