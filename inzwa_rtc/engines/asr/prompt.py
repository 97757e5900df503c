"""What a Whisper model is to take for said before: a prompt that fits. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable

PROMPT_TOKENS = 223  # half of the decoder's 448, less the token that says that a prompt follows
_HALF = PROMPT_TOKENS // 2


def prompt_of(expected: Iterable[str], said: str, count: Callable[[str], int]) -> str:
    """The words to expect, then the end of what was said: as much of them as goes into
    `PROMPT_TOKENS`, in whole words. `count` tells the tokens of a text."""
    words = said.split()
    said_tokens = sum(count(f" {word}") for word in words)
    first = _fitting(expected, count, PROMPT_TOKENS - min(said_tokens, _HALF))
    room = PROMPT_TOKENS - sum(count(f" {word}") for word in first)
    return " ".join([*first, *reversed(_fitting(reversed(words), count, room))])


def _fitting(words: Iterable[str], count: Callable[[str], int], room: int) -> list[str]:
    """The first of the words, as many as have no more tokens than there is room for."""
    fitting: list[str] = []
    for word in words:
        room -= count(f" {word}")
        if room < 0:
            break
        fitting.append(word)
    return fitting
