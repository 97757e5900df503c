"""A server that starts can hold calls; one that cannot says why at the start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from inzwa_rtc.engines.contracts import (
    RecognizeRequest,
    ReplyRequest,
    SpeechChunk,
    SpeechRequest,
    TranscriptChunk,
    Voice,
)
from inzwa_rtc.errors import ConfigError, EngineError
from inzwa_rtc.settings import Settings
from signaling.serve import serve
from signaling.signals import Signals
from signaling.warmup import warm_up
from tests.support.engines import ScriptedModel, ScriptedRecognizer, ToneSynthesizer
from tests.support.server import InProcess, Three, serving


class EnglishOnly(ToneSynthesizer):
    """Raises when it is asked for anything else."""

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        if request.language != "en":
            raise EngineError("Only English.")
        async for chunk in super().synthesize(request):
            yield chunk


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"language": "de"}, "language"), ({"tts_voice": "nope"}, "tts_voice")],
)
async def test_a_language_or_voice_that_no_caller_could_get_ends_the_start(
    settings: dict[str, Any], name: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        async with serving(**settings):
            pass
    assert name in refused.value.message
    assert refused.value.action


WRONG_TOOL = {"it": {"source": "python", "function": "no_such:thing", "always": True}}


class NeverLoaded(AbstractAsyncContextManager[Any]):
    """Engines that nobody may wait for."""

    async def __aenter__(self) -> Any:
        raise AssertionError("they are loaded")

    async def __aexit__(self, *error: object) -> None:
        pass


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"safety": {"rules": ["nowhere.toml"]}}, "nowhere.toml"),
        ({"safety": {"phone_regions": ["XX"]}}, "XX"),
        ({"tools": {"use": WRONG_TOOL}}, "tools.use.it"),
    ],
)
async def test_wrong_rules_and_tools_end_the_start_before_engines_are_waited_for(
    settings: dict[str, Any], name: str, tmp_path: Path
) -> None:
    given = Settings.model_validate({"data_dir": tmp_path, **settings})
    with pytest.raises(ConfigError, match=name):
        await serve(given, NeverLoaded(), lambda: given)


async def test_before_it_is_ready_collections_are_told_to_leave_out_what_is_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done: list[str] = []

    def ready(signals: Signals) -> None:
        done.append("ready")
        signals.stop.set()

    monkeypatch.setattr("signaling.serve.keep_what_is_loaded", lambda: done.append("kept"))
    monkeypatch.setattr(Signals, "started", ready)
    given = Settings(port=0, data_dir=tmp_path)
    engines = Three(ScriptedRecognizer(""), ScriptedModel(), ToneSynthesizer())
    async with asyncio.timeout(60):
        await serve(given, nullcontext(InProcess(engines)), lambda: given)
    assert done == ["kept", "ready"]


async def test_apologies_are_made_for_the_languages_that_are_offered_alone() -> None:
    tts = EnglishOnly()
    async with serving(tts=tts, tts_voice="low"):
        assert {(one.language, one.voice) for one in tts.requests} == {("en", "low")}


async def test_where_no_voice_fits_calls_and_apologies_leave_the_choice_to_the_engine() -> None:
    tts = ToneSynthesizer()
    async with serving(tts=tts, language="sn") as server, aiohttp.ClientSession() as http:
        assert {(one.language, one.voice) for one in tts.requests} == {("en", "tone"), ("sn", None)}
        async with http.get(f"{server.url}/v1/info") as response:
            info = await response.json()
            assert (info["default_language"], info["default_voice"]) == ("sn", None)
        async with http.ws_connect(f"{server.url}/v1/ws") as ws:
            await ws.send_json({"type": "start"})
            started = await ws.receive_json()
            assert (started["language"], started["voice"]) == ("sn", None)


async def test_what_is_known_of_each_voice_is_told() -> None:
    tts = ToneSynthesizer()
    tts.voices = (
        Voice("low", "Low", "en-GB", "male", "espeak", "GPL-3.0-or-later", "https://a.example/l"),
        Voice("tone", "Tone", ""),
    )
    async with serving(tts=tts) as server, aiohttp.ClientSession() as http:
        async with http.get(f"{server.url}/v1/info") as response:
            told = (await response.json())["voices"]
    assert told == [
        {
            "id": "low",
            "name": "Low",
            "language": "en-GB",
            "gender": "male",
            "engine": "espeak",
            "licence": "GPL-3.0-or-later",
            "preview": "https://a.example/l",
        },
        {"id": "tone", "name": "Tone", "language": "", "gender": ""}
        | {"engine": "", "licence": "", "preview": ""},
    ]


class Hanging(ScriptedRecognizer):
    """Answers nothing."""

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        async for _ in audio:
            pass
        await asyncio.Event().wait()
        yield TranscriptChunk("", 0, 0, True, 0.0, "en")


class Broken(ScriptedRecognizer):
    """Takes nothing so short."""

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        raise EngineError("Too short.")
        yield TranscriptChunk("", 0, 0, True, 0.0, "en")


class Reader(ScriptedModel):
    """Reads ahead; has one adapter."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[ReplyRequest] = []

    async def prepare(self, request: ReplyRequest) -> None:
        if request.adapter not in (None, "shona"):
            raise EngineError("There is no such adapter.", code="unknown_adapter")
        self.read.append(request)


async def test_the_engines_hear_and_read_what_a_first_call_begins_with() -> None:
    recognizer, llm = ScriptedRecognizer(""), Reader()
    await warm_up(Settings(llm_adapter="shona"), recognizer, llm)
    (pcm,) = recognizer.fed
    assert pcm and not any(pcm)
    (request,) = llm.read
    assert [message.role for message in request.messages] == ["system"]
    assert request.adapter == "shona"


async def test_a_model_that_does_not_read_ahead_is_asked_nothing_that_may_cost_money() -> None:
    llm = ScriptedModel()
    await warm_up(Settings(), ScriptedRecognizer(""), llm)
    assert llm.requests == []


@pytest.mark.parametrize(
    ("recognizer", "code"), [(Hanging(), "engine_timeout"), (Broken(), "engine_failed")]
)
async def test_an_engine_that_cannot_be_warmed_up_is_told_in_time(
    recognizer: ScriptedRecognizer, code: str
) -> None:
    settings = Settings.model_validate({"timeouts": {"engine_start": 0.01}})
    async with asyncio.timeout(10):
        with pytest.raises(EngineError) as told:
            await warm_up(settings, recognizer, ScriptedModel())
    assert told.value.code == code


async def test_an_adapter_that_no_turn_could_use_is_the_settings_fault() -> None:
    with pytest.raises(ConfigError, match="adapter"):
        await warm_up(Settings(llm_adapter="nosuch"), ScriptedRecognizer(""), Reader())
