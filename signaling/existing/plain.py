"""`/health`, `/voices` and `/tts`."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.audio.container import MEDIA_TYPES
from signaling.api.body import read_json
from signaling.api.operation import Answer, JsonBody, Operation, caller_of
from signaling.api.streams import send_bytes
from signaling.calls import Calls
from signaling.operations.offering import Offering
from signaling.operations.work import Work

TAG = "existing clients"

VoiceName = Annotated[str, Field(min_length=1, max_length=500)]


class Health(BaseModel):
    """Whether each engine serves requests now. `whisper_loaded` tells it of the recogniser and
    `ollama` of the language model, whichever they are."""

    status: Literal["ok"] = "ok"
    environment: str
    whisper_loaded: bool
    ollama: bool
    engines: dict[str, bool]


class VoiceIds(BaseModel):
    """The ids of all voices, and the one of those who name none."""

    voices: list[str]
    default: str | None


class Text(BaseModel):
    """What is to be said, and by whom."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    text: str
    voice: VoiceName | None = None


class Plain:
    """The handlers of `/health`, `/voices` and `/tts`."""

    def __init__(self, calls: Calls, offering: Offering, work: Work) -> None:
        self._calls = calls
        self._offering = offering
        self._work = work

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("GET", "/health", self.health, "How the server and its engines are"),
                access="anyone",
                tag=TAG,
                answers=(Answer(200, "The process answers.", Health),),
            ),
            Operation(
                *("GET", "/voices", self.voices, "The ids of all voices"),
                tag=TAG,
                answers=(Answer(200, "They are.", VoiceIds),),
            ),
            Operation(
                *("POST", "/tts", self.speak, "Read a text aloud"),
                tag=TAG,
                body=(JsonBody(Text),),
                answers=(Answer(200, "The sound.", media_type=MEDIA_TYPES["wav"]),),
                refusals=(413, 415),
            ),
        ]

    async def health(self, _request: web.Request) -> web.Response:
        """200 as long as the process answers; `/readyz` says whether calls are taken."""
        ready = self._offering.engines_ready()
        told = Health(
            environment=self._offering.settings.environment,
            whisper_loaded=ready["asr"],
            ollama=ready["llm"],
            engines=ready,
        )
        return web.json_response(told.model_dump())

    async def voices(self, _request: web.Request) -> web.Response:
        """As `/v1/voices`, but for their ids alone."""
        self._calls.check_enabled()
        ids = [voice.id for voice in self._offering.voices.all]
        told = VoiceIds(voices=ids, default=self._offering.default_voice())
        return web.json_response(told.model_dump())

    async def speak(self, request: web.Request) -> web.StreamResponse:
        """As `/v1/tts`, but always a WAV file, sent as it is made."""
        self._calls.check_enabled()
        text = await read_json(request, Text, self._offering.settings.limits.json_body)
        spoken = self._work.speaking.begin(text.text, text.voice, caller=caller_of(request))
        return await send_bytes(request, spoken.encoded("wav"), MEDIA_TYPES["wav"])
