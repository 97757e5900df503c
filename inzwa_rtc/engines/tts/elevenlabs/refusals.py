"""What ElevenLabs' errors mean. No I/O."""

from __future__ import annotations

from typing import Any

from inzwa_rtc.engines.remote import answers
from inzwa_rtc.engines.remote.answers import Failed, Refusal
from inzwa_rtc.engines.remote.options import Server
from inzwa_rtc.errors import EngineError, EngineUnavailable

_NO_CREDIT = ("quota_exceeded", "insufficient_credits", "payment_required", "paid_plan_required")
_NO_KEY = (
    "authentication_required",
    "invalid_api_key",
    "missing_permissions",
    "needs_authorization",
    "unauthorized",
)
_NO_VOICE = ("voice_not_found", "voice_does_not_exist", "invalid_voice_id")
_NO_MODEL = ("model_not_found", "invalid_model_id", "model_does_not_exist", "unsupported_model")
_TOO_LONG = ("max_character_limit_exceeded", "text_too_long")
_NO_LANGUAGE = ("unsupported_language", "invalid_language_code", "language_not_supported")
_BUSY = (
    "too_many_concurrent_requests",
    "concurrent_limit_exceeded",
    "rate_limit_exceeded",
    "system_busy",
)


def code_of(body: Any) -> str:
    """ElevenLabs' own name for the error that a body holds, empty where it has none: over HTTP it
    stands in `detail`, over a WebSocket in `error`."""
    if not isinstance(body, dict):
        return ""
    detail = body.get("detail", body)
    if isinstance(detail, dict):
        for member in ("status", "code", "error", "type"):
            if isinstance(detail.get(member), str):
                return str(detail[member])
    return ""


def refused(server: Server, refusal: Refusal) -> Failed:
    """What an error means. It is told by its name first: one that is about money comes as 401."""
    code, status = refusal.code, refusal.status
    if status == 402 or code in _NO_CREDIT:
        return Failed(answers.no_credit(server))
    if code in _NO_KEY:
        return Failed(answers.no_key(server, "does not accept the key"))
    if code in _NO_MODEL:
        return Failed(
            EngineUnavailable(
                f"{server} has no model `{server.model}` for this.", action="Correct `tts.model`."
            )
        )
    if code in _NO_VOICE:
        return Failed(
            EngineError(
                f"{server} has no voice of that id.",
                action="Correct `tts.voice`, or add the voice to the account.",
                code="unknown_voice",
            )
        )
    if code in _TOO_LONG:
        return Failed(
            EngineError(
                f"The text is longer than {server} takes for this model and account.",
                action="Set `tts.max_chars` to what it takes.",
                code="text_too_long",
            )
        )
    if code in _NO_LANGUAGE:
        return Failed(
            EngineError(
                f"The model `{server.model}` of {server} does not speak this language.",
                action="Use another model, or set `tts.tell_language` to false.",
                code="unknown_language",
            )
        )
    if status == 404:
        return nothing_there(server)
    if code in _BUSY:
        status = 429
    if not status:  # it stood in an answer that had begun
        return answers.given_up(server)
    return answers.refused(server, Refusal(status, code, refusal.retry_after_s))


def nothing_there(server: Server) -> Failed:
    """A 404 that is of no voice. Only the address, and the model with it, can be wrong then."""
    return Failed(
        EngineUnavailable(
            f"{server} has nothing at the address that was asked (404 Not Found).",
            action="Correct `tts.base_url`; it ends before the `/v1`. Else correct `tts.model`.",
        )
    )
