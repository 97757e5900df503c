"""`/v1/audio/transcriptions` and `/v1/audio/translations`."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.settings.groups import LimitSettings
from signaling.api.form import read_form
from signaling.api.operation import Answer, FormBody, Operation, caller_of
from signaling.api.streams import SentEvent, send_events
from signaling.operations.transcribing import Recording, Segment, Transcript
from signaling.operations.work import Work
from signaling.rest.openai.names import check_model
from signaling.rest.openai.shapes import failed, impossible
from signaling.rest.openai.transcript_shapes import (
    ResponseFormat,
    TranscriptionJson,
    rendered,
)
from signaling.switchboard import Switchboard


class TranslationRequest(BaseModel):
    """What is said beside the `file`. `prompt` and `temperature` are not followed."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    model: Annotated[str, Field(max_length=500)]
    response_format: ResponseFormat = "json"
    language: Annotated[str, Field(min_length=1, max_length=35)] | None = None


class TranscriptionRequest(TranslationRequest):
    """What is said beside the `file`. `prompt`, `temperature` and `chunking_strategy` are not
    followed."""

    stream: bool = False
    timestamp_granularities: Annotated[list[Literal["word", "segment"]], Field(max_length=2)] = []
    include: Annotated[list[str], Field(max_length=10)] = []


class TranscriptEvent(BaseModel):
    """`transcript.text.delta`; the last is `transcript.text.done` with the whole `text`."""

    type: str
    delta: str


class OpenAITranscriptions:
    """The handlers."""

    def __init__(self, work: Work, switchboard: Switchboard[Any], limits: LimitSettings) -> None:
        self._work = work
        self._switchboard = switchboard
        self._limits = limits

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        text = Answer(200, "With `response_format` text, srt or vtt.", media_type="text/plain")
        whole = Answer(200, "What was said.", TranscriptionJson)
        return [
            Operation(
                *("POST", "/v1/audio/transcriptions", self.transcribe, "Write a recording down"),
                tag="openai",
                body=(FormBody(("file",), TranscriptionRequest),),
                answers=(
                    whole,
                    text,
                    Answer(200, "With `stream`.", TranscriptEvent, "text/event-stream"),
                ),
                refusals=(404, 413, 415),
                errors="openai",
            ),
            Operation(
                *("POST", "/v1/audio/translations", self.translate, "Write down in English"),
                tag="openai",
                body=(FormBody(("file",), TranslationRequest),),
                answers=(whole, text),
                refusals=(404, 413, 415),
                errors="openai",
            ),
        ]

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        """Write a recording down, as OpenAI's clients ask for it."""
        form = await read_form(request, ("file",), self._limits.upload)
        asked = form.as_model(TranscriptionRequest)
        settings = self._switchboard.now.settings
        check_model(asked.model, "asr", settings)
        if asked.include:
            raise impossible("include", "no probabilities are told")
        if asked.timestamp_granularities and asked.response_format != "verbose_json":
            raise impossible("timestamp_granularities", "only `verbose_json` has times")
        recording = self._work.transcribing.begin(
            form.file("file"), asked.language, caller_of(request), translate=False
        )
        if asked.stream:
            return await send_events(request, recording.parts(), _Deltas().of, failed)
        words = "word" in asked.timestamp_granularities
        return await _answer(recording, asked.response_format, "transcribe", words)

    async def translate(self, request: web.Request) -> web.StreamResponse:
        """Write a recording down in English, whatever is spoken in it; for recognisers that can."""
        form = await read_form(request, ("file",), self._limits.upload)
        asked = form.as_model(TranslationRequest)
        settings = self._switchboard.now.settings
        check_model(asked.model, "asr", settings)
        recording = self._work.transcribing.begin(
            form.file("file"), asked.language, caller_of(request), translate=True
        )
        return await _answer(recording, asked.response_format, "translate", words=False)


async def _answer(
    recording: Recording, form: ResponseFormat, task: str, words: bool
) -> web.Response:
    transcript = await recording.transcript()
    told = rendered(transcript, form, task, words=words)
    if isinstance(told, BaseModel):
        return web.json_response(told.model_dump(exclude_none=True))
    return web.Response(text=told)


class _Deltas:
    """The events of one transcript."""

    def __init__(self) -> None:
        self._has_begun = False

    def of(self, part: Segment | Transcript) -> list[SentEvent]:
        if isinstance(part, Transcript):
            done = {"type": "transcript.text.done", "text": part.text}
            return [SentEvent(json.dumps(done))]
        delta = f" {part.text}" if self._has_begun else part.text
        self._has_begun = True
        event = TranscriptEvent(type="transcript.text.delta", delta=delta)
        return [SentEvent(event.model_dump_json())]
