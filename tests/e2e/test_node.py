"""A second WebRTC stack: libwebrtc, as mobile apps embed it, holds whole calls with the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest, Voice
from inzwa_rtc.engines.tts.espeak import ESpeak, ESpeakOptions
from tests.support.caller import calling
from tests.support.engines import ScriptedModel, ScriptedRecognizer
from tests.support.server import Serving, serving
from tests.support.voice import Samples, correlation, speech

pytestmark = pytest.mark.node

NODE = Path(__file__).parent.parent / "node"
RATE = 48_000
MS = RATE // 1000
SECONDS = 60  # far more than any step takes on a busy machine
QUESTION = "Hello there, can you hear me well from over here?"
REPLY = "Yes, I can hear you very well. What would you like to talk about today?"


class Phone:
    """A Node.js process that holds one call."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.events: list[dict[str, Any]] = []
        self._process = process
        self._folder = folder
        self._told = asyncio.Event()

    def say(self, samples: Samples) -> None:
        """Speak these samples (48 kHz) into the microphone."""
        file = self._folder / "said.pcm"
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


class RememberingESpeak:
    """eSpeak, and all that it said, at its own rate."""

    def __init__(self) -> None:
        self._engine = ESpeak(ESpeakOptions())
        self._said: list[bytes] = []

    @property
    def sample_rate(self) -> int:
        return self._engine.sample_rate

    @property
    def voices(self) -> Sequence[Voice]:
        return self._engine.voices

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        async for chunk in self._engine.synthesize(request):
            self._said.append(chunk.pcm)
            yield chunk

    def said(self) -> Samples:
        """Everything synthesized so far, 48 kHz."""
        return resampled(b"".join(self._said), self.sample_rate, RATE)

    def close(self) -> None:
        self._engine.close()


@pytest.fixture
async def espeak() -> AsyncIterator[RememberingESpeak]:
    engine = RememberingESpeak()
    yield engine
    engine.close()


def resampled(pcm: bytes, from_rate: int, to_rate: int) -> Samples:
    resampler = Resampler(from_rate, to_rate)
    return np.frombuffer(resampler.feed(pcm) + resampler.flush(), dtype="<i2")


def likeness(reference: Samples, received: Samples, rate: int) -> float:
    """How alike the two sound: the median over windows of 200 ms, each looked for within
    100 ms of where it belongs. 1 for an exact copy.

    A receiver stretches and squeezes time while it adapts to jitter, so that no single lag
    fits everywhere.
    """
    window, slack = rate // 5, rate // 10
    offset = lag(reference, received)
    loud = np.std(reference) / 2
    found: list[float] = []
    for start in range(0, len(reference) - window + 1, window):
        piece = reference[start : start + window]
        if np.std(piece) < loud:
            continue
        begin = max(0, start + offset - slack)
        around = received[begin : start + offset + window + slack]
        found.append(correlation(piece, around) if len(around) else 0.0)
    return float(np.median(found))


def lag(reference: Samples, received: Samples) -> int:
    """Where in `received` the reference starts, by cross-correlation."""
    size = 1 << (len(reference) + len(received) - 1).bit_length()
    product = np.fft.rfft(received.astype(float), size) * np.conj(
        np.fft.rfft(reference.astype(float), size)
    )
    place = int(np.argmax(np.fft.irfft(product, size)))
    return place if place < len(received) else place - size
