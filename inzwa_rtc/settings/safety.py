"""Settings of what may be said."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from inzwa_rtc.settings.group import Group

Redacted = Literal["email", "phone", "card", "ssn", "national_id"]


class SafetySettings(Group):
    """What is checked of what callers say and of what is answered.

    Files of `rules` are read after those that come with the server; what they name again is
    theirs. `disabled` are categories, rules and topics. `help_lines` stand by language (BCP 47),
    of a country where it is named (`en-ZA`).
    """

    enabled: bool = True
    rules: tuple[Path, ...] = ()
    shipped_rules: bool = True
    disabled: tuple[str, ...] = ()
    refused_topics: tuple[str, ...] = ("adult", "nsfw", "explicit", "violent")
    unknown_topics: Literal["allow", "refuse"] = "allow"
    redact: tuple[Redacted, ...] = ("email", "phone", "card", "ssn", "national_id")
    phone_regions: tuple[str, ...] = ("ZW", "ZA", "GB", "US")
    help_lines: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - pydantic copies it
