"""A visitor of the page in a real Chromium, who speaks, listens and reads."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.support.voice import Samples, resampled

RATE = 48_000
PATIENCE_S = 60  # far more than any step takes on a busy machine
TAIL_MS = 1000  # what jitter buffers of page and browser hold back, on a busy machine

_PAGE = Path(__file__).parent / "page"
# Chromium looks up its maker's hosts at every start unless told not to.
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
BLOCK_WEBRTC = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
FAKE_DEVICES = "--use-fake-device-for-media-stream"


def microphone_that_plays(path: Path, *parts: Samples | float) -> str:
    """The flag for a microphone whose every opening plays, once, these samples (48 kHz) and
    silences (in seconds)."""
    pieces = [np.zeros(int(p * RATE), np.int16) if isinstance(p, float) else p for p in parts]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.concatenate(pieces).astype("<i2").tobytes())
    return f"--use-file-for-fake-audio-capture={path}%noloop"


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """The system's browser, headless. Pages may use its microphone only when allowed to."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    assert found, "no Chromium: scripts/test installs it"
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=found, headless=True, args=[*_FLAGS, *flags]
        )
        try:
            yield browser
        finally:
            await browser.close()


class Visitor:
    """One page, and what was said on its line: `events` of the server and `messages` of the
    page, each with how much the page had played `at` that time (in samples, 48 kHz)."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.events: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self._changed = asyncio.Event()
        self._since = 0
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    async def say(self, samples: Samples) -> None:
        """Speak into the microphone (48 kHz); `answer` listens from here on."""
        self._since = await self.page.evaluate("() => visitor.position()")
        await self.page.evaluate("(pcm) => { visitor.say(pcm); }", _encoded(samples))

    async def say_all(self, samples: Samples) -> None:
        """The same, and wait until all of it was said."""
        await self.page.evaluate("(pcm) => visitor.say(pcm)", _encoded(samples))

    async def type(self, text: str) -> None:
        """Send a typed message, with the keyboard alone; `answer` listens from here on."""
        self._since = await self.page.evaluate("() => visitor.position()")
        if not await self.page.locator("#text").is_visible():
            await self.page.keyboard.press("t")
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")
        await self.page.keyboard.press("Escape")

    async def call(self) -> None:
        """Press the button; return once the call is up and all of it is recorded."""
        await self.page.click("#call")
        await self.until("['listening', 'speaking'].includes(state.phase)")
        await self.record()

    async def record(self) -> None:
        """Keep from now on what the page plays."""
        await self.until("inzwa.remoteStream()")
        await self.page.evaluate("() => { visitor.record(); }")
        await self.until("visitor.position() > 0")

    async def recorded(self, samples: int = 0) -> Samples:
        """What was played since `record`, once it is so much."""
        await self.until(f"visitor.length() >= {samples}")
        recorded = await self.page.evaluate("() => visitor.recorded()")
        return resampled(base64.b64decode(recorded["pcm"]), recorded["rate"], RATE)

    async def answer(self, turn: int) -> Samples:
        """What was played since the visitor last spoke, once this turn has been spoken."""
        end = await self.told("tts.end", lambda event: event["turn"] == turn)
        return (await self.recorded(end["at"] + TAIL_MS * RATE // 1000))[self._since :]

    async def told(
        self, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The first event of this type (and property), now or later."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    for event in self.events:
                        if event["type"] == kind and where(event):
                            return event
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"waited in vain for {kind}: {self.events}") from None

    async def state(self) -> dict[str, Any]:
        """The page's call state."""
        found: dict[str, Any] = await self.page.evaluate("() => inzwa.state()")
        return found

    async def until(self, condition: str, seconds: float = PATIENCE_S) -> None:
        """Wait until a JavaScript expression over `state` holds. (The page's CSP forbids the
        `eval` that playwright's own waiting needs.)"""
        # The page makes its own name known once its modules have run.
        look = (
            "() => { if (typeof inzwa === 'undefined') return false;"
            f" const state = inzwa.state(); return Boolean({condition}); }}"
        )
        try:
            async with asyncio.timeout(seconds):
                while not await self.page.evaluate(look):
                    await self.page.wait_for_timeout(50)
        except TimeoutError:
            raise AssertionError(f"never came about: {condition}; {await self.state()}") from None

    def _noted(self, message: str) -> None:
        event = json.loads(message)
        (self.events if event.pop("from") == "server" else self.messages).append(event)
        self._changed.set()


@asynccontextmanager
async def visiting(
    browser: Browser, url: str, *, speaks: bool = True, allows: tuple[str, ...] = ("microphone",)
) -> AsyncIterator[Visitor]:
    """The page at `url`, opened by somebody new. Who `speaks` does so by `say`; for others the
    browser's own fake microphone does. No exception may go uncaught on the page meanwhile."""
    context = await browser.new_context(
        permissions=[*allows], locale="en-GB", viewport={"width": 1280, "height": 800}
    )
    try:
        visitor = Visitor(await context.new_page())
        await _prepare(context, visitor, speaks)
        await visitor.page.goto(url)
        yield visitor
        assert visitor.problems == []
    finally:
        await context.close()


async def _prepare(context: BrowserContext, visitor: Visitor, speaks: bool) -> None:
    await context.expose_function("tellTest", visitor._noted)
    await context.add_init_script(path=_PAGE / "visitor.js")
    if speaks:
        await context.add_init_script("visitor.speaks = true;")


def _encoded(samples: Samples) -> str:
    return base64.b64encode(samples.astype("<i2").tobytes()).decode("ascii")
