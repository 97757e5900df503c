"""Puts words in the place of what is written in figures and signs, rule by rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from inzwa_rtc.speech.text.tracked import Edit, Tracked

Said = str | Edit | None


@dataclass(frozen=True, slots=True)
class Rule:
    """Where `pattern` is found, `say` gives the words: for the whole match, for another part of
    the text (an `Edit`), or None where it is something else after all.

    Patterns take linear time on any text: what they repeat is bounded, or cannot overlap with
    what follows it."""

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], Said]


def rule(pattern: str, say: Callable[[re.Match[str]], Said], flags: int = 0) -> Rule:
    return Rule(re.compile(pattern, flags | re.VERBOSE), say)


def expanded(text: Tracked, rules: Iterable[Rule]) -> Tracked:
    """The text with every rule applied. Earlier rules go first; what one of them has worded is
    final."""
    taken = bytearray(len(text))
    edits: list[Edit] = []
    for one in rules:
        for match in one.pattern.finditer(text.text):
            said = one.say(match)
            if said is None:
                continue
            edit = said if isinstance(said, Edit) else Edit(match.start(), match.end(), said)
            if edit.start < edit.end and not any(taken[edit.start : edit.end]):
                taken[edit.start : edit.end] = b"\x01" * (edit.end - edit.start)
                edits.append(_apart(text.text, edit))
    return text.edited(sorted(edits))


def _apart(text: str, edit: Edit) -> Edit:
    """Words do not grow together with what stands beside the figures: "5kg", "B2B"."""
    before = edit.start > 0 and text[edit.start - 1].isalnum()
    after = edit.end < len(text) and text[edit.end].isalnum()
    return edit._replace(text=f"{' ' * before}{edit.text}{' ' * after}")


_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'"})
_SPACES = re.compile(r"\s{2,}|[^\S ]")
_DASH = re.compile(r"\s[-–—‒―]{1,3}(?=\s)|—|(?<=\w)--+(?=\w)|[‒―]")
_DOUBLE_QUOTES = re.compile(r"[\"“”„‟«»‹›]")
_REPEATED = re.compile(r"([!?,;:])\1+|\.{4,}|(?:[!?]{2}){2,}")
_CROWDED = re.compile(r"\s+(?=[,.;:!?…](?:\s|$))|(?<=[,;:])\s*[,;:]+|,\s*(?=[.!?;:…](?:\s|$))")
_HEAD = re.compile(r"^[\s,.;:!?…)\]-]+")
# What engines take for a sign of their own, or cannot say.
_UNSAYABLE = re.compile(r"[^\w\s.,;:!?…'()\-¿¡、。，！？；：؟،؛।॥\u0300-\u036f]")


def tidy(text: Tracked, signs: Mapping[str, str]) -> Tracked:
    """Signs that are left become words of the language or go; pauses and spaces become single."""
    text = Tracked(text.text.translate(_QUOTES), text.starts, text.ends)
    text = _replaced(text, _DASH, lambda one: ",")
    text = _replaced(text, _DOUBLE_QUOTES, lambda one: "")
    text = _replaced(text, _UNSAYABLE, lambda one: _sign(one.group(), signs))
    text = _replaced(text, re.compile("_+"), lambda one: " ")
    for _ in range(2):  # what was between two marks may be gone only now
        text = _replaced(text, _SPACES, lambda one: " ")
        text = _replaced(text, _REPEATED, _once)
        text = _replaced(text, _CROWDED, lambda one: "")
        text = _replaced(text, _HEAD, lambda one: "")
    return text.stripped()


def _sign(sign: str, signs: Mapping[str, str]) -> str:
    import unicodedata

    if unicodedata.category(sign)[0] == "M" or sign in "\u200c\u200d":
        return sign  # vowel signs of Indic scripts, joiners of Persian
    word = signs.get(sign)
    return f" {word} " if word else " "


def _once(match: re.Match[str]) -> str:
    run = match.group()
    if run[0] == ".":
        return "..."
    return "?!" if "?" in run and "!" in run else run[0]


def _replaced(
    text: Tracked, pattern: re.Pattern[str], say: Callable[[re.Match[str]], str]
) -> Tracked:
    found: Sequence[re.Match[str]] = list(pattern.finditer(text.text))
    if not found:
        return text
    return text.edited(Edit(one.start(), one.end(), say(one)) for one in found)
