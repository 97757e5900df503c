"""Speech servers that behave, the sound that they make, and asking an engine for it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import Any

import av
import numpy as np
import pytest
from aiohttp import WSCloseCode, web

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest
from inzwa_rtc.errors import EngineError
from tests.engines.remote.asking import CANARY
from tests.engines.remote.fake_server import ASKED, Behaviour
from tests.engines.remote.obliging import refusal

RATE = 24_000
REQUEST = SpeechRequest(f"Good morning, {CANARY}, and welcome.")
VOICE_IDS = ("21m00Tcm4TlvDq8ikWAM", "AZnzlk1XvdvUeBnXmlld", "EXAVITQu4vr4xnSDxMaL")
MS_PER_CHARACTER = 50


async def speech(engine: Any, request: SpeechRequest = REQUEST) -> list[SpeechChunk]:
    async with asyncio.timeout(30), aclosing(engine.synthesize(request)) as chunks:
        return [chunk async for chunk in chunks]


async def spoken(engine: Any, request: SpeechRequest = REQUEST) -> bytes:
    return b"".join([chunk.pcm for chunk in await speech(engine, request)])


async def error_of(engine: Any, request: SpeechRequest = REQUEST) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await speech(engine, request)
    assert CANARY not in str(caught.value)
    assert caught.value.action
    return caught.value


def tone(ms: float, rate: int = RATE) -> bytes:
    """int16 of a 300 Hz tone."""
    at = np.arange(int(rate * ms / 1000)) / rate
    samples: bytes = (np.sin(at * 2 * np.pi * 300) * 8000).astype("<i2").tobytes()
    return samples


def wav(pcm: bytes, *, rate: int = RATE, size: int | None = None, channels: int = 1) -> bytes:
    """A WAV file; `size` is what it says of its length, where that is not the truth."""
    told = len(pcm) if size is None else size
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    return (
        b"RIFF" + struct.pack("<I", min(told + 36, 0xFFFFFFFF)) + b"WAVEfmt "
        + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", told) + pcm
    )  # fmt: skip


def encoded(pcm: bytes, form: str, rate: int = RATE) -> bytes:
    """The sound in one of the formats that servers send."""
    muxer, codec = {
        "mp3": ("mp3", "libmp3lame"),
        "opus": ("ogg", "libopus"),
        "aac": ("adts", "aac"),
        "flac": ("flac", "flac"),
    }[form]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=muxer) as out:
        stream: Any = out.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = rate
        cut = av.AudioResampler(
            format=stream.codec_context.format,
            layout="mono",
            rate=rate,
            frame_size=stream.codec_context.frame_size or 1024,
        )
        for part in [*cut.resample(frame), *cut.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return buffer.getvalue()


def _pieces(pcm: bytes, ms: int = 100) -> Iterator[bytes]:
    size = RATE * 2 * ms // 1000
    yield from (pcm[start : start + size] for start in range(0, len(pcm), size))


async def _send(request: web.Request, kind: str, pieces: Iterator[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": kind})
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
        await asyncio.sleep(0)  # others have their turn, the client's hang-up too
    await response.write_eof()
    return response


async def openai_speech(request: web.Request) -> web.StreamResponse:
    """`/v1/audio/speech`: as long as the text is."""
    body = request[ASKED].body
    if len(body["input"]) > 4096:
        return refusal(400, "string_above_max_length", "too long")
    pcm = tone(len(body["input"]) * MS_PER_CHARACTER / body.get("speed", 1))
    form = body["response_format"]
    if form == "pcm":
        return await _send(request, "audio/pcm", _pieces(pcm))
    if form == "wav":
        return await _send(request, "audio/wav", _pieces(wav(pcm, size=0xFFFFFFFF)))
    return await _send(request, f"audio/{form}", _pieces(encoded(pcm, form), 10))


def _eleven_pieces(text: str, speed: float, named: str) -> Iterator[dict[str, Any]]:
    """The speech of a text in pieces of 8 characters, each with its times."""
    ms = MS_PER_CHARACTER / speed
    for start in range(0, len(text), 8):
        part = text[start : start + 8]
        sound = base64.b64encode(tone(len(part) * ms)).decode()
        if named == "http":
            starts = [(start + place) * ms / 1000 for place in range(len(part))]
            times = {"characters": list(part), "character_start_times_seconds": starts}
            yield {"audio_base64": sound, "alignment": times}
        else:
            starts = [round(place * ms) for place in range(len(part))]
            yield {
                "audio": sound,
                "isFinal": None,
                "alignment": {"chars": list(part), "charStartTimesMs": starts},
            }


async def elevenlabs(request: web.Request) -> web.StreamResponse:
    """`/v2/voices` in two pages, and the three ways of speaking."""
    if request.path == "/v2/voices":
        return _voice_page(request)
    if request.path.endswith("/stream-input"):
        return await _elevenlabs_socket(request)
    body = request[ASKED].body
    speed = body.get("voice_settings", {}).get("speed", 1)
    if not 0.7 <= speed <= 1.2:
        return web.json_response({"detail": {"status": "invalid_speed"}}, status=400)
    if request.path.endswith("/with-timestamps"):
        lines = (
            json.dumps(one).encode() + b"\n" for one in _eleven_pieces(body["text"], speed, "http")
        )
        return await _send(request, "application/json", lines)
    pcm = tone(len(body["text"]) * MS_PER_CHARACTER / speed)
    return await _send(request, "audio/pcm", _pieces(pcm))


def _voice_page(request: web.Request) -> web.Response:
    first = "next_page_token" not in request.query
    ids = VOICE_IDS[:2] if first else VOICE_IDS[2:]
    voices = [
        {
            "voice_id": one,
            "name": {0: "Rachel", 1: "George - Warm", 2: "Sarah"}[VOICE_IDS.index(one)],
            "labels": {"gender": "female", "language": "en"},
            "preview_url": f"https://media.example/{one}.mp3",
        }
        for one in ids
    ]
    token = "second" if first else None
    return web.json_response({"voices": voices, "has_more": first, "next_page_token": token})


async def _elevenlabs_socket(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    text, speed, opened = "", 1.0, False
    async for message in socket:
        told = json.loads(message.data)
        request[ASKED].form.setdefault("messages", []).append(told)
        if not opened:
            assert told["text"] == " ", "a speech is opened with a blank"
            opened = True
            speed = told.get("voice_settings", {}).get("speed", 1.0)
        elif told["text"] == "":
            break
        else:
            assert told["text"].endswith(" ")
            text += told["text"]
    for piece in _eleven_pieces(text, speed, "socket"):
        await socket.send_json(piece)
        await asyncio.sleep(0)
    await socket.send_json({"audio": None, "isFinal": True})
    await socket.close()
    return socket


async def alltalk(request: web.Request) -> web.StreamResponse:
    """`/api/voices`, the streaming interface and the stop."""
    if request.path == "/api/voices":
        return web.json_response(
            {"status": "success", "voices": ["male_01.wav", "female_01.wav", "latent:a.json"]}
        )
    if request.path == "/api/stop-generation":
        return web.json_response({"message": "Cancelling current TTS generation"})
    pcm = tone(len(request.query["text"]) * MS_PER_CHARACTER)
    return await _send(request, "audio/wav", _pieces(wav(pcm, size=0)))


def sends(messages: Sequence[Any], code: int = WSCloseCode.OK) -> Behaviour:
    """A WebSocket that says these, whatever it is told, and closes."""

    async def behave(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for message in messages:
            await socket.send_str(message if isinstance(message, str) else json.dumps(message))
        await socket.close(code=code, message=CANARY.encode())
        return socket

    return behave
