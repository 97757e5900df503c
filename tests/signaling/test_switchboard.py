"""A running server takes other engines, and other settings, without a call being hurt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from inzwa_rtc.engines.contracts import (
    RecognizeRequest,
    ReplyRequest,
    SpeechRequest,
    TranscriptChunk,
)
from inzwa_rtc.errors import ConfigError, EngineError, EngineUnavailable
from inzwa_rtc.settings import Settings
from signaling.serve import Server, running
from tests.support.engines import ScriptedModel, ScriptedRecognizer, ToneSynthesizer
from tests.support.server import InProcess, Three, serving

KEY = "sesame, sesame, open"
START = {"port": 0, "admin_key": KEY}


@dataclass
class Operated:
    """A server, what its engines are and may become, and the settings that it would read."""

    http: aiohttp.ClientSession
    url: str
    engines: InProcess
    settings: Settings | ConfigError
    server: Server = field(init=False)

    def read(self) -> Settings:
        if isinstance(self.settings, ConfigError):
            raise self.settings
        return self.settings

    async def reload(self, key: str = KEY) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {key}"}
        async with self.http.post(f"{self.url}/v1/admin/reload", headers=headers) as response:
            return response.status, await response.json()

    async def info(self) -> Any:
        async with self.http.get(f"{self.url}/v1/info") as response:
            return await response.json()


@pytest.fixture
async def operated() -> AsyncIterator[Operated]:
    settings = Settings.model_validate(START)
    engines = InProcess(Three(ScriptedRecognizer(), ScriptedModel(), ToneSynthesizer()))
    async with aiohttp.ClientSession() as http:
        operated = Operated(http, "", engines, settings)
        async with running(settings, engines, operated.read) as server:
            operated.server = server
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
    operated.settings = Settings.model_validate({**START, "call": {"max_length_s": 77}})
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
        {
            **START,
            "port": 9999,
            "enable_webrtc": False,
            "limits": {"frame": 2048},
            "llm_max_tokens": 99,
        }
    )
    status, told = await operated.reload()
    assert (status, told["needs_restart"]) == (200, ["port", "enable_webrtc", "limits.frame"])
    assert told["changed"] == ["llm_max_tokens"]
    assert (await operated.info())["webrtc"] is True
    operated.settings = Settings.model_validate(
        {**START, "enable_webrtc": False}
    )  # measured against what is so
    assert (await operated.reload())[1]["needs_restart"] == ["enable_webrtc"]


async def test_settings_that_cannot_be_used_change_nothing(operated: Operated) -> None:
    before = operated.engines.now
    operated.settings = ConfigError("`llm_engin` is not a setting.", action="Correct it.")
    status, told = await operated.reload()
    assert (status, told["code"]) == (409, "bad_configuration")
    assert told["action"] == "Correct it."
    assert operated.engines.now is before


@pytest.mark.parametrize("wrong", ["safety", "tools"])
async def test_wrong_rules_and_tools_are_told_before_engines_are_loaded(
    operated: Operated, wrong: str
) -> None:
    tool = {"source": "python", "function": "no_such:thing", "always": True}
    given = {"safety": {"rules": ["nowhere.toml"]}, "tools": {"use": {"nowhere": tool}}}
    operated.engines.others = EngineError("They are loaded.")
    operated.settings = Settings.model_validate({**START, wrong: given[wrong]})
    status, told = await operated.reload()
    assert (status, told["code"]) == (409, "bad_configuration")
    assert "nowhere" in told["message"]


async def test_other_safety_rules_count_from_a_reload_on(
    operated: Operated, tmp_path: Path
) -> None:
    def is_allowed(text: str) -> bool:
        return operated.server.switchboard.now.safety.check(text, "en").is_allowed

    rules = tmp_path / "own.toml"
    rules.write_text('language = "en"\n[[rules]]\nname = "fruit"\ncategory = "illegal"\n')
    operated.settings = Settings.model_validate({**START, "safety": {"rules": [str(rules)]}})
    status, told = await operated.reload()
    assert (status, told["code"]) == (409, "bad_configuration")
    assert "own.toml" in told["message"]
    assert is_allowed("give me kiwis")
    with rules.open("a") as file:
        file.write('phrases = ["give me kiwis"]\n')
    assert (await operated.reload())[0] == 200
    assert not is_allowed("give me kiwis")
    assert not is_allowed("how do I kill someone")


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
    operated.settings = Settings.model_validate({**START, **settings})
    assert (await operated.reload())[0] == status
    assert operated.engines.now is before
    assert operated.engines.discarded == ([] if isinstance(tts, Exception) else [tts])
    assert [voice["id"] for voice in (await operated.info())["voices"]] == ["tone", "low"]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {KEY}", KEY, "Bearer \xe4"],
)
async def test_only_who_has_the_key_may_ask(operated: Operated, authorization: str | None) -> None:
    operated.settings = ConfigError("It must not be read.")
    headers = {} if authorization is None else {"Authorization": authorization}
    url = f"{operated.url}/v1/admin/reload"
    async with operated.http.post(url, headers=headers) as response:
        assert response.status == 401
        assert (await response.json())["action"]


async def test_without_a_key_nobody_may_ask() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
            url = f"{server.url}/v1/admin/reload"
            async with http.post(url, headers=headers) as response:
                assert response.status == 401
                assert (await response.json())["action"]


class Slow(ToneSynthesizer):
    """Speaks when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_speak = asyncio.Event(), asyncio.Event()

    async def synthesize(self, request: SpeechRequest) -> Any:
        self.asked.set()
        await self.may_speak.wait()
        async for chunk in super().synthesize(request):
            yield chunk


async def test_one_reload_waits_for_the_other(operated: Operated) -> None:
    now, slow = operated.engines.now, Slow()
    operated.engines.others = Three(now.asr, now.llm, slow)
    first = asyncio.create_task(operated.reload())
    await slow.asked.wait()
    second = asyncio.create_task(operated.reload())
    slow.may_speak.set()
    told = [told["exchanged"] for _, told in await asyncio.gather(first, second)]
    assert told == [["tts"], []]


async def test_who_hangs_up_before_gives_it_up(operated: Operated) -> None:
    now, slow = operated.engines.now, Slow()
    operated.engines.others = Three(now.asr, now.llm, slow)
    asking = asyncio.create_task(operated.reload())
    await slow.asked.wait()
    asking.cancel()
    operated.engines.others = now
    assert (await operated.reload())[1]["exchanged"] == []
    assert operated.engines.discarded == [slow]
    assert operated.engines.now is now


async def test_a_server_that_shuts_down_exchanges_nothing_any_more(operated: Operated) -> None:
    now, slow = operated.engines.now, Slow()
    operated.engines.others = Three(now.asr, now.llm, slow)
    asking = asyncio.create_task(operated.reload())
    await slow.asked.wait()
    operated.server.switchboard.close()
    assert [(status, told["code"]) for status, told in [await asking]] == [(503, "draining")]
    assert operated.engines.discarded == [slow]
    assert (await operated.reload())[0] == 503


async def test_apologies_are_not_spoken_again_where_nothing_of_them_has_changed(
    operated: Operated,
) -> None:
    now = operated.engines.now
    spoken = len(now.tts.requests)
    operated.engines.others = Three(now.asr, ScriptedModel(), now.tts)
    now.asr.texts.append("")
    assert (await operated.reload())[1]["exchanged"] == ["llm"]
    assert len(now.tts.requests) == spoken
    operated.settings = Settings.model_validate({**START, "tts_voice": "low"})
    assert (await operated.reload())[1]["changed"] == ["tts_voice"]
    assert {one.voice for one in now.tts.requests[spoken:]} == {"low"}
    spoken = len(now.tts.requests)
    assert (await operated.reload())[1]["changed"] == []
    assert len(now.tts.requests) == spoken


async def test_how_texts_are_read_changes_while_the_server_runs(operated: Operated) -> None:
    before = operated.server.switchboard.now
    spoken = len(before.tts.requests)  # type: ignore[attr-defined]
    group = {"code_blocks": "read", "crossfade_ms": 0}
    operated.settings = Settings.model_validate({**START, "speech": group})
    assert (await operated.reload())[1]["changed"] == ["speech.code_blocks", "speech.crossfade_ms"]
    now = operated.server.switchboard.now
    assert (now.manner.rules.code_blocks, now.manner.joints.crossfade_ms) == ("read", 0)
    assert now.manner.paces is before.manner.paces  # the voices are the same
    assert len(now.tts.requests) > spoken  # type: ignore[attr-defined]


class NoAdapter(ScriptedModel):
    async def prepare(self, request: ReplyRequest) -> None:
        if request.adapter is not None:
            raise EngineError("There is no such adapter.", code="unknown_adapter")


class EnglishOnly(ScriptedRecognizer):
    async def recognize(self, audio: AsyncIterator[bytes], request: RecognizeRequest) -> Any:
        if request.language != "en":
            raise EngineError("Only English.", code="unknown_language")
        yield TranscriptChunk("", 0, 0, True, 0.0, "en")


@pytest.mark.parametrize("settings", [{"asr_language": "sn"}, {"llm_adapter": "nosuch"}])
async def test_settings_that_every_turn_would_fail_on_are_refused(
    operated: Operated, settings: dict[str, Any]
) -> None:
    now = operated.engines.now
    operated.engines.others = Three(EnglishOnly(), NoAdapter(), now.tts)
    operated.settings = Settings.model_validate({**START, **settings})
    assert (await operated.reload())[0] == 409
    operated.settings = Settings.model_validate(START)
    assert (await operated.reload())[1]["exchanged"] == ["asr", "llm"]
    operated.settings = Settings.model_validate({**START, **settings})
    assert (await operated.reload())[0] == 409
    assert operated.server.switchboard.now.settings.llm_adapter is None
