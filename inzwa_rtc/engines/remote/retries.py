"""How often a server is asked again, and when.

While a caller waits, all attempts fit into the time that the turn has for its first part:
three of them, with pauses of 1 and 2 s, or as much shorter as that time is short. At start
nobody waits, and a cold model may have to load: pauses of 1, 2 and 4 s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
)

from inzwa_rtc.engines.remote.answers import Failed

T = TypeVar("T")

ATTEMPTS = 3
ATTEMPTS_AT_START = 4
SHARE = 1 / 12
"""Of the time there is, at most, for the first pause: 0.25 s of 3 s."""


def pause_s(
    attempt: int, within_s: float | None = None, retry_after_s: float | None = None
) -> float:
    """Seconds between this failed attempt (the first is 1) and the next.

    `within_s` is the time that all of them have, None for any; `retry_after_s` what the
    server asked for.
    """
    backoff = 2.0 ** (attempt - 1)
    if within_s is not None:
        backoff *= min(1.0, within_s * SHARE)
    return max(backoff, retry_after_s or 0.0)


async def in_time(attempt: Callable[[], Awaitable[T]], within_s: float) -> T:
    """What the first attempt that succeeds gives. No attempt begins after `within_s`; ending
    one that lasts longer is up to the caller. Raises the last one's `EngineError`."""

    def wait(state: RetryCallState) -> float:
        return pause_s(state.attempt_number, within_s, _asked_for(state))

    retrying = AsyncRetrying(
        retry=retry_if_exception(_passes),
        wait=wait,
        stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(within_s),
        reraise=True,
    )

    async def ask() -> T:  # tenacity awaits what it can see to be a coroutine function
        return await attempt()

    try:
        return await retrying(ask)
    except Failed as failed:
        raise failed.error from None


def at_start(attempt: Callable[[], T]) -> T:
    """The same where nobody waits; blocks."""

    def wait(state: RetryCallState) -> float:
        return pause_s(state.attempt_number)

    retrying = Retrying(
        retry=retry_if_exception(_passes),
        wait=wait,
        stop=stop_after_attempt(ATTEMPTS_AT_START),
        reraise=True,
    )
    try:
        return retrying(attempt)
    except Failed as failed:
        raise failed.error from None


def _passes(error: BaseException) -> bool:
    return isinstance(error, Failed) and error.passes


def _asked_for(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after_s if isinstance(error, Failed) else None
