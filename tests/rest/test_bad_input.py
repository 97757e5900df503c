"""What nobody should send: refused as the client's fault, while a call goes on."""

from __future__ import annotations

import base64
import gzip
import io
import json
import struct
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from inzwa_rtc.audio.ogg import ogg_opus
from tests.support.recordings import RATE, UNTOLD, recorded, wav
from tests.support.server import ServingEmbedded

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEEP = "[" * 100_000 + "]" * 100_000
BIG = "9" * 5_000
TEXT = '"text": "Hello"'

UNENDED = "[" * 33 + '"' + '\\"' * 120_000  # 240 KB; each quotation mark may begin a string


def with_arguments(arguments: str) -> str:
    """A dialogue in which a tool was called so."""
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "done"},
    ]
    return json.dumps({"model": "o3", "messages": messages})


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


BAD_JSON: dict[str, tuple[str, str | bytes]] = {
    "nothing": ("/v1/tts", ""),
    "no object": ("/v1/tts", "[]"),
    "nested deeply": ("/v1/tts", DEEP),
    "nested deeply inside": ("/v1/tts", f'{{{TEXT}, "x": {DEEP}}}'),
    "nested deeply in a large body": ("/v1/asr", f'{{"audio_base64": {"[" * 2_000_000}}}'),
    "a digit too many": ("/v1/tts", f'{{{TEXT}, "speed": {BIG}}}'),
    "infinite": ("/v1/tts", f'{{{TEXT}, "speed": 1e999}}'),
    "not a number": ("/v1/tts", f'{{{TEXT}, "speed": NaN}}'),
    "true for a number": ("/v1/tts", f'{{{TEXT}, "speed": true}}'),
    "a string for a number": ("/v1/tts", f'{{{TEXT}, "speed": "1"}}'),
    "half a character": ("/v1/tts", '{"text": "\\ud800"}'),
    "no UTF-8": ("/v1/tts", b'{"text": "\xff"}'),
    "a path for a voice": ("/v1/tts", f'{{{TEXT}, "voice": "../../etc/passwd\\u0000"}}'),
    "a path for a language": ("/v1/tts", f'{{{TEXT}, "language": "../../etc/passwd"}}'),
    "a path for a format": ("/v1/tts", f'{{{TEXT}, "format": "../../etc"}}'),
    "too long a text": ("/v1/tts", json.dumps({"text": "a" * 50_001})),
    "too large a body": ("/v1/tts", json.dumps({"text": "a" * 300_000})),
    "no base64": ("/v1/asr", '{"audio_base64": "%%%"}'),
    "half a base64": ("/v1/asr", '{"audio_base64": "abc"}'),
    "an odd byte": ("/v1/asr", '{"audio_base64": "YWJj", "sample_rate": 16000}'),
    "no rate at all": ("/v1/asr", '{"audio_base64": "YWJjZA==", "sample_rate": 0}'),
    "a rate below all": ("/v1/asr", '{"audio_base64": "YWJjZA==", "sample_rate": -16000}'),
    "a rate of too many digits": (
        "/v1/asr",
        f'{{"audio_base64": "YWJjZA==", "sample_rate": {BIG}}}',
    ),
    "no sound": ("/v1/asr", '{"audio_base64": ""}'),
    "nobody's role": ("/v1/chat", '{"messages": [{"role": "root", "content": "Hello"}]}'),
    "no messages": ("/v1/chat", '{"messages": []}'),
    "too many tokens": (
        "/v1/chat",
        f'{{"messages": [{{"role": "user", "content": "Hi"}}], "max_tokens": {BIG}}}',
    ),
    "no end of a seed": (
        "/v1/chat/completions",
        f'{{"model": "o3", "messages": [{{"role": "user", "content": "Hi"}}], "seed": {BIG}}}',
    ),
    "strings that do not end": ("/v1/chat", UNENDED),
    "strings that do not end but with a backslash": ("/v1/chat", UNENDED + "\\"),
    "brackets in a string that does not end": ("/v1/chat", '"' + '[\\"' * 80_000),
    "arguments that are no JSON": ("/v1/chat/completions", with_arguments(DEEP)),
    "arguments a level too deep": ("/v1/chat/completions", with_arguments(nested(33))),
    "arguments that are nested": ("/v1/chat/completions", with_arguments(nested(900))),
    "arguments that are nested deeply": ("/v1/chat/completions", with_arguments(nested(3_000))),
    "a schema that is nested": (
        "/v1/chat/completions",
        '{"model": "o3", "messages": [{"role": "user", "content": "Hi"}], "tools": [{"type":'
        f' "function", "function": {{"name": "f", "parameters": {nested(900)}}}}}]}}',
    ),
    "a shape of the reply that is nested": (
        "/v1/chat/completions",
        '{"model": "o3", "messages": [{"role": "user", "content": "Hi"}],'
        f' "response_format": {{"type": "text", "json_schema": {nested(900)}}}}}',
    ),
    "a voice of another kind": (
        "/v1/audio/speech",
        '{"model": "tts-1", "input": "Hello", "voice": 3}',
    ),
}


def ogg_of_ten_hours() -> bytes:
    """A second of nothing whose last page says that ten hours are over."""
    packet = b"\xf8\xff\xfe"
    file = bytearray(ogg_opus([packet] * 50, 312, 24_000))
    last = file.rindex(b"OggS")
    struct.pack_into("<q", file, last + 6, 10 * 3600 * 48_000)
    return bytes(file)


BAD_AUDIO = {
    "a playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "a concatenation": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "a session description": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
    "text": b"concat:/etc/passwd|/etc/shadow",
    "a tail of nothing": b"RIFF\xff\xff\xff\xffWAVE",
    "no length and no sound": wav(b"", size=UNTOLD),
    "0 Hz": wav(bytes(3200), rate=0),
    "1 Hz": wav(bytes(3200), rate=1),
    "4 GHz": wav(bytes(3200), rate=UNTOLD),
    "255 channels": wav(bytes(51_000), channels=255),
    "no channels": wav(bytes(3200), channels=0),
    "no numbers": wav(struct.pack("<f", float("nan")) * 8_000, bits=32, form=3),
    "infinite numbers": wav(struct.pack("<f", float("inf")) * 8_000, bits=32, form=3),
    "an unknown codec": wav(bytes(3200), form=0x1234),
    "ten hours of Ogg": ogg_of_ten_hours(),
    "Ogg that is none": b"OggS" + bytes(range(256)) * 20,
    "WebM that is none": b"\x1aE\xdf\xa3" + bytes(range(256)) * 20,
    "MP4 that is none": b"\0\0\0\x20ftypM4A " + bytes(range(256)) * 20,
    "FLAC that is none": b"fLaC" + bytes(range(256)) * 20,
    "MP3 that is none": b"\xff\xfb\x90\x00" + b"\xff" * 5_000,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def call(embedded: ServingEmbedded) -> AsyncIterator[aiohttp.ClientSession]:
    """A client, beside a call that is held all the while."""
    async with aiohttp.ClientSession(embedded.url) as client:
        async with client.ws_connect("/v1/ws") as socket:
            await socket.send_json({"type": "start", "codec": "pcm16", "sample_rate": 16000})
            yield client
            assert await _answers(socket)


async def _answers(socket: aiohttp.ClientWebSocketResponse) -> bool:
    """Whether the call is still answered."""
    await socket.send_json({"type": "text", "text": "how are you"})
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            event = message.json()
            if event["type"] == "llm.final" and "well" in event["text"]:
                return True
    return False


@pytest.mark.parametrize("name", BAD_JSON)
async def test_bad_json_is_the_clients_fault(call: aiohttp.ClientSession, name: str) -> None:
    path, body = BAD_JSON[name]
    sent = io.BytesIO(body.encode() if isinstance(body, str) else body)
    answer = await call.post(path, data=sent, headers={"Content-Type": "application/json"})
    told = await answer.json()
    assert 400 <= answer.status < 500
    assert told.get("code") or told["error"]["code"]
    assert "passwd" not in json.dumps(told)


@pytest.mark.parametrize("name", BAD_AUDIO)
async def test_bad_audio_is_the_clients_fault(call: aiohttp.ClientSession, name: str) -> None:
    sound = BAD_AUDIO[name]
    in_json = await call.post("/v1/asr", json={"audio_base64": base64.b64encode(sound).decode()})
    form = aiohttp.FormData({"model": "whisper-1"})
    form.add_field("file", sound, filename="sound.wav", content_type="audio/wav")
    in_form = await call.post("/v1/audio/transcriptions", data=form)
    assert 400 <= in_json.status < 500 and (await in_json.json())["code"]
    assert 400 <= in_form.status < 500 and (await in_form.json())["error"]["code"]


async def test_arguments_may_be_as_deep_as_a_body(call: aiohttp.ClientSession) -> None:
    body = with_arguments(nested(32))
    answer = await call.post("/v1/chat/completions", json=json.loads(body))
    assert answer.status == 200, await answer.text()


FORMS = {
    "no boundary": ("multipart/form-data", b"--x\r\n\r\n--x--"),
    "no parts": ("multipart/form-data; boundary=x", b"--x--\r\n"),
    "no end": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc',
    ),
    "no name": ("multipart/form-data; boundary=x", b"--x\r\n\r\nabc\r\n--x--\r\n"),
    "a form in a form": (
        "multipart/form-data; boundary=x",
        b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n",
    ),
    "too many parts": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 100 + b"--x--\r\n",
    ),
    "a field that is a file": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\n'
        + bytes(100_000)
        + b"\r\n--x--\r\n",
    ),
    "no text": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\n\xff\r\n--x--\r\n',
    ),
    "no form": ("application/json", b"{}"),
}


@pytest.mark.parametrize("name", FORMS)
async def test_a_bad_form_is_the_clients_fault(call: aiohttp.ClientSession, name: str) -> None:
    content_type, body = FORMS[name]
    answer = await call.post(
        "/v1/audio/transcriptions", data=body, headers={"Content-Type": content_type}
    )
    assert 400 <= answer.status < 500 and (await answer.json())["error"]["code"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
@pytest.mark.parametrize("name", ["rubbish", "a bomb"])
@pytest.mark.parametrize("path", ["/v1/tts", "/v1/calls", "/v1/audio/transcriptions"])
async def test_a_compressed_body_is_refused(
    call: aiohttp.ClientSession, path: str, name: str, encoding: str
) -> None:
    body = b"rubbish" if name == "rubbish" else gzip.compress(bytes(10_000_000))
    kind = "multipart/form-data; boundary=x" if "audio" in path else "application/json"
    headers = {"Content-Type": kind, "Content-Encoding": encoding}
    answer = await call.post(path, data=body, headers=headers)
    told = await answer.json()
    assert answer.status == 415
    assert told.get("code", told.get("error", {}).get("code")) == "unsupported_encoding"


async def test_a_stream_that_was_saved_as_wav_is_read_as_long_as_it_lasts(
    call: aiohttp.ClientSession,
) -> None:
    """Its header says nothing true about its length, and it is good all the same."""
    sound = wav((await recorded("what time is it"))[44:] + bytes(RATE), size=UNTOLD)
    answer = await call.post("/v1/asr", json={"audio_base64": base64.b64encode(sound).decode()})
    assert (await answer.json())["text"] == "what time is it"
