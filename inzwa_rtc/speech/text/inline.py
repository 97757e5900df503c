"""What Markdown and HTML put inside a line: emphasis, links, code, tags, character names."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from inzwa_rtc.speech.text.tracked import Edit, Tracked

# Lengths are bounded everywhere, so that any text takes linear time.
_LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>[^\[\]]{0,500})\](?:\((?P<target>[^()\s]{0,1000}"
    r"(?:\([^()\s]{0,200}\)[^()\s]{0,200})?)(?:[ \t]{1,5}\"[^\"]{0,300}\")?[ \t]{0,5}\)"
    r"|\[[^\[\]]{0,100}\])"
)
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]{1,50}\]:?")
_SELF = re.compile(
    r"<(?P<address>(?:https?://|mailto:)[^\s<>]{1,1000}|[^\s<>@]{1,64}@[^\s<>@]{1,255})>"
)
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9-]{0,30}(?:\s[^<>]{0,500})?/?>|<!--[^<>]{0,500}-->")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_BREAKING = re.compile(r"</?(?:br|p|div|li|tr|h[1-6]|hr|td|th)\b", re.IGNORECASE)
_CODE = re.compile(r"`{1,3}")
_ESCAPE = re.compile(r"\\(?=[!-/:-@\[-`{-~])|\\$")
_STRONG = re.compile(r"\*{2,}|~~|__(?=\w)|(?<=\w)__|==(?=\w)|(?<=\w)==")
# A single mark on one side of a word: `*so*`, `_so_`, but not `2 * 3` nor `snake_case`.
_EMPHASIS = re.compile(r"(?<![\w*])[*_](?=[^\s*_])|(?<=[^\s*_])[*_](?![\w*])")


def plain(line: Tracked) -> Tracked:
    """The line as it would be shown, without its marks."""
    text = line.text
    if not any(mark in text for mark in "[<&`\\*_~="):
        return line
    for edits in (_links, _tags, _marks):
        line = line.edited(edits(line.text))
    return line


def _links(text: str) -> Iterator[Edit]:
    """A link is its text, an image its description; where they lead is not said."""
    if "[" not in text:
        return
    at = 0
    for match in sorted(
        [*_LINK.finditer(text), *_FOOTNOTE.finditer(text)], key=lambda one: one.start()
    ):
        if match.start() < at:
            continue
        at = match.end()
        if match.re is _FOOTNOTE:
            yield Edit(match.start(), match.end(), "")
            continue
        yield Edit(match.start(), match.start("text"), "")
        if not match["text"] and match["target"] and not match["image"]:
            yield Edit(match.start("text"), match.end(), match["target"])
        else:
            yield Edit(match.end("text"), match.end(), "")


def _tags(text: str) -> Iterator[Edit]:
    if "<" not in text:
        return
    at = 0
    for match in sorted([*_SELF.finditer(text), *_TAG.finditer(text)], key=lambda one: one.start()):
        if match.start() < at:
            continue
        at = match.end()
        if match.re is _SELF:
            yield Edit(match.start(), match.start() + 1, "")
            yield Edit(match.end() - 1, match.end(), "")
        else:
            yield Edit(match.start(), match.end(), ", " if _BREAKING.match(match.group()) else "")


def _marks(text: str) -> Iterator[Edit]:
    at = 0
    found = [
        match
        for pattern in (_ENTITY, _CODE, _ESCAPE, _STRONG, _EMPHASIS)
        for match in pattern.finditer(text)
    ]
    for match in sorted(found, key=lambda one: one.start()):
        if match.start() < at:
            continue
        at = match.end()
        if match.re is _ENTITY:
            character = html.unescape(match.group())
            if character != match.group():
                yield Edit(match.start(), match.end(), character)
        elif match.re is _ESCAPE:
            at += 1  # what is escaped is no mark
            yield Edit(match.start(), match.end(), "")
        else:
            yield Edit(match.start(), match.end(), "")
