"""What a check finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from inzwa_rtc.settings import Settings

Status = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing. `problem` keeps calls from working, `warning` narrows what works.

    `what` is what was found, `action` what to do about it (empty when nothing is).
    """

    name: str
    status: Status
    what: str
    action: str = ""


Check = Callable[[Settings], Finding]
