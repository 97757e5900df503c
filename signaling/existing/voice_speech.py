"""`/api/voice/tts/stream` and `/api/voice/tts/voices`."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, RootModel

from inzwa_rtc.errors import InzwaError
from inzwa_rtc.users import SpeechFormat
from signaling.api.body import read_json
from signaling.api.operation import Answer, JsonBody, Operation, caller_of
from signaling.api.streams import SentEvent, send_events
from signaling.calls import Calls
from signaling.existing.plain import TAG, VoiceName
from signaling.operations.offering import Offering
from signaling.operations.speaking import Spoken
from signaling.operations.work import Work

LONGEST = 5_000
"""Characters of one text, as clients of this path know it."""


class StreamedText(BaseModel):
    """What is to be said, and how. What is left out is as the user has chosen, or as usual."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    text: str
    voice: VoiceName | None = None
    speed: Annotated[float, Field(ge=0.5, le=2.0, allow_inf_nan=False)] | None = None
    format: Literal["opus", "mp3", "wav"] | None = None


class Metadata(BaseModel):
    """The data of the event `metadata`. `sample_rate` is that of the speech as it is made."""

    sample_rate: int
    format: SpeechFormat
    voice: str | None
    backend: str
    supports_streaming: bool


class AudioChunk(BaseModel):
    """The data of the event `audio`: the next bytes of the file (base64)."""

    chunk: str
    index: int


class Done(BaseModel):
    """The data of the event `done`."""

    total_chunks: int


class StreamError(BaseModel):
    """The data of the event `error`, with which a stream ends that cannot go on."""

    code: str
    message: str


class StreamEvent(RootModel[Metadata | AudioChunk | Done | StreamError]):
    """One event's data."""


class NamedVoice(BaseModel):
    """A voice. `language` is empty where it speaks any."""

    id: str
    name: str
    language: str
    gender: str


class NamedVoices(RootModel[list[NamedVoice]]):
    """All voices."""


class VoiceSpeech:
    """The handlers of `/api/voice/tts`."""

    def __init__(self, calls: Calls, offering: Offering, work: Work) -> None:
        self._calls = calls
        self._offering = offering
        self._work = work

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        events = Answer(
            200, "`metadata`, `audio`, `done`, `error`.", StreamEvent, "text/event-stream"
        )
        return [
            Operation(
                *("POST", "/api/voice/tts/stream", self.stream, "Read a text aloud, as events"),
                tag=TAG,
                body=(JsonBody(StreamedText),),
                answers=(events,),
                refusals=(413, 415),
            ),
            Operation(
                *("GET", "/api/voice/tts/voices", self.voices, "All voices, by name"),
                tag=TAG,
                answers=(Answer(200, "They are.", NamedVoices),),
            ),
        ]

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Events: `metadata` first, then `audio` with pieces of a file in order, then `done`. What
        is wrong with the request is an ordinary error, before any event; what goes wrong later is
        the event `error`, and ends the stream."""
        self._calls.check_enabled()
        limit = self._offering.settings.limits.json_body
        text = await read_json(request, StreamedText, limit)
        caller = caller_of(request)
        spoken = self._work.speaking.begin(
            text.text, text.voice, speed=text.speed, caller=caller, longest=LONGEST
        )
        form = text.format or caller.settings.tts_format
        return await send_events(request, self._events(spoken, form), lambda one: [one], _failed)

    async def voices(self, _request: web.Request) -> web.Response:
        """As `/v1/voices`, but for what clients of this path know of a voice."""
        self._calls.check_enabled()
        told = [
            NamedVoice(id=one.id, name=one.name, language=one.language, gender=one.gender)
            for one in self._offering.voices.all
        ]
        return web.json_response(NamedVoices(told).model_dump())

    async def _events(self, spoken: Spoken, form: SpeechFormat) -> AsyncGenerator[SentEvent, None]:
        index = 0
        async with aclosing(spoken.encoded(form)) as pieces:
            async for piece in pieces:
                if index == 0:  # nothing is told of a text that cannot be spoken
                    yield SentEvent(self._metadata(spoken, form).model_dump_json(), "metadata")
                chunk = AudioChunk(chunk=b64encode(piece).decode(), index=index)
                yield SentEvent(chunk.model_dump_json(), "audio")
                index += 1
        yield SentEvent(Done(total_chunks=index).model_dump_json(), "done")

    def _metadata(self, spoken: Spoken, form: SpeechFormat) -> Metadata:
        return Metadata(
            sample_rate=spoken.sample_rate,
            format=form,
            voice=spoken.voice or self._offering.default_voice(),
            backend=spoken.engine or self._offering.engine_names().get("tts", ""),
            supports_streaming=True,
        )


def _failed(error: InzwaError) -> SentEvent:
    told = StreamError(code=error.code, message=error.message)
    return SentEvent(told.model_dump_json(), "error")
