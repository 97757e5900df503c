"""How fast speech may be asked for."""

from __future__ import annotations

from inzwa_rtc.errors import PeerError

SLOWEST = 0.25
FASTEST = 4.0


def checked_speed(speed: float) -> float:
    """The speed, if it is one: a factor on the voice's own pace. Raises `PeerError`
    (`bad_speed`) for anything else, NaN included."""
    if not SLOWEST <= speed <= FASTEST:
        raise PeerError(
            f"The speed must be {SLOWEST:g} to {FASTEST:g}.",
            action="1 is the voice's own pace.",
            code="bad_speed",
        )
    return speed


def bounded_speed(speed: float) -> float:
    """The nearest speed that engines are given: of a text that asks for another one itself."""
    return min(max(speed, SLOWEST), FASTEST)
