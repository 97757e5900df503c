"""What the page and operators ask: what this server offers, and whether it is well."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

import inzwa_rtc
from signaling.calls import Calls
from signaling.switchboard import EngineStatus, Switchboard


class Info:
    """The handlers of `/v1/info`, `/healthz` and `/readyz`."""

    def __init__(self, calls: Calls, switchboard: Switchboard[Any]) -> None:
        self._calls = calls
        self._switchboard = switchboard

    def routes(self) -> list[web.AbstractRouteDef]:
        """To be added to the application."""
        return [
            web.get("/v1/info", self.info),
            web.get("/healthz", self.alive),
            web.get("/readyz", self.ready),
        ]

    async def info(self, _request: web.Request) -> web.Response:
        """What a client may choose from."""
        settings = self._switchboard.now.settings
        engines = self._switchboard.status()
        voices = self._calls.voices
        usual = voices.usual()
        return web.json_response(
            {
                "name": "Inzwa RTC",
                "version": inzwa_rtc.__version__,
                "webrtc": settings.webrtc_offered,
                "ice_servers": [],
                "voices": [asdict(voice) for voice in voices.all],
                "default_voice": usual.voice,
                "languages": voices.languages(),
                "default_language": usual.language,
                "call": {"max_length_s": settings.call.max_length_s},
                "engines": {kind: status.name for kind, status in engines.items()},
            }
        )

    async def alive(self, _request: web.Request) -> web.Response:
        """The process answers."""
        return web.json_response({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """New calls are taken (503 if not), and how each engine is."""
        engines = {kind: _shown(status) for kind, status in self._switchboard.status().items()}
        is_ready = not self._calls.is_draining and all(
            engine["state"] == "ready" for engine in engines.values()
        )
        state = "draining" if self._calls.is_draining else "ready" if is_ready else "not ready"
        return web.json_response(
            {"status": state, "calls": len(self._calls), "engines": engines},
            status=200 if is_ready else 503,
        )


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
