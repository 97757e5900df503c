"""What the recogniser can understand: sentences to learn from, and how their words sound.

Both come from the guide's script, so a phrase added there is recognised too.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from inzwa_rtc.engines.guide.numbers import spell
from inzwa_rtc.engines.guide.phrases import NUMBER
from inzwa_rtc.engines.guide.script import Script, phrases
from inzwa_rtc.errors import ConfigError

_NUMBERS_PER_PHRASE = 12
_TIMES_PER_PHRASE = 4  # a phrase without numbers weighs about as much as one with them


def sentences(script: Script) -> list[str]:
    """Every phrase in words; those with numbers with a fair choice of them.

    The choice is always the same for the same script.
    """
    chance = random.Random(16_000)
    numbers = _numbers(chance)
    made: list[str] = []
    for phrase in phrases(script):
        if NUMBER not in phrase.text:
            made += [phrase.text] * _TIMES_PER_PHRASE
            continue
        for _ in range(_NUMBERS_PER_PHRASE):
            text = phrase.text
            while NUMBER in text:
                text = text.replace(NUMBER, next(numbers), 1)
            made.append(text)
    return made


def pronunciations(
    words: Iterable[str], own: Mapping[str, Iterable[str]], dictionary: Path
) -> dict[str, list[str]]:
    """How each of the words sounds, one string of phones for each way to say it.

    Raises `ConfigError` naming the words that neither the script nor the
    dictionary (a CMU dictionary file) knows.
    """
    wanted = set(words)
    sounds = {word: list(own[word]) for word in wanted if word in own}
    with dictionary.open(encoding="utf-8") as lines:
        for line in lines:
            entry, _, phones = line.strip().partition(" ")
            word = entry.partition("(")[0]
            if word in wanted and word not in own:
                sounds.setdefault(word, []).append(phones.strip())
    if missing := sorted(wanted - sounds.keys()):
        raise ConfigError(
            f"PocketSphinx cannot pronounce: {', '.join(missing)}.",
            action="Add them under `words:` in the script, or write the phrase differently.",
        )
    return sounds


def _numbers(chance: random.Random) -> Iterator[str]:
    """Numbers as people say them in sums: mostly small, now and then in the thousands."""
    while True:
        ceiling = chance.choices((12, 20, 100, 1000, 10_000), (40, 20, 30, 7, 3))[0]
        number = chance.randint(0, ceiling)
        yield spell(number - number % 100 if ceiling > 1000 else number)
