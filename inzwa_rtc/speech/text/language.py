"""How a language says figures and signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from inzwa_rtc.speech.text.expansion import Rule


@dataclass(frozen=True, slots=True)
class Language:
    """The rules of a language, first ones first. `signs` are words for single characters,
    `code_notice` is said in place of a block of code, `cardinal` and `ordinal` say whole numbers.
    A language without words for something leaves it empty."""

    tag: str
    rules: Sequence[Rule] = ()
    signs: Mapping[str, str] = field(default_factory=dict)
    code_notice: str = ""
    cardinal: Callable[[int], str] | None = None
    ordinal: Callable[[int], str] | None = None
