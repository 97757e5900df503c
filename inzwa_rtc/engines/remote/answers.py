"""What a server's failures mean, and which of them pass. No I/O.

Each function gives a `Failed`, to be raised by an attempt to ask the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from inzwa_rtc.engines.remote.options import Server, key_variable
from inzwa_rtc.errors import EngineError, EngineTimeout, EngineUnavailable

_PASSING = (408, 425, 429)  # beside 5xx
_NO_CREDIT = "insufficient_quota"
_NEVER_CONNECTED = (
    # Of httpx and of httpx2.
    "ConnectError",
    "ConnectTimeout",
    # Of aiohttp.
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientProxyConnectionError",
    "ConnectionTimeoutError",
)

UNREADABLE = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,  # a number larger than any
    RecursionError,  # lists in lists in lists
)
"""What reading an answer raises that is not what it should be."""


class Failed(Exception):
    """An attempt came to nothing, for the reason `error`.

    `passes` tells whether another one may do better, though not before `retry_after_s`.
    """

    def __init__(
        self, error: EngineError, *, passes: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(error.code)
        self.error = error
        self.passes = passes
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server said instead of an answer. `code` is the server's own name for it: it is
    compared, never repeated."""

    status: int
    code: str = ""
    retry_after_s: float | None = None


def refused(server: Server, refusal: Refusal) -> Failed:
    """The server answered with an error of HTTP."""
    status, group = refusal.status, server.group
    if status == 402 or refusal.code == _NO_CREDIT:
        return Failed(no_credit(server))
    said = f"{server} answered {_named(status)}."
    if status in (401, 403):
        return Failed(no_key(server, f"does not accept the key ({_named(status)})"))
    if status == 404:
        return Failed(
            EngineUnavailable(
                f"{server} has no model `{server.model}` ({_named(status)}).",
                action=f"Correct `{group}.model`, or `{group}.base_url` if it is another server's.",
            )
        )
    if status in (429, 503):
        busy = EngineError(
            f"{server} has too much to do ({_named(status)}).",
            action="Try again later, or raise the limits there.",
            code="engine_busy",
        )
        return Failed(busy, passes=True, retry_after_s=refusal.retry_after_s)
    if status >= 500 or status in _PASSING:
        return Failed(EngineError(said, action="Look at that server's log."), passes=True)
    return Failed(
        EngineError(
            said,
            action=f"It does not take a request like this: check `{group}.model` and the other "
            f"options under `{group}:`, and that server's log.",
            code="request_refused",
        )
    )


def no_key(server: Server, trouble: str = "wants a key") -> EngineUnavailable:
    """Without the right key there is no use in asking."""
    setting = f"`{server.group}.api_key`"
    if variable := key_variable(server.url):
        setting = f"{setting}, or {variable} in the environment,"
    return EngineUnavailable(
        f"{server} {trouble}.", action=f"Set {setting} to one that may use `{server.model}`."
    )


def no_credit(server: Server) -> EngineUnavailable:
    """The provider wants to be paid first."""
    return EngineUnavailable(
        f"{server} does no more work for this account: its credit or quota is used up.",
        action="Check the account's balance there, or name a second engine to fall back to.",
        code="quota_exceeded",
    )


def redirected(server: Server, status: int, location: str) -> Failed:
    """It points elsewhere. That is not followed: what callers say, and the key, go to the
    configured server alone. `location` is told up to its host."""
    parts = urlsplit(location)
    to = f"{parts.scheme}://{parts.hostname}" if parts.scheme and parts.hostname else "itself"
    return Failed(
        EngineUnavailable(
            f"{server} redirects to {to} ({_named(status)}), which is not followed.",
            action=f"Set `{server.group}.base_url` to the address that answers.",
        )
    )


def lost(server: Server, cause: BaseException | None) -> Failed:
    """The connection could not be opened, or broke. `cause` is the error of httpx,
    httpx2 or aiohttp."""
    name = type(cause).__name__
    if name in _NEVER_CONNECTED:
        # Told before anything was sent: this message can quote no caller.
        return Failed(
            EngineUnavailable(
                f"{server} cannot be reached: {cause or name}.",
                action=f"Start it, or correct `{server.group}.base_url`.",
            ),
            passes=True,
        )
    return Failed(
        EngineError(
            f"The connection to {server} broke ({name}).", action="Look at that server's log."
        ),
        passes=True,
    )


def empty(server: Server) -> Failed:
    """The answer ended well and holds nothing."""
    return Failed(
        EngineError(f"{server} gave an empty answer.", action="Look at that server's log."),
        passes=True,
    )


def cut(server: Server) -> Failed:
    """The answer ended before its end."""
    return Failed(
        EngineError(
            f"{server} broke off in the middle of its answer.", action="Look at that server's log."
        )
    )


def garbled(server: Server) -> Failed:
    """What came is not an answer."""
    return Failed(
        EngineError(
            f"{server} sent something that is not an answer.",
            action=f"Check that `{server.group}.base_url` is the address of such a server.",
        )
    )


def given_up(server: Server) -> Failed:
    """The server itself said, in its answer, that it failed."""
    return Failed(
        EngineError(f"{server} failed while it answered.", action="Look at that server's log."),
        passes=True,
    )


def crowded(server: Server, max_concurrent: int) -> EngineError:
    """No request ended in time for this one to begin."""
    return EngineError(
        f"{max_concurrent} requests to {server} are under way, as many as are allowed.",
        action=f"Raise `{server.group}.max_concurrent` if that server can do more.",
        code="engine_busy",
    )


def silent(server: Server, option: str, seconds: float) -> EngineError:
    """Nothing came for as long as the named option allows."""
    return EngineTimeout(
        f"{server} was silent for {seconds:g} s.",
        action=f"Raise `{server.group}.{option}` if it may take so long.",
    )


def retry_after_s(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks for: it holds a number or a date (RFC 9110,
    section 10.2.3). None for anything else."""
    if value is None:
        return None
    try:
        if value.strip().isdecimal():
            return float(value)
        when = parsedate_to_datetime(value)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())
    except UNREADABLE:
        return None


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
