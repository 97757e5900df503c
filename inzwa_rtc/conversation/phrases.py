"""Cuts a stream of tokens into phrases that can be spoken one after another.

The first phrase is cut at the first clause, so that speech starts early; later
ones at sentences, or at clauses once they are long enough to sound natural.
No character is lost: joined, the phrases are the text.
"""

from __future__ import annotations

import re

FIRST_PHRASE_CHARS = 8  # "Hello, " alone would be followed by a gap while more is made
CLAUSE_CHARS = 40
MAX_PHRASE_CHARS = 200
WAIT_S = 0.8  # a slow model without punctuation: speak the words that there are
WAIT_CHARS = 20  # but never word by word

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|\n")
_CLAUSE_END = re.compile(r"[,;:–—]+[\"'”’)\]]*(?=\s)")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|[A-Z])\.$")


class PhraseCutter:
    """Feed tokens; take phrases. Synchronous; time is an argument, in seconds."""

    def __init__(self) -> None:
        self._buffer = ""
        self._count = 0
        self._begun_at = 0.0

    @property
    def deadline(self) -> float | None:
        """When to call `on_time` unless a token comes first; None while nothing can be cut."""
        return self._begun_at + WAIT_S if self._last_space() >= WAIT_CHARS else None

    def feed(self, token: str, now: float) -> list[str]:
        """Add a token; return the phrases it completes."""
        if not self._buffer:
            self._begun_at = now
        self._buffer += token
        phrases = []
        while cut := self._cut():
            phrases.append(self._take(cut))
            self._begun_at = now
        return phrases

    def on_time(self, now: float) -> list[str]:
        """The phrase has been growing for a while: take all its whole words."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return []
        self._begun_at = now
        return [self._take(self._last_space())]

    def flush(self) -> list[str]:
        """The stream is over: what is left."""
        return [self._take(len(self._buffer))] if self._buffer else []

    def _take(self, cut: int) -> str:
        phrase, self._buffer = self._buffer[:cut], self._buffer[cut:]
        self._count += bool(phrase.strip())
        return phrase

    def _cut(self) -> int:
        """Where the first phrase of the buffer ends, 0 while it is incomplete."""
        least = CLAUSE_CHARS if self._count else FIRST_PHRASE_CHARS
        # No further than a phrase can reach: however long a token is, this stays linear.
        for end in _ends(self._buffer[: MAX_PHRASE_CHARS + 1]):
            is_clause = self._buffer[end - 1] not in ".!?…\n\"'”’)]"
            if is_clause and end < least:
                continue
            if self._buffer[:end].strip() and not _ABBREVIATION.search(self._buffer[:end]):
                return self._with_space(end)
        if len(self._buffer) > MAX_PHRASE_CHARS:
            return self._last_space(MAX_PHRASE_CHARS) or MAX_PHRASE_CHARS
        return 0

    def _with_space(self, end: int) -> int:
        while end < len(self._buffer) and self._buffer[end].isspace():
            end += 1
        return end

    def _last_space(self, before: int | None = None) -> int:
        head = self._buffer[:before]
        cut = next((i + 1 for i in range(len(head) - 1, -1, -1) if head[i].isspace()), 0)
        return cut if head[:cut].strip() else 0


def _ends(text: str) -> list[int]:
    matches = [*_SENTENCE_END.finditer(text), *_CLAUSE_END.finditer(text)]
    return sorted(match.end() for match in matches)
