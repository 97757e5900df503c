"""How often each caller may do what, by kind."""

from __future__ import annotations

from math import ceil

from inzwa_rtc.errors import RateLimited
from inzwa_rtc.settings.access import AccessSettings
from signaling.access.rates import Rate
from signaling.api.operation import Counted


class Quotas:
    """One rate for each kind of request, and one of failures, by address."""

    def __init__(self, settings: AccessSettings) -> None:
        self._rates: dict[Counted, Rate] = {
            "calls": Rate(settings.calls_per_minute),
            "relays": Rate(settings.calls_per_minute),  # one for each call
            "engines": Rate(settings.engine_requests_per_minute),
            "tokens": Rate(settings.tokens_per_minute),
            "requests": Rate(settings.requests_per_minute),
        }
        self._failures = Rate(settings.failures_per_minute)

    def check(self, counted: Counted, who: str, now: float) -> None:
        """Count one request. Raises `RateLimited`."""
        if wait := self._rates[counted].take(who, now):
            raise _limited("Too many requests.", wait)

    def check_failures(self, address: str, now: float) -> None:
        """Raises `RateLimited` where too many keys or tokens from there were wrong."""
        if wait := self._failures.wait(address, now):
            raise _limited("Too many wrong keys or tokens came from this address.", wait)

    def failed(self, address: str, now: float) -> None:
        """A key or token from there was wrong."""
        self._failures.take(address, now)


def _limited(what: str, wait_s: float) -> RateLimited:
    seconds = ceil(wait_s)
    return RateLimited(
        what,
        action=f"Try again in {seconds} seconds; the operator sets the limit in `access`.",
        retry_after_s=seconds,
    )
