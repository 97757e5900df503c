"""`/v1/audio/speech`."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from inzwa_rtc.audio.container import Format
from inzwa_rtc.settings.groups import LimitSettings
from signaling.api.body import read_json
from signaling.api.operation import Answer, JsonBody, Operation, caller_of
from signaling.api.streams import SentEvent, send_bytes, send_events
from signaling.operations.chatting import CHARS_PER_TOKEN
from signaling.operations.speaking import Spoken
from signaling.operations.work import Work
from signaling.rest.openai.names import check_model, voice_named
from signaling.rest.openai.shapes import Asked, failed
from signaling.rest.sound import SOUNDS, content_type
from signaling.switchboard import Switchboard


class VoiceId(Asked):
    """A voice by its id, as OpenAI names those that a user has made."""

    id: Annotated[str, Field(max_length=500)]


class SpeechRequest(Asked):
    """A text to be read aloud. `instructions` are not followed. `language` is our own addition:
    the text's, where the voice does not say it."""

    model: Annotated[str, Field(max_length=500)]
    input: str
    voice: Annotated[str, Field(max_length=500)] | VoiceId
    response_format: Format = "mp3"
    speed: float = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    language: Annotated[str, Field(min_length=1, max_length=35)] | None = None


class SpeechEvent(BaseModel):
    """`speech.audio.delta` with `audio` in base64; the last is `speech.audio.done` with `usage`."""

    type: str
    audio: str


class OpenAISpeech:
    """The handler."""

    def __init__(self, work: Work, switchboard: Switchboard[Any], limits: LimitSettings) -> None:
        self._work = work
        self._switchboard = switchboard
        self._limits = limits

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("POST", "/v1/audio/speech", self.speak, "Read a text aloud"),
                tag="openai",
                body=(JsonBody(SpeechRequest),),
                answers=(
                    *SOUNDS,
                    Answer(200, "With `stream_format: sse`.", SpeechEvent, "text/event-stream"),
                ),
                refusals=(404, 413, 415),
                errors="openai",
            )
        ]

    async def speak(self, request: web.Request) -> web.StreamResponse:
        """Read a text aloud, as OpenAI's clients ask for it. OpenAI's voices are the server's
        usual ones."""
        asked = await read_json(request, SpeechRequest, self._limits.json_body)
        engines = self._switchboard.now
        check_model(asked.model, "tts", engines.settings)
        name = asked.voice if isinstance(asked.voice, str) else asked.voice.id
        voice = voice_named(name, asked.language, engines)
        spoken = self._work.speaking.begin(
            *(asked.input, voice, asked.language, asked.speed, caller_of(request)),
            longest=self._limits.speech_chars,
        )
        form = asked.response_format
        if asked.stream_format == "sse":
            return await send_events(request, _parts(spoken, form), _event, failed)
        return await send_bytes(request, spoken.encoded(form), content_type(form))


async def _parts(spoken: Spoken, form: Format) -> AsyncGenerator[bytes | int, None]:
    """The sound, and at last how long the text is."""
    async with aclosing(spoken.encoded(form)) as pieces:
        async for piece in pieces:
            yield piece
    yield len(spoken.request.text)


def _event(part: bytes | int) -> list[SentEvent]:
    if isinstance(part, bytes):
        sound = base64.b64encode(part).decode()
        return [SentEvent(SpeechEvent(type="speech.audio.delta", audio=sound).model_dump_json())]
    tokens = -(-part // CHARS_PER_TOKEN)
    usage = {"input_tokens": tokens, "output_tokens": 0, "total_tokens": tokens}
    return [SentEvent(json.dumps({"type": "speech.audio.done", "usage": usage}))]
