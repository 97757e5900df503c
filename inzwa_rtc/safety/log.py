"""What the log says of refusals: never a word of what was said."""

from __future__ import annotations

from typing import Literal

import structlog

from inzwa_rtc.safety.verdict import Verdict

log = structlog.get_logger(__name__)


def log_refusal(
    verdict: Verdict, *, whose: Literal["caller", "reply"], turn: int | None = None
) -> None:
    """One line: the category, the rule, and the pseudonym of the text."""
    log.info(
        "safety.refused",
        action=verdict.action,
        category=verdict.category,
        rule=verdict.rule,
        text=verdict.pseudonym,
        whose=whose,
        turn=turn,
    )
