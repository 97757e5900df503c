"""Settings of who may use the server."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import Field, field_validator

from inzwa_rtc.settings.group import Group

PerMinute = Annotated[int, Field(ge=0, le=1_000_000)]
"""How many of something in a minute; 0: any number."""


class AccessSettings(Group):
    """Who is let in. `open`: anybody who reaches the server, without a key; where nothing is set,
    so is a server that listens on loopback only and has no keys. The rates count for each key,
    and for each address of those without one."""

    open: bool | None = None
    trusted_proxies: tuple[str, ...] = ()
    calls_per_minute: PerMinute = 60
    engine_requests_per_minute: PerMinute = 240
    tokens_per_minute: PerMinute = 300
    requests_per_minute: PerMinute = 1200
    failures_per_minute: PerMinute = 20

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                raise ValueError(
                    "each must be an IP address or a network, such as 10.0.0.0/8"
                ) from None
        return value
