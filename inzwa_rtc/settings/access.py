"""Settings of who may use the server."""

from __future__ import annotations

from inzwa_rtc.settings.group import Group


class AccessSettings(Group):
    """Who is let in. `open`: anybody who reaches the server, without a key; where nothing is set,
    so is a server that listens on loopback only and has no keys."""

    open: bool | None = None
