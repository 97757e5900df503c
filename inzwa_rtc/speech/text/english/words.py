"""What English writes short with letters: abbreviations, capitals, Roman numerals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from inzwa_rtc.speech.text.english.figures import Figures
from inzwa_rtc.speech.text.expansion import Rule, Said, rule
from inzwa_rtc.speech.text.tracked import Edit

_ROMAN = r"(?P<roman>(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3}))(?![\w.'-])"
_VALUES = {"I": 1, "V": 5, "X": 10}
_VOWEL = re.compile(r"[AEIOUY]")


def words(figures: Figures, data: dict[str, Any]) -> Iterator[Rule]:
    yield from _romans(figures, data["roman"])
    yield from _abbreviations(data)
    yield from _initials()
    yield _capitals(data["capitals"])


def _romans(figures: Figures, data: dict[str, list[str]]) -> Iterator[Rule]:
    def behind(names: str, say: Any) -> Rule:
        return rule(
            rf"(?<!\w)(?:{names})\s{_ROMAN}",
            lambda match: Edit(
                match.start("roman"), match.end("roman"), say(_roman(match["roman"]))
            ),
        )

    yield behind("|".join(data["numbered"]), figures.cardinal)
    # "I" behind a name is the speaker more often than the first of that name.
    yield rule(
        rf"(?<!\w)(?:{'|'.join(data['rulers'])})\s(?!I\s){_ROMAN}",
        lambda match: Edit(
            match.start("roman"),
            match.end("roman"),
            f"the {figures.ordinal(_roman(match['roman']))}",
        ),
    )


def _roman(numeral: str) -> int:
    values = [_VALUES[letter] for letter in numeral]
    return sum(
        -value if value < max(values[i:], default=0) else value for i, value in enumerate(values)
    )


def _abbreviations(data: dict[str, Any]) -> Iterator[Rule]:
    short = data["abbreviations"]
    any_of = "|".join(re.escape(one) for one in sorted(short, key=len, reverse=True))

    def full(match: re.Match[str]) -> Said:
        word: str = short.get(match["short"]) or short[match["short"].lower()]
        # The full stop ends a sentence as well, where nothing follows it.
        return word + "." if match["last"] is not None else word

    known = "|".join({any_of, *(re.escape(one.capitalize()) for one in short if one.islower())})
    yield rule(rf"(?<![\w.])(?P<short>{known})\.(?P<last>\s*$)?(?![\w])", full)
    yield rule(r"(?<!\w)St\.(?=\s[A-Z])", lambda match: "Saint")
    yield rule(r"(?<=[A-Za-z]\s)St\.(?!\s[A-Z])", lambda match: "Street")
    before = data["before_number"]
    any_of = "|".join(re.escape(one) for one in sorted(before, key=len, reverse=True))
    yield rule(
        rf"(?<![\w.])(?P<short>{any_of})\.[\u0020\xa0]?(?=\d)",
        lambda match: f"{before[match['short']]} ",
    )
    yield rule(r"(?<!\w)\#(?=\d)", lambda match: "number ")
    yield rule(r"(?<!\w)\#(?=[A-Za-z])", lambda match: "hashtag ")
    yield rule(r"(?<!\w)w/o(?!\w)", lambda match: "without")
    yield rule(r"(?<=\w)/(?=[A-Za-z])", lambda match: " slash ")


def _initials() -> Iterator[Rule]:
    """ "J. K. Rowling", "the U.S.", "the U.K. government": letters, no full stops."""
    yield rule(
        r"(?<![\w.])(?P<letters>(?:[A-Z]\.){2,8})(?P<last>\s*$)?(?!\w)",
        lambda match: (
            " ".join(match["letters"].replace(".", "")) + ("." if match["last"] is not None else "")
        ),
    )
    yield rule(
        r"(?<![\w.])[A-Z]\.(?=\s(?:[A-Z]\.|[A-Z][a-z]))",
        lambda match: match.group()[0] if match.group() != "I." else None,
    )


def _capitals(data: dict[str, list[str]]) -> Rule:
    as_words = {*data["words"], *data["plain"]}
    spelled = set(data["spelled"])

    def letters(match: re.Match[str]) -> Said:
        word = match["word"]
        if word in as_words or _is_shouted(match.string):
            return None
        if len(word) > 3 and word not in spelled and _VOWEL.search(word):
            return None
        said = " ".join(word)
        return f"{said}'s" if match["many"] else said

    return rule(r"(?<![\w'])(?P<word>[A-Z]{2,6})(?P<many>s)?(?![\w])", letters)


def _is_shouted(text: str) -> bool:
    """A whole sentence in capitals has no acronyms that one could tell."""
    head = text[:1000]
    return len(head) > 12 and " " in head.strip() and not any(sign.islower() for sign in head)
