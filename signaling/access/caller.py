"""Who asks for something."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from inzwa_rtc.users import UserSettings

Scope = Literal["call", "admin"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request, as far as it is known.

    `user` is the application's name for the person, None where nobody is named; `key_id` is the
    API key's, None without one. `call_id` is the call that a call token belongs to. `settings`
    are the user's, those of anybody without a user.
    """

    user: str | None = None
    scopes: frozenset[Scope] = frozenset()
    key_id: str | None = None
    call_id: str | None = None
    settings: UserSettings = field(default_factory=UserSettings)
