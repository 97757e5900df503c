"""The dashboard in a real Chromium, over live calls and the embedded engines."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import accumulate
from typing import Any
from unittest import mock

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from inzwa_rtc.events import TurnMetrics
from inzwa_rtc.metrics.figures import Figures
from tests.signaling.test_socket import Socket, socket
from tests.support.browser import PATIENCE_S
from tests.support.caller import RATE, Caller, calling
from tests.support.engines import ScriptedModel
from tests.support.looks import OUTPUT, look
from tests.support.server import Serving, serving, serving_embedded

KEY = "an operator's own key"
QUESTIONS = ("hello", "what time is it", "tell me a joke")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]
expect.set_options(timeout=PATIENCE_S * 1000)


@asynccontextmanager
async def operated(
    browser: Browser, serve: Callable[..., Any] = serving, **settings: Any
) -> AsyncIterator[tuple[Serving, Page]]:
    """The page of somebody new, before they have told the key. Nothing on it may fail."""
    all_settings = {"admin_key": KEY, "call": {"greeting": ""}, **settings}
    async with serve(**all_settings) as server:
        context = await browser.new_context(
            locale="en-GB", viewport={"width": 1280, "height": 800}, color_scheme="light"
        )
        page = await context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        try:
            await page.goto(f"{server.url}/dashboard")
            yield server, page
            assert problems == []
        finally:
            await context.close()


async def unlock(page: Page) -> None:
    await page.locator("#key").fill(KEY)
    await page.keyboard.press("Enter")
    await expect(page.locator("#board")).to_be_visible()


@asynccontextmanager
async def talking(url: str, *texts: str) -> AsyncIterator[Socket]:
    """A call over a WebSocket in which these were answered."""
    async with socket(url) as client:
        await client.send(type="start")
        for text in texts:
            await client.send(type="text", text=text)
            await client.told("tts.end")
        yield client


async def test_nothing_is_shown_without_the_key_and_a_wrong_one_is_told(browser: Browser) -> None:
    async with operated(browser) as (_, page):
        await expect(page.locator("#key")).to_be_focused()
        await expect(page.locator("#board")).to_be_hidden()
        await expect(page.locator("#key-why")).to_contain_text("INZWA_ADMIN_KEY")
        await page.locator("#key").fill("not the operator's key")
        await page.click("#key-form button")
        await expect(page.locator("#key-refused")).to_contain_text("not known")
        await unlock(page)
        assert (
            await page.evaluate("() => JSON.stringify({...localStorage, ...sessionStorage})")
            == "{}"
        )
        await page.reload()
        await expect(page.locator("#key")).to_have_value("")
        await expect(page.locator("#board")).to_be_hidden()


async def test_no_more_than_one_refusal_is_drawn_before_a_key_is_told(browser: Browser) -> None:
    async with serving(admin_key=KEY) as server:
        page = await browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        try:
            await page.clock.install()
            await page.goto(f"{server.url}/dashboard")
            await expect(page.locator("#key")).to_be_focused()
            await page.clock.run_for(60_000)
            await page.locator("#key").fill("not the operator's key")
            await page.keyboard.press("Enter")
            await expect(page.locator("#key-refused")).to_be_visible()
            paths = [url.removeprefix(server.url) for url in asked if "/v1/" in url]
            assert paths == ["/v1/admin/figures?minutes=15"] * 2
        finally:
            await page.close()


async def test_a_key_that_cannot_be_one_is_told_as_that_and_not_as_a_lost_server(
    browser: Browser,
) -> None:
    async with operated(browser) as (_, page):
        await page.locator("#key").fill("a key with \N{LATIN SMALL LETTER A WITH OGONEK}")
        await page.keyboard.press("Enter")
        await expect(page.locator("#key-refused")).to_contain_text("This is no key")
        await expect(page.locator("#gone")).to_be_hidden()
        await unlock(page)


async def test_live_calls_come_and_go_and_can_be_ended(browser: Browser) -> None:
    async with operated(browser, llm=ScriptedModel("Hello.")) as (server, page):
        await unlock(page)
        await expect(page.locator("#no-calls")).to_be_visible()
        async with talking(server.url, "hello") as client:
            row = page.locator("#calls tbody tr")
            await expect(row).to_have_count(1)
            await expect(row).to_contain_text("WebSocket")
            await expect(row).to_contain_text("Listening")
            await expect(row.locator("td").nth(5)).to_contain_text("ms")
            await expect(page.locator("#calls-now")).to_have_text("1")
            await expect(page.locator("#trip-now")).to_contain_text("ms")
            await row.get_by_role("button").press("Enter")
            assert (await client.told("session.ended"))["reason"] == "operator"
        await expect(page.locator("#no-calls")).to_be_visible()


async def test_the_warm_up_shows_each_step_of_each_engine(browser: Browser) -> None:
    async with operated(browser, serving_embedded) as (_, page):
        await unlock(page)
        await expect(page.locator("#engines .engine")).to_have_count(3)
        await page.click("#warm-up")
        await expect(page.locator("#warm-steps .step")).to_have_count(6)
        await expect(page.locator("#warm-end")).to_have_text("All engines are warm.")
        await expect(page.locator('#warm-steps .step[data-status="ok"]')).to_have_count(6)
        await expect(page.locator("#warm-up")).to_be_enabled()


async def test_a_drain_is_begun_and_undone(browser: Browser) -> None:
    async with operated(browser) as (server, page), aiohttp.ClientSession(server.url) as http:
        await unlock(page)
        await page.click("#drain-button")
        await expect(page.locator("#taking-text")).to_have_text("Takes no new calls")
        assert (await http.get("/readyz")).status == 503
        await page.click("#drain-button")
        await expect(page.locator("#taking-text")).to_have_text("Takes calls")
        assert (await http.get("/readyz")).status == 200


async def test_the_configuration_is_found_and_its_secrets_are_not(browser: Browser) -> None:
    async with operated(browser) as (_, page):
        await unlock(page)
        await page.locator("#config-find").fill("silence_ms")
        await expect(page.locator("#config tr")).to_have_count(1)
        await expect(page.locator("#config tr")).to_contain_text("500")
        await page.locator("#config-find").fill("admin_key")
        await expect(page.locator("#config tr")).to_contain_text("****")
        assert KEY not in await page.content()


async def test_a_voice_is_tried(browser: Browser) -> None:
    asked: list[Any] = []
    async with operated(browser) as (_, page):
        page.on("request", lambda one: asked.append(one) if one.url.endswith("/v1/tts") else None)
        await unlock(page)
        await page.locator("#speech-text").fill("Mhoroi mose")
        await page.select_option("#speech-voice", "low")
        await page.click("#speak")
        await expect(page.locator("#speech-told")).to_contain_text("KB after")
        await expect(page.locator("#speech-audio")).to_be_visible()
        seconds = await page.locator("#speech-audio").evaluate(
            "(audio) => new Promise((r) => {"
            " audio.onended = () => r(audio.currentTime); if (audio.ended) r(audio.currentTime); })"
        )
    assert seconds > 0.3, "two words of 200 ms"
    wish = {"text": "Mhoroi mose", "voice": "low", "language": "en", "speed": 1, "format": "opus"}
    assert [one.post_data_json for one in asked] == [wish]


async def test_the_page_speaks_shona_where_it_can(browser: Browser) -> None:
    async with operated(browser) as (_, page):
        await unlock(page)
        await page.select_option("#language", "sn")
        await expect(page.locator("#config-title")).to_have_text("Gadziriso")
        await expect(page.locator("#no-calls")).to_have_text("Hapana ari kufona.")
        assert await page.evaluate("() => document.documentElement.lang") == "sn"


async def test_a_server_that_is_gone_is_told_and_found_again(browser: Browser) -> None:
    async with operated(browser) as (_, page):
        await unlock(page)
        await page.route("**/v1/admin/figures*", lambda route: route.abort())
        await expect(page.locator("#gone")).to_be_visible()
        await page.unroute("**/v1/admin/figures*")
        await expect(page.locator("#gone")).to_be_hidden()


async def test_the_page_fits_every_window(browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        server, page = await stack.enter_async_context(operated(browser, serving_embedded))
        await look(page, "dashboard-key")
        await unlock(page)
        callers = [await stack.enter_async_context(calling(server.url)) for _ in range(3)]
        await asyncio.gather(*(asked(caller) for caller in callers))
        remember(server.calls.telemetry.figures, 60)
        await page.click("#warm-up")
        await expect(page.locator("#warm-end")).not_to_be_empty()
        await expect(page.locator("#calls tbody tr")).to_have_count(3)
        await expect(page.locator("#trip-more")).to_contain_text("69 turns")
        await page.locator("#config-set").uncheck()
        await look(page, "dashboard")
        await page.emulate_media(color_scheme="light")
        await page.set_viewport_size({"width": 1280, "height": 800})
        await page.screenshot(path=OUTPUT / "dashboard.png", full_page=True)


def remember(figures: Figures, turns: int) -> None:
    """As if so many turns had been answered in the last quarter of an hour."""
    waits = random.Random(1)
    now = time.monotonic()
    for turn in range(turns):
        marks = accumulate(round(ms * waits.uniform(0.8, 1.5)) for ms in (500, 120, 90, 160))
        with mock.patch.object(figures, "_clock", lambda at=now - 14 * turn: at):
            figures.add(TurnMetrics(turn, *marks))


async def asked(caller: Caller) -> None:
    """Three typed questions, each once the answer before it was heard."""
    for answered, question in enumerate(QUESTIONS):
        caller.send(type="text", text=question)
        while len(caller.all("tts.end")) <= answered:
            await caller.heard(len(caller.audio()) + RATE // 10)
