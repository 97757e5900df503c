"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal["allow", "refuse", "support"]
"""Go on; refuse; answer somebody who may harm themselves with support."""

Category = Literal["violence", "hate", "illegal", "self_harm", "topic"]

CATEGORIES: tuple[Category, ...] = ("violence", "hate", "illegal", "self_harm", "topic")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one text. `category` and `rule` are empty where it is allowed; of a refused text
    `pseudonym` is what log lines may say of it. None of them tells a word of the text."""

    action: Action = "allow"
    category: Category | Literal[""] = ""
    rule: str = ""
    pseudonym: str = ""

    @property
    def is_allowed(self) -> bool:
        """Whether all is well."""
        return self.action == "allow"


ALLOWED = Verdict()
