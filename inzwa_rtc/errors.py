"""One tree of errors, named by whose fault it is; every message says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

Part = str | int
"""Of the name of a setting or an option: a member's name, or its place in a list."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,40}", re.ASCII)


class InzwaError(Exception):
    """Base of all errors that this project raises on purpose.

    `code` is stable and machine-readable, `message` says what happened and
    `action` what the reader can do about it. None of them ever carries what a
    caller said.
    """

    code = "internal"

    def __init__(self, message: str, *, action: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.action = action
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.action}".strip()


class PeerError(InzwaError):
    """The other side of a call sent something that cannot be accepted."""

    code = "bad_request"

    def __init__(
        self, message: str, *, action: str = "", code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message, action=action, code=code)
        self.status = status


class CallEnded(PeerError):
    """A call cannot be taken up again; `reason` says why it ended, as `session.ended` does."""

    code = "call_ended"

    def __init__(self, message: str, *, action: str, reason: str) -> None:
        super().__init__(message, action=action, status=410)
        self.reason = reason


class RateLimited(PeerError):
    """Somebody asks more often than they may; `retry_after_s` says when they may again."""

    code = "rate_limited"

    def __init__(self, message: str, *, action: str, retry_after_s: int) -> None:
        super().__init__(message, action=action, status=429)
        self.retry_after_s = retry_after_s


class Unavailable(InzwaError):
    """The server cannot take this request now; `retry_after_s` says when to try again
    (None: not before the operator changes something)."""

    code = "unavailable"

    def __init__(
        self, message: str, *, action: str, code: str, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message, action=action, code=code)
        self.retry_after_s = retry_after_s


class ConfigError(InzwaError):
    """The operator's configuration cannot be used."""

    code = "bad_configuration"


class ListenError(InzwaError):
    """The server cannot listen where it is told to: another program does, or the address is
    not there (yet)."""

    code = "cannot_listen"


class EngineError(InzwaError):
    """An engine failed while it was working on a request."""

    code = "engine_failed"


class EngineTimeout(EngineError):
    """An engine did not answer within the time its stage allows."""

    code = "engine_timeout"


class EngineUnavailable(EngineError):
    """An engine cannot be used now: not installed, not loaded, or restarting."""

    code = "engine_unavailable"


_Error = TypeVar("_Error", bound=BaseException)


def leaves(group: BaseExceptionGroup[_Error]) -> list[_Error]:
    """The errors themselves, in order, however deep the groups lie in each other."""
    found: list[_Error] = []
    for error in group.exceptions:
        found += leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def told(parts: Iterable[Part]) -> str:
    """A name as a message tells it. What does not look like one may hold a value
    (`admin_key:secret`, without the space) and is not repeated."""
    return ".".join(
        str(part) if isinstance(part, int) or part == "*" or _NAME.fullmatch(part) else "..."
        for part in parts
    )
