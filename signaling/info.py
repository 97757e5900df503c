"""What the page and operators ask: what this server offers, and whether it is well."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

import inzwa_rtc
from signaling.access.gate import GATE
from signaling.api.operation import Answer, Operation
from signaling.calls import Calls
from signaling.switchboard import EngineStatus, Switchboard


class ServerInfo(BaseModel):
    """What a client may choose from. Where there is `turn`, `/v1/ice` gives access to it."""

    name: str
    version: str
    webrtc: bool
    turn: bool
    ice_servers: list[dict[str, Any]]
    voices: list[dict[str, str]]
    default_voice: str | None
    languages: list[str]
    default_language: str
    call: dict[str, float]
    engines: dict[str, str]


class ServerHealth(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """How the server and each of its engines are."""

    status: Literal["ready", "not ready", "draining"]
    calls: int
    engines: dict[str, dict[str, Any]]
    reason: Literal["database_unavailable", "voice_detector_failed"] | None = None


class Info:
    """The handlers of `/v1/info`, `/healthz` and `/readyz`."""

    def __init__(self, calls: Calls, switchboard: Switchboard[Any]) -> None:
        self._calls = calls
        self._switchboard = switchboard

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        well = Answer(200, "It is.", ServerHealth)
        return [
            Operation(
                *("GET", "/v1/info", self.info, "What a client may choose from"),
                access="anyone",
                tag="operation",
                answers=(Answer(200, "What this server offers.", ServerInfo),),
            ),
            Operation(
                *("GET", "/healthz", self.alive, "Whether the process answers"),
                access="anyone",
                tag="operation",
                answers=(well,),
            ),
            Operation(
                *("GET", "/readyz", self.ready, "Whether new calls are taken"),
                access="anyone",
                tag="operation",
                answers=(
                    Answer(200, "They are.", Readiness),
                    Answer(503, "They are not, now.", Readiness),
                ),
            ),
        ]

    async def info(self, _request: web.Request) -> web.Response:
        """What a client may choose from."""
        settings = self._switchboard.now.settings
        engines = self._switchboard.status()
        voices = self._calls.voices
        usual = voices.usual()
        told = ServerInfo(
            name="Inzwa RTC",
            version=inzwa_rtc.__version__,
            webrtc=settings.webrtc_offered,
            turn=bool(settings.turn_urls),
            ice_servers=[],  # access is for those who may call: GET /v1/ice
            voices=[asdict(voice) for voice in voices.all],
            default_voice=usual.voice,
            languages=voices.languages(),
            default_language=usual.language,
            call={"max_length_s": settings.call.max_length_s},
            engines={kind: status.name for kind, status in engines.items()},
        )
        return web.json_response(told.model_dump())

    async def alive(self, _request: web.Request) -> web.Response:
        """The process answers."""
        return web.json_response({"status": "ok"})

    async def ready(self, request: web.Request) -> web.Response:
        """New calls are taken (503 if not), and how each engine is. While the database does not
        tell who may call, or nobody would hear what is said, none are."""
        engines = {kind: _shown(status) for kind, status in self._switchboard.status().items()}
        knows_callers = await request.app[GATE].opening.can_tell()
        are_ready = all(engine["state"] == "ready" for engine in engines.values())
        hears = self._calls.media.ear.hears()
        is_ready = self._calls.takes_calls and are_ready and knows_callers and hears
        state = "draining" if not self._calls.takes_calls else "ready" if is_ready else "not ready"
        told: dict[str, Any] = {"status": state, "calls": len(self._calls), "engines": engines}
        if not knows_callers:
            told["reason"] = "database_unavailable"
        elif not hears:
            told["reason"] = "voice_detector_failed"
        return web.json_response(told, status=200 if is_ready else 503)


def _shown(status: EngineStatus) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": status.name,
        "state": status.state,
        "restarts": status.restarts,
    }
    if status.breaker is not None:
        shown["breaker"] = status.breaker
    if status.others:
        shown["others"] = [_shown(other) for other in status.others]
    return shown
