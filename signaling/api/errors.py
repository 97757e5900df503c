"""Errors as answers: every one is JSON with a code, a message and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from inzwa_rtc.errors import CallEnded, EngineError, InzwaError, PeerError, RateLimited, Unavailable
from signaling.api.operation import ErrorShape

OWN_FAULT_RETRY_S = 5


class ErrorBody(BaseModel):
    """Why a request was refused or failed."""

    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="What happened.")
    action: str = Field(description="What to do about it.")
    reason: str | None = Field(
        default=None, description="With `call_ended`: why, as `session.ended` tells it."
    )


class OpenAIError(BaseModel):
    """An error as OpenAI's API tells it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIErrorBody(BaseModel):
    """What OpenAI's clients make an exception of."""

    error: OpenAIError


def status_of(error: InzwaError) -> int:
    """The HTTP status that an error is told with."""
    match error:
        case PeerError(status=status):
            return status
        case Unavailable():
            return 503
        case EngineError():
            return 502
        case _:
            return 503


def members_of(error: InzwaError, shape: ErrorShape, status: int) -> dict[str, Any]:
    """The JSON object of an error."""
    if shape == "native":
        reason = error.reason if isinstance(error, CallEnded) else None
        body = ErrorBody(code=error.code, message=error.message, action=error.action, reason=reason)
        return body.model_dump(exclude_none=True)
    told = OpenAIError(message=str(error), type=_openai_type(status), code=error.code)
    return OpenAIErrorBody(error=told).model_dump()


def error_response(
    error: InzwaError,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    shape: ErrorShape = "native",
) -> web.Response:
    """Every refusal has the same shape. Without a `status`, the error's own."""
    code = status or status_of(error)
    told = dict(headers or {})
    after_s: int | None = OWN_FAULT_RETRY_S
    if isinstance(error, Unavailable | RateLimited):
        after_s = error.retry_after_s
    if code in (429, 503) and after_s is not None:
        told.setdefault("Retry-After", str(after_s))
    if code == 401:
        told.setdefault("WWW-Authenticate", "Bearer")  # RFC 9110, 15.5.2
    return web.json_response(members_of(error, shape, code), status=code, headers=told)


def _openai_type(status: int) -> str:
    if status == 401:
        return "authentication_error"
    if status == 403:
        return "permission_error"
    if status == 429:
        return "rate_limit_error"
    return "invalid_request_error" if status < 500 else "server_error"
