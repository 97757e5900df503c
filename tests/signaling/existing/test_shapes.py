"""Paths for existing clients: each answer has exactly the members, of the types, that they know."""

from __future__ import annotations

import json
import wave
from base64 import b64decode
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from inzwa_rtc.errors import EngineError
from tests.support.asked import asking, events_of
from tests.support.engines import ScriptedRecognizer, ToneSynthesizer
from tests.support.server import serving
from tests.support.voice import speech

SETTINGS = {
    "voice_mode": "conversation",
    "tts_voice": None,
    "tts_speed": 1.0,
    "tts_format": "opus",
    "auto_play": True,
    "stt_language": None,
}
VOICE_PATHS = [
    ("GET", "/voices"),
    ("POST", "/tts"),
    ("POST", "/api/voice/tts/stream"),
    ("GET", "/api/voice/tts/voices"),
    ("POST", "/api/voice/transcribe"),
    ("GET", "/api/voice/settings"),
    ("PUT", "/api/voice/settings"),
    ("GET", "/api/voice/capabilities"),
    ("GET", "/v1/voices"),
    ("GET", "/v1/settings"),
    ("PUT", "/v1/settings"),
    ("GET", "/v1/capabilities"),
]


async def test_health_tells_the_environment_and_whether_each_engine_is_well() -> None:
    async with serving(environment="staging") as server, asking(server) as client:
        health = (await client.get("/health")).told
    assert health == {
        "status": "ok",
        "environment": "staging",
        "whisper_loaded": True,
        "ollama": False,  # the test server has no state of its language model
        "engines": {"asr": True, "llm": False, "tts": False},
    }


async def test_voices_are_ids_and_the_one_of_those_who_name_none() -> None:
    async with serving() as server, asking(server) as client:
        assert (await client.get("/voices")).told == {"voices": ["tone", "low"], "default": "tone"}


async def test_tts_is_a_wav_file() -> None:
    async with serving() as server, asking(server) as client:
        answer = await client.post("/tts", {"text": "hello there", "voice": "low"})
    assert (answer.status, answer.content_type) == (200, "audio/wav")
    assert answer.body[:4] == b"RIFF"
    assert answer.headers["Transfer-Encoding"] == "chunked"
    tts: ToneSynthesizer = server.engines.tts
    assert tts.requests[-1].voice == "low"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"text": ""}, 400, "empty_text"),
        ({"text": "hello", "voice": "../../etc/passwd\0"}, 400, "unknown_voice"),
        ({"voice": "low"}, 400, "bad_json"),
        ({"text": "a" * 5001}, 400, "text_too_long"),
    ],
)
async def test_tts_refuses_with_json(body: Any, status: int, code: str) -> None:
    async with serving() as server, asking(server) as client:
        answer = await client.post("/tts", body)
    assert (answer.status, answer.code) == (status, code)
    assert set(answer.told) == {"code", "message", "action"}


@pytest.mark.parametrize("form", ["wav", "opus", "mp3"])
async def test_a_stream_of_speech_is_metadata_audio_done(form: str) -> None:
    async with serving() as server, asking(server) as client:
        answer = await client.post("/api/voice/tts/stream", {"text": "hello", "format": form})
    assert (answer.status, answer.content_type) == (200, "text/event-stream")
    names, data = zip(*events_of(answer.body), strict=True)
    told = [json.loads(one) for one in data]
    chunks = told[1:-1]
    assert names == ("metadata", *["audio"] * len(chunks), "done")
    assert told[0] == {
        "sample_rate": 16_000,
        "format": form,
        "voice": "tone",
        "backend": told[0]["backend"],
        "supports_streaming": True,
    }
    assert isinstance(told[0]["backend"], str)
    assert [chunk["index"] for chunk in chunks] == list(range(len(chunks)))
    assert all(set(chunk) == {"chunk", "index"} for chunk in chunks)
    file = b"".join(b64decode(chunk["chunk"]) for chunk in chunks)
    assert file[:3] in (b"RIF", b"Ogg", b"ID3") or file[0] == 0xFF
    assert told[-1] == {"total_chunks": len(chunks)}


async def test_a_stream_is_spoken_as_the_user_has_chosen() -> None:
    async with serving() as server, asking(server, "anna") as client:
        await client.put(
            "/api/voice/settings", {"tts_voice": "low", "tts_speed": 1.5, "tts_format": "wav"}
        )
        answer = await client.post("/api/voice/tts/stream", {"text": "hello"})
        metadata = json.loads(events_of(answer.body)[0][1])
        assert (metadata["voice"], metadata["format"]) == ("low", "wav")
        tts: ToneSynthesizer = server.engines.tts
        assert tts.requests[-1].speed == 1.5
        await client.post("/api/voice/tts/stream", {"text": "bye", "voice": "tone", "speed": 2})
        assert (tts.requests[-1].voice, tts.requests[-1].speed) == ("tone", 2.0)


class BreaksOff(ToneSynthesizer):
    """Fails in the midst of a text that asks for it."""

    async def synthesize(self, request: Any) -> Any:
        async for chunk in super().synthesize(request):
            yield chunk
            if "break" in request.text:
                raise EngineError("It broke.", action="Try again.")


async def test_a_stream_that_cannot_go_on_says_so() -> None:
    async with serving(tts=BreaksOff()) as server, asking(server) as client:
        text = "please break off now. " * 30
        answer = await client.post("/api/voice/tts/stream", {"text": text, "format": "wav"})
    events = events_of(answer.body)
    assert events[0][0] == "metadata"
    assert events[-1][0] == "error"
    error = json.loads(events[-1][1])
    assert error == {"code": "engine_failed", "message": error["message"]}


async def test_a_stream_that_cannot_begin_is_an_ordinary_error() -> None:
    tts = ToneSynthesizer()
    async with serving(tts=tts) as server, asking(server) as client:
        tts.failures = [EngineError("It broke.", action="Try again.")]
        answer = await client.post("/api/voice/tts/stream", {"text": "hello to nobody"})
    assert (answer.status, answer.code) == (502, "engine_failed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"speed": 0.4},
        {"speed": 2.1},
        {"speed": True},
        {"format": "flac"},
        {"voice": "nobody"},
        {"text": "a" * 5001},
    ],
)
async def test_a_stream_refuses_what_its_clients_may_not_ask(wrong: dict[str, Any]) -> None:
    async with serving() as server, asking(server) as client:
        answer = await client.post("/api/voice/tts/stream", {"text": "hello", **wrong})
    assert answer.status == 400


def recording(data: bytes, **fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("audio", data, filename="said.wav", content_type="audio/wav")
    for name, value in fields.items():
        form.add_field(name, value)
    return form


async def wav(text: str) -> bytes:
    pcm = (await speech(text, 16_000)).tobytes()
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(pcm)
    return file.getvalue()


async def test_a_recording_is_written_down() -> None:
    recognizer = ScriptedRecognizer("good morning")
    async with serving(asr=recognizer) as server, asking(server) as client:
        data = recording(await wav("good morning to all of you"), language="sn")
        answer = await client.ask("POST", "/api/voice/transcribe", data=data)
        told = answer.told
    assert answer.status == 200
    assert told == {
        "text": "good morning",
        "language": "en",
        "confidence": 1.0,
        "duration": told["duration"],
    }
    assert isinstance(told["duration"], float)
    assert recognizer.requests[0].language == "sn"


async def test_what_is_no_recording_is_400_and_one_too_large_413() -> None:
    limits = {"upload": 100_000}
    async with serving(limits=limits) as server, asking(server) as client:
        path = "/api/voice/transcribe"
        answer = await client.ask("POST", path, data=recording(b"%PDF-1.7 and so on"))
        assert (answer.status, answer.code) == (400, "unsupported_audio")
        answer = await client.ask("POST", path, data=recording(bytes(100_001)))
        assert (answer.status, answer.code) == (413, "too_large")
        answer = await client.ask("POST", path, data={"language": "en"})
        assert answer.status in (400, 415)


async def test_voices_have_id_name_language_and_gender() -> None:
    async with serving() as server, asking(server) as client:
        assert (await client.get("/api/voice/tts/voices")).told == [
            {"id": "tone", "name": "Tone", "language": "en", "gender": ""},
            {"id": "low", "name": "Low", "language": "en", "gender": ""},
        ]


async def test_capabilities_are_those_of_the_voice_mode() -> None:
    async with serving(asr_language="en") as server, asking(server, "anna") as client:
        told = (await client.get("/api/voice/capabilities")).told
        assert told == {
            "tts_enabled": True,
            "stt_enabled": True,
            "tts_backend": told["tts_backend"],
            "stt_backend": "test",
            "tts_voices": [{"id": "tone", "name": "Tone"}, {"id": "low", "name": "Low"}],
            "stt_languages": ["en"],
        }
        await client.put("/api/voice/settings", {"voice_mode": "tts_only"})
        told = (await client.get("/api/voice/capabilities")).told
        assert (told["tts_enabled"], told["stt_enabled"]) == (True, False)


@pytest.mark.parametrize("path", ["/api/voice/settings", "/v1/settings"])
async def test_settings_are_the_six_that_clients_know(path: str) -> None:
    async with serving() as server, asking(server, "anna") as client:
        assert (await client.get(path)).told == SETTINGS
        changed = {**SETTINGS, "tts_voice": "low", "tts_speed": 1.5, "stt_language": "en"}
        answer = await client.put(path, {"tts_voice": "low", "tts_speed": 1.5})
        assert (answer.status, answer.told) == (200, {**changed, "stt_language": None})
        answer = await client.put(path, {"stt_language": "en", "auto_play": True})
        assert answer.told == changed
        assert (await client.get(path)).told == changed
        answer = await client.put(path, dict.fromkeys(SETTINGS))
        assert answer.told == SETTINGS


@pytest.mark.parametrize(("method", "path"), VOICE_PATHS)
async def test_all_of_it_is_503_where_voice_is_disabled(method: str, path: str) -> None:
    async with serving(voice_enabled=False) as server, asking(server, "anna") as client:
        answer = await client.ask(method, path, json={"text": "hello"} if "tts" in path else {})
    assert (answer.status, answer.code) == (503, "voice_disabled")
