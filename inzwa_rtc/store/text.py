"""Texts as others give them, before they reach a database."""

from __future__ import annotations

from inzwa_rtc.errors import PeerError


def checked(text: str, what: str, longest: int) -> str:
    """The text, where it can be kept: not empty, not too long, nothing but characters that can
    be seen. PostgreSQL takes no NUL, and nobody takes half of a surrogate pair."""
    if 0 < len(text) <= longest and text.isprintable():
        return text
    raise PeerError(
        f"This cannot be {what}.",
        action=f"It has 1 to {longest} printable characters.",
        code="bad_value",
    )
