"""Texts as others give them, before they reach a database."""

from __future__ import annotations

from inzwa_rtc.errors import PeerError
from inzwa_rtc.store.tables import ID_CHARS


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


def checked_user(name: str) -> str:
    """The name of a user, where it can be one. Clients take `.` and `..` out of an address before
    they send it: nobody could reach these users at `/v1/admin/users/{id}`."""
    if name in (".", ".."):
        raise PeerError(
            "This cannot be the name of a user.",
            action="Choose another name than one or two dots.",
            code="bad_value",
        )
    return checked(name, "the name of a user", ID_CHARS)
