"""Words as they are spoken, found again in the text as it was written."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from inzwa_rtc.speech.piece import Piece, Span

_BEFORE = "\"'“‘«‹([{¿¡"
_AFTER = ".,;:!?…\"'”’»›)]}。，、！？"


class SourceWords:
    """Of one text: what was told of it, so that several spoken words of one written word
    ("twenty-six" of "26") are that word, once. The signs at a word belong to it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._told = 0  # characters of the text

    def written(self, piece: Piece, offset: int, length: int) -> tuple[int, int] | None:
        """Offset and length of what `length` characters of the piece's text from `offset` on
        stand for; None where that is nothing, or was told before."""
        first = bisect_right(piece.spans, offset, key=lambda span: span.end)
        last = bisect_left(piece.spans, offset + length, key=lambda span: span.start)
        return self.of(*piece.spans[first:last])

    def of(self, *spans: Span) -> tuple[int, int] | None:
        """The same of whole spans of a piece, in order."""
        new = [span for span in spans if span.source_end > max(self._told, span.source_start)]
        if not new:
            return None
        start, end = max(self._told, new[0].source_start), new[-1].source_end
        while start > self._told and self._text[start - 1] in _BEFORE:
            start -= 1
        while end < len(self._text) and self._text[end] in _AFTER:
            end += 1
        self._told = end
        return start, end - start
