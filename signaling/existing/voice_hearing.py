"""`/api/voice/transcribe`."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.errors import PeerError
from inzwa_rtc.settings import Settings
from signaling.api.form import read_form
from signaling.api.operation import Answer, FormBody, Operation, caller_of
from signaling.calls import Calls
from signaling.existing.plain import TAG
from signaling.operations.work import Work


class RecordingFields(BaseModel):
    """What is said beside the file `audio`. `language` is the one spoken (BCP 47), without it the
    user's own, else the server's."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    language: Annotated[str, Field(min_length=1, max_length=35)] | None = None


class Transcribed(BaseModel):
    """What was said. `confidence` is 0 to 1, `duration` the recording's, in seconds."""

    text: str
    language: str
    confidence: float
    duration: float


class VoiceHearing:
    """The handler of `/api/voice/transcribe`."""

    def __init__(self, calls: Calls, work: Work, settings: Settings) -> None:
        self._calls = calls
        self._work = work
        self._limit = settings.limits.upload

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("POST", "/api/voice/transcribe", self.transcribe, "Write a recording down"),
                tag=TAG,
                body=(FormBody(("audio",), RecordingFields),),
                answers=(Answer(200, "What was said.", Transcribed),),
                refusals=(413, 415),
            )
        ]

    async def transcribe(self, request: web.Request) -> web.Response:
        """As `/v1/asr`, but a form with the file `audio`. 400 for what is no recording, 413 for
        one that is too large."""
        self._calls.check_enabled()
        form = await read_form(request, ("audio",), self._limit)
        fields = form.as_model(RecordingFields)
        data, caller = form.file("audio"), caller_of(request)
        try:
            recording = self._work.transcribing.begin(data, fields.language, caller)
        except PeerError as error:
            raise _as_known(error) from None
        transcript = await recording.transcript()
        told = Transcribed(
            text=transcript.text,
            language=transcript.language,
            confidence=round(transcript.confidence, 3),
            duration=round(transcript.duration_s, 3),
        )
        return web.json_response(told.model_dump())


def _as_known(error: PeerError) -> PeerError:
    """Clients of this path know 400 for a file of a wrong kind."""
    status = 400 if error.status == 415 else error.status
    return PeerError(error.message, action=error.action, code=error.code, status=status)
