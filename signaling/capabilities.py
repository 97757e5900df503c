"""What a client may ask for: `/v1/voices`, `/v1/capabilities`."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel

from inzwa_rtc.users import VOICE_MODES
from signaling.api.operation import Answer, Operation, caller_of
from signaling.calls import Calls
from signaling.operations.offering import Offering


class VoiceShown(BaseModel):
    """A voice. `language` is empty where it speaks any; what is not known is empty."""

    id: str
    name: str
    language: str
    gender: str
    engine: str
    licence: str
    preview: str


class VoiceList(BaseModel):
    """All voices; `default` is the one of those who name none."""

    voices: list[VoiceShown]
    default: str | None


class EngineShown(BaseModel):
    """An engine in use, and whether it serves requests now."""

    name: str
    ready: bool


class Languages(BaseModel):
    """`recognised`: those that may be spoken to the server. `calls`: those in which a call can be
    held. `spoken`: those of the voices; empty where one speaks any."""

    recognised: list[str]
    calls: list[str]
    spoken: list[str]
    default: str


class Formats(BaseModel):
    """In which speech can be had, and in which sockets take and give audio."""

    speech: list[str]
    socket: list[str]


class Modes(BaseModel):
    """All voice modes, and the one of whoever asks."""

    voice_modes: list[str]
    current: str
    webrtc: bool
    websocket: bool
    dictation: bool


class Limits(BaseModel):
    """Bytes, characters and seconds that one request or call may have."""

    json_bytes: int
    upload_bytes: int
    upload_audio_s: float
    socket_frame_bytes: int
    text_chars: int
    speech_chars: int
    dictation_s: float
    call_s: float
    idle_s: float
    calls: int


class CapabilityList(BaseModel):
    """What this server offers, now."""

    engines: dict[str, EngineShown]
    voices: list[VoiceShown]
    default_voice: str | None
    languages: Languages
    formats: Formats
    limits: Limits
    modes: Modes


class Capabilities:
    """The handlers of `/v1/voices` and `/v1/capabilities`."""

    def __init__(self, calls: Calls, offering: Offering) -> None:
        self._calls = calls
        self._offering = offering

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("GET", "/v1/voices", self.voices, "All voices"),
                tag="speech",
                answers=(Answer(200, "They are.", VoiceList),),
            ),
            Operation(
                *("GET", "/v1/capabilities", self.capabilities, "What may be asked for"),
                tag="operation",
                answers=(Answer(200, "What this server offers.", CapabilityList),),
            ),
        ]

    async def voices(self, _request: web.Request) -> web.Response:
        """The voices of the engines in use, the default one of the engine first."""
        self._calls.check_enabled()
        return web.json_response(self._voices().model_dump())

    async def capabilities(self, request: web.Request) -> web.Response:
        """Engines, voices, languages, formats, limits, and voice modes. It changes when the
        operator has other engines loaded."""
        self._calls.check_enabled()
        settings = self._offering.settings
        limits = settings.limits
        voices = self._voices()
        ready = self._offering.engines_ready()
        told = CapabilityList(
            engines={
                kind: EngineShown(name=name, ready=ready[kind])
                for kind, name in self._offering.engine_names().items()
            },
            voices=voices.voices,
            default_voice=voices.default,
            languages=Languages(
                recognised=self._offering.recognised_languages(),
                calls=self._offering.voices.languages(),
                spoken=sorted({voice.language for voice in voices.voices if voice.language}),
                default=settings.language,
            ),
            formats=Formats(speech=self._offering.formats(), socket=["pcm16"]),
            limits=Limits(
                json_bytes=limits.json_body,
                upload_bytes=limits.upload,
                upload_audio_s=limits.upload_audio_s,
                socket_frame_bytes=limits.frame,
                text_chars=limits.text_chars,
                speech_chars=limits.speech_chars,
                dictation_s=limits.dictation_s,
                call_s=settings.call.max_length_s,
                idle_s=settings.call.idle_limit_s,
                calls=settings.max_concurrent_sessions,
            ),
            modes=Modes(
                voice_modes=list(VOICE_MODES),
                current=caller_of(request).settings.voice_mode,
                webrtc=settings.webrtc_offered,
                websocket=True,
                dictation=True,
            ),
        )
        return web.json_response(told.model_dump())

    def _voices(self) -> VoiceList:
        listed: list[dict[str, Any]] = self._offering.listed_voices()
        return VoiceList(
            voices=[VoiceShown(**voice) for voice in listed],
            default=self._offering.default_voice(),
        )
