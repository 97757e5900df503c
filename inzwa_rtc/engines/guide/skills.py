"""What the guide works out by itself: the clock, sums and counting, all in plain text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from inzwa_rtc.engines.guide.numbers import spell
from inzwa_rtc.engines.guide.script import Skill

_MOST_COUNTED = 100
_HOURS = [spell(hour or 12) for hour in range(12)]
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


@dataclass(frozen=True, slots=True)
class Worked:
    """Values for a reply; `special` names the replies to use where there is no answer."""

    values: dict[str, str]
    special: str | None = None


def clock(now: datetime) -> dict[str, str]:
    """The time, day and date in spoken English."""
    day = _DAYS[now.weekday()]
    date = f"{day}, {now.day} {_MONTHS[now.month - 1]} {now.year}"
    return {"time": _spoken_time(now.hour, now.minute), "day": day, "date": date}


def work(skill: Skill, numbers: tuple[int, ...]) -> Worked:
    """Do a sum or count. The script's phrases make sure that the numbers are there."""
    if skill in _SUMS:
        return _sum(skill, *numbers)
    first, last = (1, numbers[0]) if skill == "count_to" else (numbers[0], numbers[1])
    if abs(last - first) >= _MOST_COUNTED:
        return Worked({}, "too_many")
    step = 1 if last >= first else -1
    counted = [spell(number) for number in range(first, last + step, step)]
    return Worked({"count": ", ".join(counted).capitalize()}, None)


def _sum(skill: Skill, a: int, b: int) -> Worked:
    if skill == "divide" and b == 0:
        return Worked({}, "by_zero")
    answer = _in_words(_SUMS[skill](a, b))
    return Worked({"a": str(a), "b": str(b), "answer": answer})


_SUMS: dict[Skill, Callable[[int, int], Fraction]] = {
    "add": lambda a, b: Fraction(a + b),
    "subtract": lambda a, b: Fraction(a - b),
    "subtract_from": lambda a, b: Fraction(b - a),
    "multiply": lambda a, b: Fraction(a * b),
    "divide": lambda a, b: Fraction(a, b),
}


def _in_words(answer: Fraction) -> str:
    """Whole numbers as they are; others with two decimals, and honest about it."""
    sign = "minus " if answer < 0 else ""
    answer = abs(answer)
    if answer.denominator == 1:
        return f"{sign}{answer.numerator}"
    rounded = round(answer, 2)
    digits = f"{float(rounded):.2f}".rstrip("0").rstrip(".")
    return f"{sign}{digits}" if rounded == answer else f"about {sign}{digits}"


def _spoken_time(hour: int, minute: int) -> str:
    if minute == 0 and hour in {0, 12}:
        return "midnight" if hour == 0 else "noon"
    if minute <= 30:
        relation = {0: "", 15: "a quarter past ", 30: "half past "}.get(
            minute, f"{_minutes(minute)} past "
        )
        shown = hour
    else:
        relation = "a quarter to " if minute == 45 else f"{_minutes(60 - minute)} to "
        shown = hour + 1
    name = _HOURS[shown % 12]
    return f"{relation}{name}{'' if minute else ' o’clock'} {_part_of_day(shown % 24)}"


def _minutes(count: int) -> str:
    return f"{spell(count)} minute{'' if count == 1 else 's'}"


def _part_of_day(hour: int) -> str:
    if 5 <= hour < 12:
        return "in the morning"
    if 12 <= hour < 18:
        return "in the afternoon"
    return "in the evening" if 18 <= hour < 22 else "at night"
