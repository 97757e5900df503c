"""Rules as their files hold them: checked, not yet put to work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.safety.automaton import Phrase
from inzwa_rtc.safety.verdict import Category

Kind = Literal["email", "phone", "card", "ssn", "national_id"]
"""What is taken out of replies."""

KINDS: tuple[Kind, ...] = ("email", "phone", "card", "ssn", "national_id")

Line = Annotated[str, Field(min_length=1, max_length=500)]
Words = Annotated[str, Field(min_length=1, max_length=20_000)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
Checks = Literal["caller", "reply", "both"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RuleTable(_Table):
    """`[[rules]]`: what is refused."""

    name: Name
    category: Literal["violence", "hate", "illegal", "self_harm"]
    checks: Checks = "both"
    phrases: Annotated[list[Words], Field(min_length=1)]
    unless: list[Words] = []


class TopicTable(_Table):
    """`[[topics]]`: what a text may be about."""

    name: Name
    checks: Checks = "both"
    phrases: Annotated[list[Words], Field(min_length=1)]
    unless: list[Words] = []


class AnswerTable(_Table):
    """`[answers]`: what is said instead of a reply. `support` is followed by the help lines."""

    refusal: Annotated[list[Line], Field(min_length=1)]
    topic: Annotated[list[Line], Field(min_length=1)]
    support: Annotated[list[Line], Field(min_length=1)]
    help_lines: list[Line] = []


class RuleFile(_Table):
    """One file."""

    language: Annotated[str, Field(min_length=2, max_length=35)]
    words: dict[Name, Words] = {}
    fragments: dict[Name, list[Line]] = {}
    spellings: dict[str, str] = {}
    extensions: dict[str, str] = {}
    rules: list[RuleTable] = []
    topics: list[TopicTable] = []
    answers: AnswerTable | None = None
    redactions: dict[Kind, Line] = {}


@dataclass(frozen=True, slots=True)
class Rule:
    """Phrases of which none may be said; one of `unless` in the same sentence allows them."""

    name: str
    category: Category
    language: str
    source: str
    """The file that it comes from."""
    checks: Checks
    phrases: tuple[Phrase, ...]
    unless: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """Phrases that tell what a text is about; refused where the settings name it."""

    name: str
    language: str
    source: str
    checks: Checks
    phrases: tuple[Phrase, ...]
    unless: tuple[Phrase, ...] = ()


@dataclass(slots=True)
class RuleSet:
    """All files together; what comes later replaces what has the same name and language."""

    rules: dict[tuple[str, str], Rule] = field(default_factory=dict)
    topics: dict[tuple[str, str], Topic] = field(default_factory=dict)
    spellings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    extensions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    answers: dict[str, AnswerTable] = field(default_factory=dict)
    redactions: dict[str, Mapping[Kind, str]] = field(default_factory=dict)

    def phrases(self) -> Iterator[Phrase]:
        """Of all rules and topics."""
        subjects: list[Rule | Topic] = [*self.rules.values(), *self.topics.values()]
        for one in subjects:
            yield from one.phrases
            yield from one.unless
