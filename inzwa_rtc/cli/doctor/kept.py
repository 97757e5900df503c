"""Checks of what is kept: the database of users and keys."""

from __future__ import annotations

from inzwa_rtc.cli.doctor.finding import Finding
from inzwa_rtc.settings import Settings

_STATES = {
    "none": "is not there yet: the server makes it when it starts",
    "old": "is of an older version: the server upgrades it when it starts",
    "current": "can be used",
}


def database(settings: Settings) -> Finding:
    """Users and keys can be read; nothing is made or changed."""
    # Imported late: the other commands have no use for databases.
    from inzwa_rtc.store import place_of, state

    place = place_of(settings)
    kind = "PostgreSQL" if str(place).startswith("postgres") else "SQLite"
    return Finding("database", "ok", f"{kind}: it {_STATES[state(place)]}")
