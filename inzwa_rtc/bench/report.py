"""What a ramp came to, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from inzwa_rtc.bench.ramp import Limits, Step, capacity, end_of

_WIDTH = 40
_BLOCK, _HASH = "█", "#"
HEAD = "calls  answer ms p50    p95  early  cut ms p95  late ms p99  gaps"


def row(step: Step) -> str:
    """One line of the table under `HEAD`."""
    if (seen := step.seen) is None:
        return f"{step.calls:>5}  {step.broken}"
    verdict = f"void: the callers were {seen.own_late_ms:.0f} ms late" if step.is_void else ""
    return (
        f"{step.calls:>5}  {_ms(seen.responses_ms, 50):>13}  {_ms(seen.responses_ms, 95):>5}"
        f"  {seen.early:>5}  {_ms(seen.stops_ms, 95):>10}  {_ms(seen.late_ms, 99):>11}"
        f"  {seen.gaps:>4}"
        f"  {verdict or step.broken}".rstrip()
    )


def chart(steps: Sequence[Step], limits: Limits, *, encoding: str = "utf-8") -> list[str]:
    """Bars of how long answers took (95th percentile), one for each number of calls."""
    times = [
        (step.calls, float(np.percentile(step.seen.responses_ms, 95)))
        for step in steps
        if step.seen is not None and step.seen.responses_ms
    ]
    if not times:
        return []
    block = _BLOCK if encoding.lower().replace("-", "") == "utf8" else _HASH
    longest = max(ms for _, ms in times)
    scale = max(longest, limits.response_ms or 0.0)
    bars = [
        f"{calls:>5}  {block * max(1, round(ms / scale * _WIDTH)):<{_WIDTH}}  {ms:.0f}"
        for calls, ms in times
    ]
    return ["Answers, ms from the last word to the first sound, 95th percentile:", *bars]


def verdict(steps: Sequence[Step], *, where: str = "This machine") -> list[str]:
    """What is to be known, in a sentence or two; `where` the server runs."""
    held, end = capacity(list(steps)), end_of(list(steps))
    if end is not None:
        why = f"{_calls(end)}: {end.broken}"
    elif steps[-1].is_void:
        why = (
            f"{_calls(steps[-1])}: the callers themselves were late: they need a quieter machine, "
            "or one of their own"
        )
    else:
        why = "no more were tried"
    if held is None or held.seen is None:
        return [f"Not one step was held ({why})."]
    answers = held.seen.responses_ms
    at = f" at p95 {_ms(answers, 95)} ms" if answers else ""
    least = "" if end else "at least "
    return [f"{where} holds {least}{_calls(held)}{at} ({why})."]


def to_json(steps: Sequence[Step], limits: Limits) -> dict[str, Any]:
    """All of it."""
    held = capacity(list(steps))
    return {
        "held": held.calls if held else 0,
        "at_least": held is not None and end_of(list(steps)) is None,
        "limits": asdict(limits),
        "steps": [_step(step) for step in steps],
    }


def _calls(step: Step) -> str:
    return f"{step.calls} call{'' if step.calls == 1 else 's'}"


def _step(step: Step) -> dict[str, Any]:
    told = {"calls": step.calls, "broken": step.broken, "void": step.is_void}
    if (seen := step.seen) is None:
        return told
    return {
        **told,
        "seconds": round(seen.seconds, 2),
        "response_ms": _rounded(seen.responses_ms),
        "barge_in_ms": _rounded(seen.stops_ms),
        "outbound_late_ms": {
            f"p{percent}": round(float(np.percentile(seen.late_ms, percent)), 2)
            for percent in (50, 95, 99)
            if len(seen.late_ms)
        },
        "callers_late_ms": round(seen.own_late_ms, 2),
        "gaps": seen.gaps,
        "turn_cancelled_ms": _rounded(seen.cuts_ms),
        "waiting_ms": _rounded(seen.waits_ms),
        "unanswered": seen.unanswered,
        "answered_early": seen.early,
        "talked_on": seen.talked_on,
        "lost": seen.lost,
    }


def _rounded(samples: Sequence[float]) -> list[float]:
    return [round(sample, 1) for sample in samples]


def _ms(samples: Any, percent: float) -> str:
    return f"{np.percentile(samples, percent):.0f}" if len(samples) else "-"
