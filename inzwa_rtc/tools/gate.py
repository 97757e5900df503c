"""When a tool is offered: once the caller says one of its words.

A small model that sees a tool uses it, asked or not; and each tool that is offered is a prompt
to be read before the first token. So a model sees a tool only where what the caller said is
about it. No I/O.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping


class Gate:
    """Opens at words, in whichever language they are said: callers mix theirs.

    A word stands for itself alone, not for a part of another; `*` at its beginning or end stands
    for what a language joins to it (`*naya*` for kunaya, ichanaya). Capitals and accents do not
    count. Several words in a row are one.
    """

    def __init__(self, words: Mapping[str, Iterable[str]], *, always: bool = False) -> None:
        ways = [_way(word) for several in words.values() for word in several]
        ways = [way for way in ways if way]
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(ways)})(?!\w)") if ways else None
        self._always = always

    def opens(self, text: str) -> bool:
        """Whether what the caller said is about the tool."""
        if self._always:
            return True
        return self._pattern is not None and self._pattern.search(_plain(text)) is not None


def _way(word: str) -> str:
    """A word of the settings as a pattern; empty for none."""
    begins, ends = word.startswith("*"), word.endswith("*")
    body = r"\s".join(map(re.escape, _plain(word.strip("*")).split()))
    more = r"\w*"
    return f"{more * begins}{body}{more * ends}" if body else ""


def _plain(text: str) -> str:
    """Words in small letters without accents, one space between them."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[\w']+", letters.replace("’", "'")))
