"""The page as it looks during a call, in a real Chromium; pictures are kept in tests/output."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.support.asking import ask
from tests.support.browser import visiting
from tests.support.looks import look
from tests.support.server import serving_embedded
from tests.support.voice import CLEAR_VOICE, speech

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]


async def test_the_page_fits_every_window_and_nothing_on_it_fails(browser: Browser) -> None:
    async with serving_embedded() as server, visiting(browser, server.url) as visitor:
        page = visitor.page
        page.on(
            "console",
            lambda message: (
                visitor.problems.append(message.text) if message.type == "error" else None
            ),
        )
        await look(page, "ready")
        await visitor.call()
        await visitor.told("tts.end")
        turn = (await ask(visitor, "how are you"))["turn"]
        await visitor.told("tts.end", lambda event: event["turn"] == turn)
        await visitor.type("tell me a story")
        story = (await visitor.told("caption", lambda event: event["offset"] > 90))["turn"]
        await visitor.say(await speech("can you tell me what time it is", voice=CLEAR_VOICE))
        await visitor.told("turn.interrupted", lambda event: event["turn"] == story)
        await visitor.until("state.turns.at(-1).latency && state.phase === 'speaking'")
        await look(page, "call")
        await page.locator(".latency-bar").last.click()
        await page.click("#chip")
        await expect(page.locator("#numbers")).to_be_visible()
        await look(page, "numbers")
