"""Reads rule files: those that come with the server, then the operator's."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.language import base_language
from inzwa_rtc.safety import english, shona
from inzwa_rtc.safety.automaton import Phrase
from inzwa_rtc.safety.pattern import Grammar, Inflect, Misspelt
from inzwa_rtc.safety.ruleset import Rule, RuleFile, RuleSet, RuleTable, Topic, TopicTable

SHIPPED = ("en.toml", "sn.toml")
LARGEST_FILE = 256 * 1024
MOST_PLACES = 20_000  # of all phrases: what a word costs grows with them
_ADVICE = "Correct the file; docs/safety.md tells how rules are written."

T = TypeVar("T")


def read(paths: Sequence[Path], *, with_shipped: bool) -> RuleSet:
    """All rules. Blocks. Raises `ConfigError`, which names the file and the place in it."""
    rules = RuleSet()
    for name, text in (*(_shipped() if with_shipped else ()), *map(_given, paths)):
        _add(rules, name, _parsed(name, text))
    if sum(len(phrase.row) for phrase in rules.phrases()) > MOST_PLACES:
        raise ConfigError(
            f"The safety rules have more than {MOST_PLACES:,} words in their phrases.",
            action="Use lists of words instead of phrases of their own.",
        )
    return rules


def _shipped() -> Iterator[tuple[str, str]]:
    folder = files(__package__) / "rules"
    for name in SHIPPED:
        yield name, (folder / name).read_text(encoding="utf-8")


def _given(path: Path) -> tuple[str, str]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(
                f"The rule file `{path}` is larger than {LARGEST_FILE // 1024} KiB.", action=_ADVICE
            )
        return str(path), path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The rule file `{path}` cannot be read: {error.strerror}.",
            action="Correct `safety.rules`.",
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"The rule file `{path}` is not UTF-8, at byte {error.start}.", action=_ADVICE
        ) from None


def _parsed(name: str, text: str) -> RuleFile:
    try:
        return RuleFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The rule file `{name}`: {error}.", action=_ADVICE) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
        raise ConfigError(
            f"The rule file `{name}`, `{place}`: {first['msg']}.", action=_ADVICE
        ) from None


def _add(rules: RuleSet, source: str, file: RuleFile) -> None:
    language = base_language(file.language)
    grammar = _grammar(source, language, file)

    def phrases(place: str, lines: Iterable[str]) -> tuple[Phrase, ...]:
        return tuple(
            _checked(source, f"{place}.{number}", partial(grammar.phrase, line))
            for number, line in enumerate(lines, 1)
        )

    def parts(kind: str, table: RuleTable | TopicTable) -> tuple[tuple[Phrase, ...], ...]:
        name = f"{kind}.{table.name}"
        return phrases(f"{name}.phrases", table.phrases), phrases(f"{name}.unless", table.unless)

    for rule in file.rules:
        told, unless = parts("rules", rule)
        rules.rules[language, rule.name] = Rule(
            rule.name, rule.category, language, source, rule.checks, told, unless
        )
    for topic in file.topics:
        told, unless = parts("topics", topic)
        rules.topics[language, topic.name] = Topic(
            topic.name, language, source, topic.checks, told, unless
        )
    rules.spellings |= {word: tuple(same.split()) for word, same in file.spellings.items()}
    rules.extensions |= {stem.strip("-"): tuple(e.split()) for stem, e in file.extensions.items()}
    if file.answers is not None:
        rules.answers[language] = file.answers
    rules.redactions[language] = {**rules.redactions.get(language, {}), **file.redactions}


def _grammar(source: str, language: str, file: RuleFile) -> Grammar:
    verb, noun = _INFLECTIONS.get(language, (_uninflected, _uninflected))
    bare = Grammar(verb, noun, {}, {})
    lists: Mapping[str, frozenset[str]] = {
        name: _checked(source, f"words.{name}", partial(bare.words, words))
        for name, words in file.words.items()
    }
    return Grammar(verb, noun, lists, file.fragments)


def _checked(source: str, place: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except Misspelt as error:
        raise ConfigError(
            f"The rule file `{source}`, `{place}`: {error}.", action=_ADVICE
        ) from None


def _uninflected(base: str) -> frozenset[str]:
    raise Misspelt(f"`{base}`: forms are made of English and Shona words alone; write each out")


_INFLECTIONS: Mapping[str, tuple[Inflect, Inflect]] = {
    "en": (english.verb, english.noun),
    "sn": (_uninflected, shona.noun),  # verbs are written by their stems
}
