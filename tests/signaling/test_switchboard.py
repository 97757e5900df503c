"""A running server takes other engines, and other settings, without a call being hurt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.errors import ConfigError, EngineError, EngineUnavailable
from inzwa_rtc.settings import Settings
from signaling.serve import running
from tests.support.engines import ScriptedModel, ScriptedRecognizer, ToneSynthesizer
from tests.support.server import InProcess, Three


@dataclass
class Operated:
    """A server, what its engines are and may become, and the settings that it would read."""

    http: aiohttp.ClientSession
    url: str
    engines: InProcess
    settings: Settings | ConfigError

    def read(self) -> Settings:
        if isinstance(self.settings, ConfigError):
            raise self.settings
        return self.settings

    async def reload(self, **headers: str) -> tuple[int, Any]:
        async with self.http.post(f"{self.url}/v1/admin/reload", headers=headers) as response:
            return response.status, await response.json()

    async def info(self) -> Any:
        async with self.http.get(f"{self.url}/v1/info") as response:
            return await response.json()


@pytest.fixture
async def operated() -> AsyncIterator[Operated]:
    settings = Settings(port=0)
    engines = InProcess(Three(ScriptedRecognizer(), ScriptedModel(), ToneSynthesizer()))
    async with aiohttp.ClientSession() as http:
        operated = Operated(http, "", engines, settings)
        async with running(settings, engines, operated.read) as server:
            operated.url = f"http://127.0.0.1:{server.port}"
            yield operated


class OneVoice(ToneSynthesizer):
    voices = ToneSynthesizer.voices[1:]


class Mute(ToneSynthesizer):
    async def synthesize(self, request: SpeechRequest) -> Any:
        raise EngineError("It is mute.")
        yield


async def test_nothing_new_exchanges_nothing(operated: Operated) -> None:
    status, told = await operated.reload()
    assert (status, told["exchanged"], told["needs_restart"]) == (200, [], [])


async def test_new_callers_are_offered_what_the_new_engines_have(operated: Operated) -> None:
    assert [voice["id"] for voice in (await operated.info())["voices"]] == ["tone", "low"]
    now = operated.engines.now
    operated.engines.others = Three(now.asr, now.llm, OneVoice())
    operated.settings = Settings(port=0, call={"max_length_s": 77})  # type: ignore[arg-type]
    status, told = await operated.reload()
    assert (status, told["exchanged"]) == (200, ["tts"])
    info = await operated.info()
    assert [voice["id"] for voice in info["voices"]] == ["low"]
    assert info["call"]["max_length_s"] == 77
    async with operated.http.ws_connect(f"{operated.url}/v1/ws") as ws:
        await ws.send_json({"type": "start"})
        assert (await ws.receive_json())["voice"] == "low"


async def test_another_recogniser_hears_its_first_utterance_before_a_caller_needs_it(
    operated: Operated,
) -> None:
    now, recognizer = operated.engines.now, ScriptedRecognizer("")
    operated.engines.others = Three(recognizer, now.llm, now.tts)
    assert (await operated.reload())[1]["exchanged"] == ["asr"]
    (pcm,) = recognizer.fed
    assert pcm and not any(pcm)


async def test_settings_that_only_a_start_changes_are_named_and_kept(operated: Operated) -> None:
    operated.settings = Settings.model_validate(
        {"port": 9999, "enable_webrtc": False, "limits": {"frame": 2048}, "llm_max_tokens": 99}
    )
    status, told = await operated.reload()
    assert (status, told["needs_restart"]) == (200, ["port", "enable_webrtc", "limits.frame"])
    assert (await operated.info())["webrtc"] is True
    operated.settings = Settings(port=0, enable_webrtc=False)  # measured against what is so
    assert (await operated.reload())[1]["needs_restart"] == ["enable_webrtc"]


async def test_settings_that_cannot_be_used_change_nothing(operated: Operated) -> None:
    before = operated.engines.now
    operated.settings = ConfigError("`llm_engin` is not a setting.", action="Correct it.")
    status, told = await operated.reload()
    assert (status, told["error"]["code"]) == (409, "bad_configuration")
    assert told["error"]["action"] == "Correct it."
    assert operated.engines.now is before


@pytest.mark.parametrize(
    ("tts", "settings", "status"),
    [
        (Mute(), {}, 502),  # no apology could be spoken
        (OneVoice(), {"tts_voice": "tone"}, 409),  # the voice that is wanted is gone
        (EngineUnavailable("No such model.", action="Pull it."), {}, 502),
    ],
)
async def test_engines_that_do_not_fit_are_let_go_and_change_nothing(
    operated: Operated, tts: Any, settings: dict[str, Any], status: int
) -> None:
    before = operated.engines.now
    operated.engines.others = (
        tts if isinstance(tts, Exception) else Three(before.asr, before.llm, tts)
    )
    operated.settings = Settings(port=0, **settings)
    assert (await operated.reload())[0] == status
    assert operated.engines.now is before
    assert operated.engines.discarded == ([] if isinstance(tts, Exception) else [tts])
    assert [voice["id"] for voice in (await operated.info())["voices"]] == ["tone", "low"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "own"},
        {"Sec-Fetch-Site": "same-origin"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
        {"Host": "evil.example"},
    ],
)
async def test_only_the_operator_at_the_machine_may_ask(
    operated: Operated, headers: dict[str, str]
) -> None:
    operated.settings = ConfigError("It must not be read.")
    sent = {name: operated.url if value == "own" else value for name, value in headers.items()}
    status, told = await operated.reload(**sent)
    assert status in (403, 421)
    assert told["error"]["action"]
