"""The client of ElevenLabs: voices, requests, word times, and what its errors mean."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pydantic import ValidationError

from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.tts.elevenlabs.options import ElevenLabsOptions
from inzwa_rtc.errors import EngineError, EngineUnavailable
from tests.engines.remote import speaking
from tests.engines.remote.asking import CANARY, Make
from tests.engines.remote.fake_server import Behaviour, FakeServer, answers
from tests.engines.remote.speaking import (
    REQUEST,
    VOICE_IDS,
    error_of,
    sends,
    speech,
    spoken,
)


class TestVoices:
    async def test_all_pages_are_read_and_the_default_is_first(
        self, elevenlabs: Make, server: FakeServer
    ) -> None:
        server.will(speaking.elevenlabs)
        engine = await asyncio.to_thread(elevenlabs, check_at_start=True, voice="sarah")
        assert [voice.name for voice in engine.voices] == ["Sarah", "Rachel", "George - Warm"]
        first = engine.voices[0]
        assert (first.id, first.gender, first.language) == (VOICE_IDS[2], "female", "en")
        assert first.preview.startswith("https://media.example/")
        assert [asked.headers["xi-api-key"] for asked in server.asked] == ["key", "key"]

    @pytest.mark.parametrize("wanted", [VOICE_IDS[1], "George - Warm", "george"])
    async def test_a_voice_is_known_by_its_id_and_its_name(
        self, elevenlabs: Make, server: FakeServer, wanted: str
    ) -> None:
        server.will(speaking.elevenlabs)
        engine = await asyncio.to_thread(elevenlabs, check_at_start=True)
        await speech(engine, SpeechRequest("One.", wanted))
        assert f"/{VOICE_IDS[1]}/" in server.asked[-1].path

    async def test_an_id_that_is_not_in_the_list_is_tried(
        self, elevenlabs: Make, server: FakeServer
    ) -> None:
        server.will(speaking.elevenlabs)
        library = "JBFqnCBsd6RMkjVDRZzb"
        engine = await asyncio.to_thread(elevenlabs, check_at_start=True, voice=library)
        assert engine.voices[0].id == library
        await speech(engine)
        assert f"/{library}/" in server.asked[-1].path

    async def test_a_default_voice_that_is_not_there_is_refused_at_start(
        self, elevenlabs: Make, server: FakeServer
    ) -> None:
        server.will(speaking.elevenlabs)
        with pytest.raises(EngineError, match=VOICE_IDS[0]) as refused:
            await asyncio.to_thread(elevenlabs, check_at_start=True, voice="Nobody")
        assert refused.value.code == "unknown_voice"

    async def test_a_name_that_two_voices_share_is_refused(
        self, elevenlabs: Make, server: FakeServer
    ) -> None:
        voices = [{"voice_id": one, "name": "Anna"} for one in VOICE_IDS[:2]]
        server.will(answers({"voices": voices}))
        with pytest.raises(EngineError, match="use the id"):
            await asyncio.to_thread(elevenlabs, check_at_start=True, voice="Anna")

    @pytest.mark.parametrize(
        ("behaviour", "named"),
        [
            (answers({"detail": {"status": "invalid_api_key"}}, 401), "tts.api_key"),
            (answers({"detail": "Not Found"}, 404), "tts.base_url"),
            (answers({"detail": {"status": "voice_not_found"}}, 404), "tts.base_url"),
            (answers({"voices": []}), "no voices"),
            (answers({"voices": [1]}), "base_url"),
            (answers({"voices": [{}]}), "base_url"),
            (answers("<html>", 200, "text/html"), "base_url"),
        ],
    )
    async def test_what_is_wrong_is_found_at_start(
        self, elevenlabs: Make, server: FakeServer, behaviour: Behaviour, named: str
    ) -> None:
        server.will(behaviour)
        with pytest.raises(EngineError, match=named):
            await asyncio.to_thread(elevenlabs, check_at_start=True)

    async def test_a_list_whose_pages_do_not_end_is_read_no_further(
        self, elevenlabs: Make, server: FakeServer
    ) -> None:
        page = {
            "voices": [{"voice_id": VOICE_IDS[0], "name": "Anna"}],
            "has_more": True,
            "next_page_token": "again",
        }
        server.will(answers(page))
        engine = await asyncio.to_thread(elevenlabs, check_at_start=True)
        assert len(engine.voices) == 1
        assert len(server.asked) == 50

    def test_the_key_in_the_environment_goes_to_elevenlabs_alone(
        self, elevenlabs: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ELEVENLABS_API_KEY", "key")
        elevenlabs(api_key=None, base_url="https://api.elevenlabs.io")
        with pytest.raises(EngineUnavailable, match=r"tts\.api_key"):
            elevenlabs(api_key=None)


class TestRequests:
    async def test_it_has_what_the_options_say(self, elevenlabs: Make, server: FakeServer) -> None:
        server.will(speaking.elevenlabs)
        engine = elevenlabs(
            stability=0.4, similarity_boost=0.8, style=0, use_speaker_boost=False, seed=7
        )
        await speech(engine, SpeechRequest("One\x07two.", language="en-GB", speed=1.1))
        (asked,) = server.asked
        assert asked.path == f"/v1/text-to-speech/{VOICE_IDS[0]}/stream/with-timestamps"
        assert asked.headers["xi-api-key"] == "key"
        assert asked.body == {
            "text": "One two.",
            "model_id": "eleven_flash_v2_5",
            "language_code": "en",
            "seed": 7,
            "voice_settings": {
                "stability": 0.4,
                "similarity_boost": 0.8,
                "style": 0,
                "use_speaker_boost": False,
                "speed": 1.1,
            },
        }

    async def test_what_is_not_set_is_left_to_the_voice(
        self, elevenlabs: Make, server: FakeServer
    ) -> None:
        server.will(speaking.elevenlabs)
        await speech(elevenlabs(model="eleven_multilingual_v2", word_times=False))
        assert server.asked[0].path.endswith("/stream")
        assert server.asked[0].body == {"text": REQUEST.text, "model_id": "eleven_multilingual_v2"}

    @pytest.mark.parametrize("transport", ["http", "websocket"])
    async def test_words_have_their_times(
        self, elevenlabs: Make, server: FakeServer, transport: str
    ) -> None:
        """In pieces of 8 characters: over HTTP the times count from the beginning of the speech,
        over a WebSocket from that of the piece."""
        server.will(speaking.elevenlabs)
        text = "Good morning -- and\nwelcome, \N{BIRD} friend."
        chunks = await speech(elevenlabs(transport=transport), SpeechRequest(text))
        words = [word for chunk in chunks for word in chunk.words]
        assert [text[word.offset : word.offset + word.length] for word in words] == [
            "Good", "morning", "and", "welcome,", "friend.",
        ]  # fmt: skip
        for word in words:
            assert word.start_ms == pytest.approx(word.offset * speaking.MS_PER_CHARACTER, abs=1)

    @pytest.mark.parametrize(("speed", "asked"), [(0.25, 0.7), (4.0, 1.2)])
    async def test_a_pace_beyond_its_own_is_reached_here(
        self, elevenlabs: Make, server: FakeServer, speed: float, asked: float
    ) -> None:
        server.will(speaking.elevenlabs)
        engine, request = elevenlabs(), SpeechRequest("w" * 40, speed=speed)
        heard = await spoken(engine, request)
        assert server.asked[0].body["voice_settings"]["speed"] == asked
        assert len(heard) / 48 == pytest.approx(40 * speaking.MS_PER_CHARACTER / speed, rel=0.05)

    @pytest.mark.parametrize(
        ("model", "longest"),
        [
            ("eleven_v3", 5000),
            ("eleven_multilingual_v2", 10_000),
            ("eleven_flash_v2_5", 40_000),
            ("eleven_v9", 5000),
        ],
    )
    def test_each_model_has_its_limit(self, elevenlabs: Make, model: str, longest: int) -> None:
        assert elevenlabs(model=model).max_chars == longest
        assert elevenlabs(model=model, max_chars=77).max_chars == 77

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"model": "eleven_v3", "transport": "websocket"}, "transport"),
            ({"sample_rate": 48_000, "transport": "websocket"}, "sample_rate"),
            ({"check_at_start": False, "voice": "Rachel"}, "id"),
            ({"stability": 1.1}, "stability"),
            ({"sample_rate": 12_345}, "sample_rate"),
        ],
    )
    def test_options_that_cannot_be_are_refused(self, options: Any, named: str) -> None:
        with pytest.raises(ValidationError, match=named):
            ElevenLabsOptions.model_validate(options)


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "name", "code", "named"),
        [
            (401, "quota_exceeded", "quota_exceeded", "balance"),
            (401, "invalid_api_key", "engine_unavailable", "tts.api_key"),
            (400, "voice_not_found", "unknown_voice", "tts.voice"),
            (404, "voice_not_found", "unknown_voice", "tts.voice"),
            (404, "model_not_found", "engine_unavailable", "tts.model"),
            (400, "max_character_limit_exceeded", "text_too_long", "tts.max_chars"),
            (400, "unsupported_language", "unknown_language", "tts.tell_language"),
            (400, "model_not_found", "engine_unavailable", "tts.model"),
            (429, "too_many_concurrent_requests", "engine_busy", "limits"),
        ],
    )
    async def test_they_are_told_by_their_names(
        self, elevenlabs: Make, server: FakeServer, status: int, name: str, code: str, named: str
    ) -> None:
        server.will(answers({"detail": {"status": name, "message": CANARY}}, status))
        error = await error_of(elevenlabs())
        assert error.code == code
        assert named in error.action
        server.will(sends([{"error": name, "message": CANARY, "code": 1008}], 1008))
        error = await error_of(elevenlabs(transport="websocket"))
        assert error.code == code

    @pytest.mark.parametrize("transport", ["http", "websocket"])
    @pytest.mark.parametrize("told", [{"detail": "Not Found"}, {"detail": {"status": "x"}}, {}])
    async def test_an_address_that_is_not_there_is_no_missing_voice(
        self, elevenlabs: Make, server: FakeServer, transport: str, told: Any
    ) -> None:
        """It stays wrong, so the engine is left alone after a while: see `chain`."""
        server.will(answers(told, 404))
        error = await error_of(elevenlabs(transport=transport))
        assert isinstance(error, EngineUnavailable)
        assert "`tts.base_url`" in error.action

    @pytest.mark.parametrize(
        "odd",
        [
            {"alignment": {"characters": ["a"], "character_start_times_seconds": []}},
            {"alignment": {"characters": [1], "character_start_times_seconds": [0]}},
            {"alignment": {"characters": ["a"], "character_start_times_seconds": ["x"]}},
            {"alignment": {"characters": ["a"], "character_start_times_seconds": [1e400]}},
            {"alignment": [1]},
            {"audio_base64": "%%%"},
            {"audio_base64": 1},
        ],
    )
    async def test_a_message_that_is_none_is_an_error(
        self, elevenlabs: Make, server: FakeServer, odd: dict[str, Any]
    ) -> None:
        server.will(answers(json.dumps({"audio_base64": "AAAA"} | odd)))
        assert "is not an answer" in str(await error_of(elevenlabs()))
