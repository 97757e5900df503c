"""A real Chromium with a fake microphone that plays a WAV file."""

from __future__ import annotations

import asyncio
import base64
import shutil
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.async_api import Page, async_playwright

Samples = npt.NDArray[np.int16]
RATE = 48_000

# Chromium looks up its maker's hosts at every start unless told not to.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
BLOCK_WEBRTC = "--webrtc-ip-handling-policy=disable_non_proxied_udp"

_RECORD = """
() => {
  const context = new AudioContext({ sampleRate: 48000 });
  const recorder = context.createScriptProcessor(4096, 1, 1);
  const pieces = [];
  recorder.onaudioprocess = ({ inputBuffer }) =>
    pieces.push(new Float32Array(inputBuffer.getChannelData(0)));
  context.createMediaStreamSource(window.inzwa.remoteStream()).connect(recorder);
  recorder.connect(context.destination);
  window.recorded = () => {
    const bytes = new Uint8Array(new Int16Array(
      pieces.flatMap((piece) => Array.from(piece, (x) => Math.max(-1, Math.min(1, x)) * 32767)),
    ).buffer);
    let text = '';
    for (let i = 0; i < bytes.length; i += 32768) {
      text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    }
    return btoa(text);
  };
}
"""


def chromium() -> str:
    """The system's Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise AssertionError("no Chromium: scripts/test installs it")


def write_wav(path: Path, *parts: Samples | float) -> Path:
    """A microphone's file at 48 kHz: samples, and silences in seconds."""
    pieces = [np.zeros(int(p * RATE), np.int16) if isinstance(p, float) else p for p in parts]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.concatenate(pieces).astype("<i2").tobytes())
    return path


@asynccontextmanager
async def page_with_microphone(wav: Path, *flags: str) -> AsyncIterator[Page]:
    """A new browser. The file plays once, from when the page opens the microphone."""
    microphone = f"--use-file-for-fake-audio-capture={wav}%noloop"
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=chromium(), headless=True, args=[*FLAGS, microphone, *flags]
        )
        try:
            context = await browser.new_context(
                permissions=["microphone"], locale="en-GB", viewport={"width": 1280, "height": 800}
            )
            yield await context.new_page()
        finally:
            await browser.close()


async def state(page: Page) -> dict[str, Any]:
    """The page's call state."""
    found: dict[str, Any] = await page.evaluate("() => window.inzwa.state()")
    return found


async def until(page: Page, condition: str, seconds: float = 30) -> None:
    """Wait until a JavaScript expression over `state` holds. (The page's CSP forbids the
    `eval` that playwright's own waiting needs.)"""
    async with asyncio.timeout(seconds):
        while not await page.evaluate(
            f"() => {{ const state = window.inzwa.state(); return Boolean({condition}); }}"
        ):
            await page.wait_for_timeout(50)


async def record(page: Page) -> None:
    """Keep from now on what the page plays, as the caller would hear it."""
    await until(page, "window.inzwa.remoteStream()")
    await page.evaluate(_RECORD)


async def recorded(page: Page) -> Samples:
    """What was played since `record`, 48 kHz mono."""
    return np.frombuffer(base64.b64decode(await page.evaluate("() => window.recorded()")), "<i2")
