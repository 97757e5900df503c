"""`/api/voice/capabilities`."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel

from signaling.access.caller import may
from signaling.api.operation import Answer, Operation, caller_of
from signaling.calls import Calls
from signaling.existing.plain import TAG
from signaling.operations.offering import Offering


class VoiceId(BaseModel):
    """A voice."""

    id: str
    name: str


class VoiceCapabilityList(BaseModel):
    """What the user's voice mode lets them do, and with what it is done."""

    tts_enabled: bool
    stt_enabled: bool
    tts_backend: str
    stt_backend: str
    tts_voices: list[VoiceId]
    stt_languages: list[str]


class VoiceCapabilities:
    """The handler of `/api/voice/capabilities`."""

    def __init__(self, calls: Calls, offering: Offering) -> None:
        self._calls = calls
        self._offering = offering

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("GET", "/api/voice/capabilities", self.show, "What may be done by voice"),
                tag=TAG,
                answers=(Answer(200, "It is.", VoiceCapabilityList),),
            )
        ]

    async def show(self, request: web.Request) -> web.Response:
        """As `/v1/capabilities`, but for what clients of this path know."""
        self._calls.check_enabled()
        caller = caller_of(request)
        names = self._offering.engine_names()
        told = VoiceCapabilityList(
            tts_enabled=may(caller, "speak"),
            stt_enabled=may(caller, "transcribe"),
            tts_backend=names.get("tts", ""),
            stt_backend=names.get("asr", ""),
            tts_voices=[VoiceId(id=one.id, name=one.name) for one in self._offering.voices.all],
            stt_languages=self._offering.recognised_languages(),
        )
        return web.json_response(told.model_dump())
