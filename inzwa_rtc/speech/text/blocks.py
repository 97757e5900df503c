"""Markdown, line by line: headings, lists, quotes, tables and code blocks become lines to say.

Read by own rules and not by a Markdown library: a reply comes in parts that end anywhere, each
character must keep its place in the text, and 50,000 characters are read as they are spoken, none
of which a parser of whole documents gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from inzwa_rtc.speech.text.rules import CodeBlocks
from inzwa_rtc.speech.text.tracked import Edit, Tracked

HEADING_PAUSE_MS = 400
PARAGRAPH_PAUSE_MS = 300
ITEM_PAUSE_MS = 200
ROW_PAUSE_MS = 200
BREAK_PAUSE_MS = 600

# A line without an end is worked on in parts of this many characters, so that memory stays flat.
MAX_LINE_CHARS = 2000

_FENCE = re.compile(r"[ \t>]*(?P<fence>`{3,}|~{3,})(?P<info>[^`\n]*)$")
_QUOTE = re.compile(r"(?:[ \t]{0,8}>[ \t]?){1,20}")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}(?:[ \t]+|$)")
_ITEM = re.compile(
    r"[ \t]{0,20}(?:[-*+•‣◦·–][ \t]+(?:\[[ xX]\][ \t]+)?|(?P<number>\d{1,9})(?P<mark>[.)])[ \t]+)"
)
_BREAK = re.compile(
    r"[ \t]*(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,}|=+[ \t]*|-+[ \t]*)$"
)
_DELIMITERS = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_REFERENCE = re.compile(r"[ \t]{0,3}\[[^\]\n]{1,200}\]:[ \t]*\S")
_PIPE = re.compile(r"(?<!\\)[ \t]{0,5}\|[ \t]{0,5}")
_CLOSING_HASHES = re.compile(r"[ \t]#+[ \t]*$")
_SENTENCE_END = ".!?…:;。！？؟।"


@dataclass(frozen=True, slots=True)
class Line:
    """A line to say. `before_ms` and `after_ms`: silence that sets it apart from what stands
    before and after it; None where it reads on in one sentence."""

    text: Tracked
    before_ms: int | None = None
    after_ms: int | None = None


class Blocks:
    """Knows, between the parts of a text, whether a line or a code block is open."""

    def __init__(self, code_blocks: CodeBlocks, code_notice: str) -> None:
        self._code_blocks = code_blocks
        self._notice = code_notice
        self._fence = ""
        self._in_table = False
        self._at_line_start = True

    def lines(self, text: str) -> Iterator[Line]:
        """The lines of a part of the text, one after another."""
        at = 0
        while at < len(text):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            yield from self._line(text, at, end)
            self._at_line_start = end < len(text)
            at = end + 1

    def _line(self, text: str, start: int, end: int) -> Iterator[Line]:
        if self._at_line_start:
            # Only the beginning tells what a line is; a fence and a table's rule are short.
            head = text[start : min(end, start + 300)].rstrip("\r")
            if self._is_fence(head) or self._fence:
                yield from self._code(text, start, end, head)
                return
            yield from self._block(text, start, end, head)
        elif self._fence:
            yield from self._code(text, start, end, "")
        else:
            yield from _said(text, start, end)

    def _is_fence(self, head: str) -> bool:
        return _FENCE.match(head) is not None

    def _code(self, text: str, start: int, end: int, head: str) -> Iterator[Line]:
        match = _FENCE.match(head)
        if match and not self._fence:
            self._fence = match["fence"]
            if self._code_blocks == "announce" and self._notice:
                notice = Tracked.all_for(self._notice, start, end)
                yield Line(notice, PARAGRAPH_PAUSE_MS, PARAGRAPH_PAUSE_MS)
        elif match and match["fence"].startswith(self._fence) and not match["info"].strip():
            self._fence = ""
        elif self._code_blocks == "read":
            yield from _said(text, start, end, ITEM_PAUSE_MS, ITEM_PAUSE_MS)

    def _block(self, text: str, start: int, end: int, head: str) -> Iterator[Line]:
        quote = _QUOTE.match(head)
        if quote:
            start += quote.end()
            head = head[quote.end() :]
        if not head.strip():
            self._in_table = False
            yield Line(Tracked.of(text, end, end), PARAGRAPH_PAUSE_MS)
        elif _BREAK.match(head):
            yield Line(Tracked.of(text, end, end), BREAK_PAUSE_MS if len(head.strip()) > 2 else 0)
        elif match := _HEADING.match(head):
            title = _CLOSING_HASHES.search(text[end - min(20, end - start) : end])
            cut = end - len(title.group()) if title else end
            yield from _said(text, start + match.end(), cut, PARAGRAPH_PAUSE_MS, HEADING_PAUSE_MS)
        elif self._is_row(text, head, end):
            yield from self._row(text, start, end, head)
        elif match := _ITEM.match(head):
            # The number of an item is said, its bullet is not.
            at = start + (match.end() if match["number"] is None else match.start("number"))
            yield from _said(text, at, end, ITEM_PAUSE_MS)
        elif _REFERENCE.match(head):
            return  # where a link leads to, which is not said
        elif head.endswith(("  ", "\\")):
            yield from _said(text, start, end, None, 0)
        else:
            yield from _said(text, start, end)

    def _is_row(self, text: str, head: str, end: int) -> bool:
        if "|" not in head:
            self._in_table = False
        elif head.lstrip().startswith("|"):
            self._in_table = True
        elif not self._in_table:
            after = text[end + 1 : end + 301].partition("\n")[0]
            self._in_table = "|" in after and _DELIMITERS.match(after) is not None
        return self._in_table

    def _row(self, text: str, start: int, end: int, head: str) -> Iterator[Line]:
        if _DELIMITERS.match(head):
            return
        for line in _said(text, start, end, 0, ROW_PAUSE_MS):
            row = line.text
            at_end = len(row.text.rstrip())
            cells = row.edited(
                Edit(one.start(), one.end(), ", " if one.start() > 0 and one.end() < at_end else "")
                for one in _PIPE.finditer(row.text)
            )
            yield Line(cells, line.before_ms, line.after_ms)


def _said(
    text: str, start: int, end: int, before_ms: int | None = None, after_ms: int | None = None
) -> Iterator[Line]:
    """The characters from `start` to `end` as lines to say, in parts where they are many. The
    line's end comes along: it parts the words of two lines."""
    end += text[end : end + 1] == "\n"
    while end - start > MAX_LINE_CHARS:
        space = text.rfind(" ", start, start + MAX_LINE_CHARS)
        cut = space + 1 if space > start else start + MAX_LINE_CHARS
        yield Line(Tracked.of(text, start, cut), before_ms)
        start, before_ms = cut, None
    yield Line(Tracked.of(text, start, end), before_ms, after_ms)
