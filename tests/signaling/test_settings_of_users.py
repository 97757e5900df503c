"""What users choose for themselves: who may, what is refused, and that it counts."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from tests.support.asked import asking
from tests.support.engines import ScriptedModel, ScriptedRecognizer
from tests.support.server import serving

BOTH = pytest.mark.parametrize("path", ["/v1/settings", "/api/voice/settings"])


class OnlyEnglish(ScriptedRecognizer):
    languages = ("en",)


@BOTH
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"tts_voice": "nobody"}, "unknown_voice"),
        ({"tts_voice": "../../etc/passwd\0"}, "unknown_voice"),
        ({"stt_language": "sn"}, "unknown_language"),
        ({"stt_language": "English, please"}, "unknown_language"),
        ({"voice_mode": "shouting"}, "bad_json"),
        ({"tts_speed": 5}, "bad_json"),
        ({"tts_speed": True}, "bad_json"),
        ({"tts_speed": "1.5"}, "bad_json"),
        ({"tts_format": "flac"}, "bad_json"),
        ({"auto_play": 1}, "bad_json"),
        ({"voice": "low"}, "bad_json"),
        ([], "bad_json"),
    ],
)
async def test_what_is_not_offered_is_refused_and_nothing_is_changed(
    path: str, wrong: Any, code: str
) -> None:
    async with serving(asr=OnlyEnglish()) as server, asking(server, "anna") as client:
        before = (await client.put(path, {"tts_voice": "low"})).told
        if isinstance(wrong, dict):
            wrong = {"tts_format": "wav", **wrong}
        answer = await client.put(path, wrong)
        assert (answer.status, answer.code) == (400, code)
        assert (await client.get(path)).told == before


async def test_an_infinite_speed_is_refused() -> None:
    async with serving() as server, asking(server, "anna") as client:
        for speed in ("1e999", "NaN", "Infinity"):
            headers = {"Content-Type": "application/json"}
            body = f'{{"tts_speed": {speed}}}'
            answer = await client.ask("PUT", "/v1/settings", data=body, headers=headers)
            assert (answer.status, answer.code) == (400, "bad_json")


@BOTH
async def test_settings_belong_to_the_user_whom_the_key_names(path: str) -> None:
    async with serving() as server:
        async with asking(server, "anna") as anna, asking(server, "ben") as ben:
            await anna.put(path, {"tts_voice": "low"})
            assert (await ben.get(path)).told["tts_voice"] is None
            assert (await anna.get(path)).told["tts_voice"] == "low"


@BOTH
async def test_a_key_that_names_nobody_has_no_settings(path: str) -> None:
    async with serving() as server, asking(server, None, "call") as client:
        for answer in (await client.get(path), await client.put(path, {"tts_voice": "low"})):
            assert (answer.status, answer.code) == (401, "user_needed")


@BOTH
async def test_an_open_server_shows_what_counts_for_everybody_and_keeps_nothing(path: str) -> None:
    async with serving(default_voice_mode="transcribe_only") as server, asking(server) as client:
        assert (await client.get(path)).told["voice_mode"] == "transcribe_only"
        answer = await client.put(path, {"tts_voice": "low"})
        assert (answer.status, answer.code) == (401, "user_needed")


async def test_a_language_is_kept_as_it_is_usually_written() -> None:
    async with serving(asr=OnlyEnglish()) as server, asking(server, "anna") as client:
        told = (await client.put("/v1/settings", {"stt_language": "en_GB"})).told
        assert told["stt_language"] == "en-GB"


async def test_a_call_begins_as_its_user_has_chosen() -> None:
    llm = ScriptedModel()
    async with serving(llm=llm) as server, asking(server, "anna") as client:
        await client.put("/v1/settings", {"tts_voice": "low", "tts_speed": 1.5})
        _, key = await server.store.keys.create("phone", frozenset({"call"}), "anna")
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{server.url}/v1/ws") as ws:
            await ws.send_json({"type": "start", "auth": key})
            started = json.loads((await ws.receive()).data)
            assert (started["voice"], started["speed"]) == ("low", 1.5)
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{server.url}/v1/ws") as ws:
            await ws.send_json({"type": "start", "auth": key, "voice": "tone", "speed": 1.0})
            started = json.loads((await ws.receive()).data)
            assert (started["voice"], started["speed"]) == ("tone", 1.0)


async def test_dictation_is_recognised_in_the_language_that_its_user_has_chosen() -> None:
    recognizer = ScriptedRecognizer()
    async with serving(asr=recognizer) as server, asking(server, "anna") as client:
        await client.put("/v1/settings", {"stt_language": "en-GB"})
        _, key = await server.store.keys.create("phone", frozenset({"call"}), "anna")
        from tests.support.voice import speech

        async with aiohttp.ClientSession() as http, http.ws_connect(f"{server.url}/ws/stt") as ws:
            await ws.send_json({"type": "start", "auth": key})
            recognizer.texts = ["hello"]
            await ws.send_bytes((await speech("hello", 16_000)).tobytes()[:60_000])
            await ws.send_json({"type": "stop"})
            assert json.loads((await ws.receive()).data)["text"] == "hello"
    assert recognizer.requests[0].language == "en-GB"


async def test_who_is_only_read_to_may_not_dictate() -> None:
    async with serving() as server, asking(server, "anna") as client:
        await client.put("/v1/settings", {"voice_mode": "tts_only"})
        _, key = await server.store.keys.create("phone", frozenset({"call"}), "anna")
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession() as http:
            async with http.ws_connect(f"{server.url}/ws/stt", headers=headers) as ws:
                told = json.loads((await ws.receive()).data)
                assert (told["type"], told["code"]) == ("error", "not_in_voice_mode")
                assert (await ws.receive()).data == 1008


async def test_the_native_voices_and_capabilities_tell_all_that_is_known() -> None:
    async with serving(asr=OnlyEnglish()) as server, asking(server, "anna") as client:
        voices = (await client.get("/v1/voices")).told
        told = (await client.get("/v1/capabilities")).told
    assert voices["default"] == "tone"
    shown = {"id", "name", "language", "gender", "engine", "licence", "preview"}
    assert [set(voice) for voice in voices["voices"]] == [shown] * 2
    assert set(told) == {
        *("engines", "voices", "default_voice", "languages", "formats", "limits", "modes"),
    }
    assert told["engines"] == {"asr": {"name": "test", "ready": True}}
    assert told["languages"]["recognised"] == ["en"]
    assert told["formats"]["speech"] == ["wav", "mp3", "opus", "aac", "flac", "pcm"]
    assert told["modes"]["current"] == "conversation"
    assert (told["limits"]["upload_bytes"], told["limits"]["dictation_s"]) == (10_000_000, 120.0)
