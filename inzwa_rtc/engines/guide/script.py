"""The script of the guide: what it understands and what it says, read from YAML.

The recogniser reads the same file, so that it knows every phrase.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from inzwa_rtc.engines.guide.phrases import NUMBER, Spoken, bare, expand, read
from inzwa_rtc.errors import ConfigError

GUIDE = Path(__file__).with_name("en.yaml")
MAX_BYTES = 1024 * 1024

Skill = Literal[
    "add", "subtract", "subtract_from", "multiply", "divide",
    "count_to", "count_between", "repeat", "another",
]  # fmt: skip
Texts = Annotated[tuple[str, ...], Field(min_length=1)]

_CLOCK = frozenset(("time", "date", "day"))
_SUM = frozenset(("a", "b", "answer"))
# What each skill fills in, how many numbers its phrases hold, and which special replies it needs.
_SKILLS: dict[Skill | None, tuple[frozenset[str], int | None, frozenset[str]]] = {
    None: (frozenset(), None, frozenset()),
    "add": (_SUM, 2, frozenset()),
    "subtract": (_SUM, 2, frozenset()),
    "subtract_from": (_SUM, 2, frozenset()),
    "multiply": (_SUM, 2, frozenset()),
    "divide": (_SUM, 2, frozenset(("by_zero",))),
    "count_to": (frozenset(("count",)), 1, frozenset(("too_many",))),
    "count_between": (frozenset(("count",)), 2, frozenset(("too_many",))),
    "repeat": (frozenset(("again",)), 0, frozenset(("nothing_said",))),
    "another": (frozenset(("again",)), None, frozenset(("nothing_said",))),
}


def _lines(value: Any) -> Any:
    return (
        [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else value
    )


class Intent(BaseModel):
    """One thing that a caller may want: how it is said, and what is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phrases: Annotated[Texts, BeforeValidator(_lines)]
    """One phrase per line: `[optional words]`, `(one|or another)`, `{number}`."""
    replies: Texts
    """One of them is spoken. `{time}`, `{date}`, `{day}` and the skill's values are filled in."""
    skill: Skill | None = None
    """What the server works out for the reply."""
    special: dict[str, Texts] = {}
    """Replies for when the skill cannot do what was asked."""
    asks: str | None = None
    """The tool that is asked in place of a reply, where one of this name is offered."""
    tool: Literal["hang_up"] | None = None
    """What is done once the reply was spoken."""

    @model_validator(mode="after")
    def _fits_its_skill(self) -> Intent:
        values, _, special = _SKILLS[self.skill]
        if set(self.special) != special:
            raise ValueError(
                f"special must have exactly: {', '.join(sorted(special)) or 'nothing'}"
            )
        for reply in (*self.replies, *(text for texts in self.special.values() for text in texts)):
            named = {name for _, name, _, _ in string.Formatter().parse(reply) if name is not None}
            if unknown := named - values - _CLOCK:
                raise ValueError(f"a reply asks for {{{unknown.pop()}}}, which nothing fills in")
        return self


class Script(BaseModel):
    """A whole script. Intents are named; a phrase belongs to one intent only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: dict[str, Texts] = {}
    """Pronunciations in ARPAbet of words that the recogniser's dictionary lacks."""
    intents: dict[str, Intent] = {}
    fallback: tuple[str, ...] = ()
    """Said when nothing fits."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One way to say an intent: as it is spoken, and in the common form of `phrases.read`."""

    intent: str
    text: str
    spoken: Spoken


def load(script: Path | None = None, extra: Path | None = None) -> Script:
    """Read `script` (without it the shipped guide) and lay `extra` on top.

    An intent of the same name gets the extra phrases and has its replies
    replaced; other intents, words and fallback texts are added. Raises
    `ConfigError` naming the file and the place in it.
    """
    base = _read(script or GUIDE)
    if not base.intents or not base.fallback:
        raise ConfigError(f"{script or GUIDE} needs `intents` and `fallback`.")
    _claims(base, str(script or GUIDE))
    return _lay_over(base, _read(extra), str(extra)) if extra else base


def phrases(script: Script) -> Iterator[Phrase]:
    """Every phrase of the script, all choices written out."""
    for name, intent in script.intents.items():
        for written in intent.phrases:
            for text in expand(written):
                yield Phrase(name, text, _read_phrase(text))


def _lay_over(base: Script, top: Script, file: str) -> Script:
    claimed = _claims(top, file)
    intents = {name: _without(intent, name, claimed) for name, intent in base.intents.items()}
    for name, intent in top.intents.items():
        below = intents.get(name)
        if below is not None:
            intent = intent.model_copy(update={"phrases": (*below.phrases, *intent.phrases)})
        intents[name] = intent
    kept = {name: intent for name, intent in intents.items() if intent.phrases}
    return Script(
        words={**base.words, **top.words},
        intents=kept,
        fallback=(*base.fallback, *top.fallback),
    )


def _without(intent: Intent, name: str, claimed: dict[tuple[str, ...], str]) -> Intent:
    """The intent without the phrases that a file on top gives to another one."""
    kept = []
    for written in intent.phrases:
        ways = list(expand(written))
        free = [way for way in ways if claimed.get(_key(way), name) == name]
        kept += [written] if len(free) == len(ways) else free
    return intent.model_copy(update={"phrases": tuple(kept)})


def _claims(script: Script, file: str) -> dict[tuple[str, ...], str]:
    """Which intent each phrase belongs to. Raises `ConfigError` where two claim one."""
    claimed: dict[tuple[str, ...], str] = {}
    for name, intent in script.intents.items():
        _, numbers, _ = _SKILLS[intent.skill]
        for written in intent.phrases:
            try:
                ways = list(expand(written))
            except ValueError as error:
                raise ConfigError(f"{file}: intents.{name}.phrases: {written!r} {error}.") from None
            for way in ways:
                if numbers not in {None, len(_read_phrase(way).numbers)}:
                    raise ConfigError(
                        f"{file}: intents.{name}.phrases: {written!r} must hold "
                        f"{numbers} numbers, as its skill needs."
                    )
                owner = claimed.setdefault(_key(way), name)
                if owner != name:
                    raise ConfigError(
                        f"{file}: intents.{name}.phrases: {way!r} belongs to {owner} already.",
                        action="Remove it from one of the two.",
                    )
    return claimed


def _key(phrase: str) -> tuple[str, ...]:
    return bare(_read_phrase(phrase).words)


def _read_phrase(phrase: str) -> Spoken:
    return read(phrase.replace(NUMBER, "seven"))


def _read(file: Path) -> Script:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{file} is larger than {MAX_BYTES} bytes.")
        text = file.read_text(encoding="utf-8")
        # Aliases can make a small file expand without bound, and no script needs one.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise ConfigError(f"{file} uses YAML aliases.", action="Write the texts out.")
        return Script.model_validate(yaml.safe_load(text) or {})
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The script {file} cannot be read: {error}.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is not valid YAML: {error}") from None
    except ValidationError as error:
        places = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}"
            for item in error.errors(include_url=False)
        )
        raise ConfigError(f"{file}: {places}.", action="See docs/assistant.md.") from None
