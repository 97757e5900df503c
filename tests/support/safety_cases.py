"""Sentences and what becomes of them, from the tables beside the tests of safety."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inzwa_rtc.safety import Safety

TABLES = Path(__file__).parent.parent / "safety"
INNOCENT = "innocent"


@dataclass(frozen=True)
class Case:
    """A sentence, and the category for which it is refused: `innocent` for none."""

    language: str
    category: str
    text: str

    @property
    def is_innocent(self) -> bool:
        return self.category == INNOCENT


def cases(part: str, language: str) -> list[Case]:
    """Those of `cases`, which the rules are written for, or `held_out`, which they are not."""
    table = tomllib.loads((TABLES / part / f"{language}.toml").read_text(encoding="utf-8"))
    return [Case(language, category, text) for category in table for text in table[category]]


@dataclass(frozen=True)
class Score:
    """How often the rules were right. A sentence that is refused for another reason counts as
    refused."""

    wrongly_refused: Sequence[Case]
    missed: Sequence[Case]
    rightly_refused: int

    @property
    def precision(self) -> float:
        """Of what was refused, how much had to be."""
        return self.rightly_refused / (self.rightly_refused + len(self.wrongly_refused))

    @property
    def recall(self) -> float:
        """Of what had to be refused, how much was."""
        return self.rightly_refused / (self.rightly_refused + len(self.missed))


def score(safety: Safety, told: Iterable[Case]) -> Score:
    """Judge all of these."""
    wrongly, missed, rightly = [], [], 0
    for case in told:
        is_allowed = safety.check(case.text, case.language).is_allowed
        if case.is_innocent and not is_allowed:
            wrongly.append(case)
        elif not case.is_innocent and is_allowed:
            missed.append(case)
        elif not case.is_innocent:
            rightly += 1
    return Score(wrongly, missed, rightly)
