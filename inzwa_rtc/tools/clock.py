"""The time and the date, here and elsewhere, in the words of the caller's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from inzwa_rtc.engines.contracts import ToolSpec
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings.tools import TimeEntry
from inzwa_rtc.tools.gate import Gate

WORDS: Mapping[str, tuple[str, ...]] = {
    "en": ("time", "clock", "o'clock", "date", "day", "today", "month", "year"),
    "sn": ("*nguva*", "*zuva", "musi", "nhasi", "mwedzi", "gore"),
}

_DESCRIPTION = "The time, the weekday and the date now"


@dataclass(frozen=True, slots=True)
class Clock:
    """`Tool` that tells the time. `now` gives the moment in a zone (None: the machine's)."""

    spec: ToolSpec
    gate: Gate
    filler: Mapping[str, str]
    timeout_s: float
    changes: bool
    zone: ZoneInfo | None
    places: Mapping[str, ZoneInfo]
    now: Callable[[ZoneInfo | None], datetime]

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """As in `Tool`. In English, and without abbreviations: the model puts it into the
        caller's language."""
        place = arguments.get("place")
        zone = self.places[place] if place is not None else self.zone
        at = self.now(zone)
        where = f" in {place}" if place is not None else ""
        return f"It is {at:%H:%M} on {at:%A}, {at.day} {at:%B %Y}{where}."


def clock(name: str, entry: TimeEntry, place: str) -> Clock:
    """The tool of these settings. Reads the zones' files. Raises `ConfigError`."""
    zone = None if entry.zone is None else _zone(entry.zone, f"{place}.zone")
    places = {
        called: _zone(zone, f"{place}.places.{called}") for called, zone in entry.places.items()
    }
    schema: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    description = f"{_DESCRIPTION}."
    if places:
        schema["properties"] = {"place": {"type": "string", "enum": sorted(places)}}
        description = f"{_DESCRIPTION}, where the caller is, or in one of these places."
    gate = Gate(entry.words or WORDS, always=entry.always)
    spec = ToolSpec(name, description, schema)
    return Clock(spec, gate, entry.filler, entry.timeout_s, False, zone, places, _now)


def _now(zone: ZoneInfo | None) -> datetime:
    return datetime.now(zone) if zone is not None else datetime.now().astimezone()


def _zone(name: str, place: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"`{place}`: there is no time zone {name!r}.",
            action="Name it as the IANA database does, such as Africa/Harare.",
        ) from None
