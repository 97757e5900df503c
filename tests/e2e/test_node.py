"""A second WebRTC stack: libwebrtc, as mobile apps embed it, holds whole calls with the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.caller import calling
from tests.support.engines import ScriptedModel, ScriptedRecognizer
from tests.support.plugged import PluggedESpeak, PluggedESpeakOptions
from tests.support.plugin import Plugin
from tests.support.server import Serving, serving
from tests.support.sound import assert_heard
from tests.support.voice import Samples, resampled, speech

pytestmark = pytest.mark.node

NODE = Path(__file__).parent.parent / "node"
RATE = 48_000
MS = RATE // 1000
SECONDS = 60  # far more than any step takes on a busy machine
QUESTION = "Hello there, can you hear me well from over here?"
SETTLING_MS = 500  # what a jitter buffer may hold on a busy machine; on a quiet one 60
NO_GREETING = {"call": {"greeting": ""}}
REPLY = "Yes, I can hear you very well. What would you like to talk about today?"


class Phone:
    """A Node.js process that holds one call."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.events: list[dict[str, Any]] = []
        self._process = process
        self._folder = folder
        self._told = asyncio.Event()
        self._said = 0

    def say(self, samples: Samples) -> None:
        """Speak these samples (48 kHz) into the microphone."""
        self._said += 1
        file = self._folder / f"said-{self._said}.pcm"
        file.write_bytes(samples.tobytes())
        self.do("say", file=str(file))

    def send(self, **message: Any) -> None:
        self.do("send", message=message)

    def do(self, what: str, **members: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **members}).encode() + b"\n")

    async def told(
        self, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The first event of this type (and property), now or later."""
        async with asyncio.timeout(SECONDS):
            while True:
                for event in self.all(kind):
                    if where(event):
                        return event
                assert self._process.returncode is None, f"node ended before {kind}: {self.events}"
                self._told.clear()
                await self._told.wait()

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def heard(self) -> Samples:
        """What came out of libwebrtc so far, 48 kHz mono."""
        return np.frombuffer((self._folder / "heard.pcm").read_bytes(), dtype="<i2")

    async def listen(self) -> None:
        """Take all events until the process ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.events.append(json.loads(line))
            self._told.set()
        await self._process.wait()
        self._told.set()


@asynccontextmanager
async def phone(script: str, url: str, folder: Path) -> AsyncIterator[Phone]:
    """A call by `script`, over when the block is. The process must end by itself, without error."""
    if not (NODE / "node_modules" / "@roamhq" / "wrtc").is_dir():
        pytest.fail("tests/node/node_modules is missing: scripts/test installs it")
    process = await asyncio.create_subprocess_exec(
        "node",
        str(NODE / script),
        url,
        str(folder / "heard.pcm"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    caller = Phone(process, folder)
    listening = asyncio.create_task(caller.listen())
    try:
        yield caller
    finally:
        try:
            async with asyncio.timeout(SECONDS):
                assert process.stdin is not None
                process.stdin.close()
                await listening
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0


@pytest.fixture
async def espeak(tmp_path: Path) -> AsyncIterator[PluggedESpeak]:
    engine = PluggedESpeak(PluggedESpeakOptions(folder=tmp_path))
    yield engine
    engine.close()


async def test_an_app_on_libwebrtc_holds_a_whole_call(
    espeak: PluggedESpeak, tmp_path: Path
) -> None:
    """It offers before it knows a candidate, trickles them, talks, listens and hangs up."""
    asr = ScriptedRecognizer("can you hear me")
    question = await speech(QUESTION)
    async with serving(asr, ScriptedModel(REPLY), espeak, **NO_GREETING) as server:
        async with phone("client.mjs", server.url, tmp_path) as caller:
            answered = await caller.told("client.answered")
            assert answered["status"] == 201, answered
            assert "a=candidate" not in answered["offer"]
            started = await caller.told("session.started")
            assert started["session_id"] and started["voice"] == "en-gb"
            caller.say(question)
            assert (await caller.told("speech.started"))["turn"] == 0
            assert (await caller.told("speech.stopped"))["turn"] == 0
            assert (await caller.told("asr.final"))["text"] == "can you hear me"
            await caller.told("tts.end")
            caller.do("hang_up")
            assert (await caller.told("client.hung_up"))["result"] == 200
            assert (await caller.told("session.ended"))["reason"] == "caller"
            await everyone_gone(server)
    assert {event["status"] for event in caller.all("client.trickled")} == {204}
    assert [event["text"] for event in caller.all("caption")] == REPLY.split()
    assert not caller.all("error")
    assert_heard(Plugin(tmp_path).said(REPLY), caller.heard(), question)
    assert_heard(question, resampled(asr.fed[0], 16_000, RATE))


async def test_libwebrtc_hears_silence_once_the_caller_barges_in(
    espeak: PluggedESpeak, tmp_path: Path
) -> None:
    """From `turn.interrupted` until the next answer nothing is heard, jitter buffer included."""
    asr = ScriptedRecognizer("stop that")
    remark = await speech("Stop that now, please, I want something else.")
    model = ScriptedModel(f"{REPLY} {REPLY} {REPLY}", "Fine.")
    async with serving(asr, model, espeak, **NO_GREETING) as server:
        async with phone("client.mjs", server.url, tmp_path) as caller:
            await caller.told("session.started")
            caller.send(type="text", text="go on")
            await caller.told("caption", lambda event: event["text"] == "well.")
            caller.say(remark)
            cut = await caller.told("turn.interrupted")
            answer = await caller.told("tts.start", lambda event: event["turn"] == 1)
            await caller.told("tts.end", lambda event: event["turn"] == 1)
    assert cut["turn"] == 0
    assert cut["heard"] and REPLY.startswith(cut["heard"].strip())
    silence = caller.heard()[(cut["at"] + SETTLING_MS) * MS : answer["at"] * MS]
    assert len(silence) > 1000 * MS
    assert np.std(silence) < 50, loudness(silence)


async def test_the_guides_own_javascript_holds_a_call(
    espeak: PluggedESpeak, tmp_path: Path
) -> None:
    asr = ScriptedRecognizer("can you hear me")
    question = await speech(QUESTION)
    async with serving(asr, ScriptedModel(REPLY, "Good bye."), espeak, **NO_GREETING) as server:
        async with phone("guide.mjs", server.url, tmp_path) as caller:
            microphone = await caller.told("client.microphone")
            assert microphone["wanted"]["audio"]["echoCancellation"] is True
            await caller.told("session.started")
            caller.say(question)
            assert (await caller.told("asr.final"))["text"] == "can you hear me"
            await caller.told("tts.end")
            caller.send(type="text", text="Good bye")
            final = await caller.told("llm.final", lambda event: event["turn"] == 1)
            assert final["text"].strip() == "Good bye."
            last = await caller.told("tts.start", lambda event: event["turn"] == 1)
            caller.do("hang_up")
            await caller.told("client.hung_up")
            await everyone_gone(server)
    assert_heard(Plugin(tmp_path).said(REPLY), caller.heard()[: last["at"] * MS], question)
    assert_heard(question, resampled(asr.fed[0], 16_000, RATE))


async def test_the_guides_own_javascript_takes_a_call_up_with_the_same_microphone(
    espeak: PluggedESpeak, tmp_path: Path
) -> None:
    asr = ScriptedRecognizer("can you hear me")
    question = await speech(QUESTION)
    async with serving(asr, ScriptedModel(REPLY), espeak, **NO_GREETING) as server:
        async with phone("guide.mjs", server.url, tmp_path) as caller:
            started = await caller.told("session.started")
            caller.do("take_up")
            resumed = await caller.told("session.resumed")
            assert resumed["session_id"] == started["session_id"]
            caller.say(question)
            assert (await caller.told("asr.final"))["text"] == "can you hear me"
            await caller.told("tts.end")
            caller.do("hang_up")
            await caller.told("client.hung_up")
            await everyone_gone(server)
        ended = [event["reason"] for event in caller.events if event["type"] == "session.ended"]
        asked = [event for event in caller.events if event["type"] == "client.microphone"]
    assert "replaced" not in ended
    assert len(asked) == 1


async def test_the_guides_own_javascript_tells_when_to_call_a_full_server_again(
    tmp_path: Path,
) -> None:
    async with serving(max_concurrent_sessions=1) as server, calling(server.url):
        async with phone("guide.mjs", server.url, tmp_path) as caller:
            refused = await caller.told("client.refused")
    assert refused["code"] == "server_full"
    assert refused["retry_after"] > 0
    assert refused["message"] and refused["action"]


async def everyone_gone(server: Serving) -> None:
    async with asyncio.timeout(SECONDS):
        await server.calls.all_ended()


def loudness(samples: Samples) -> list[int]:
    """For a failure's message: the level of each 100 ms."""
    return [
        round(float(np.std(samples[i : i + 100 * MS]))) for i in range(0, len(samples), 100 * MS)
    ]
