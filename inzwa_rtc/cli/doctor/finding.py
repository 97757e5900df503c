"""What a check finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from inzwa_rtc.errors import InzwaError
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


Check = Callable[[Settings], Finding | Sequence[Finding]]


def found(name: str, look: Callable[[], Finding | Sequence[Finding]]) -> Sequence[Finding]:
    """What `look` finds; one that breaks has found a problem too."""
    try:
        findings = look()
    except InzwaError as error:
        findings = Finding(name, "problem", error.message, error.action)
    except ImportError as error:
        action = "Install what is missing: `make install`."
        findings = Finding(name, "problem", str(error), action)
    except Exception as error:  # noqa: BLE001  # whatever breaks here would break a call
        what = f"{type(error).__name__}: {error}"
        findings = Finding(name, "problem", what, "Install again: `make install`.")
    return [findings] if isinstance(findings, Finding) else findings
