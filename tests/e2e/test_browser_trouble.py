"""When something is in the way: the page in a real Chromium says what, and what to do."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, expect

from tests.support.browser import Visitor, chromium, visiting
from tests.support.caller import calling
from tests.support.engines import ScriptedModel
from tests.support.looks import look
from tests.support.process import served
from tests.support.server import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]
ANSWER = "Yes, I am here."
NO_GREETING = {"call": {"greeting": ""}}
COUNTDOWN = re.compile(r"Trying again in \d+ s")


async def test_a_blocked_microphone_is_explained_and_typing_helps(browser: Browser) -> None:
    """Chromium itself refuses it: this visitor has allowed nothing."""
    async with (
        serving(llm=ScriptedModel(ANSWER), **NO_GREETING) as server,
        visiting(browser, server.url, allows=()) as visitor,
    ):
        await visitor.page.click("#call")
        await assert_told(visitor, "The microphone is blocked")
        await look(visitor.page, "error")
        await assert_typing_helps(visitor)


async def test_a_missing_microphone_is_explained_and_typing_helps() -> None:
    async with (
        serving(llm=ScriptedModel(ANSWER), **NO_GREETING) as server,
        chromium() as browser,
        visiting(browser, server.url, speaks=False) as visitor,
    ):
        await visitor.page.click("#call")
        await assert_told(visitor, "No microphone was found")
        await assert_typing_helps(visitor)


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_a_server_that_is_killed_is_dialled_again_until_it_is_back(
    transport: str, browser: Browser
) -> None:
    """The words of the call stay on the page."""
    async with served() as (process, port):
        url = f"http://127.0.0.1:{port}/?transport={transport}"
        async with visiting(browser, url) as visitor:
            await visitor.page.click("#call")
            await visitor.until("state.turns[0]?.answer.settled && state.phase === 'listening'")
            process.kill()
            await visitor.until("state.phase === 'reconnecting'")
            await expect(visitor.page.locator("#hint")).to_have_text(COUNTDOWN, timeout=30_000)
            if transport == "websocket":
                await look(visitor.page, "reconnecting")
            # In this process a server starts at once: the page gives up after half a minute.
            async with serving(llm=ScriptedModel(ANSWER), port=port, **NO_GREETING):
                await visitor.until("state.phase === 'listening' && state.call === 2")
                assert (await visitor.state())["transport"] == transport
                await assert_answers(visitor)
                await expect(visitor.page.locator("#conversation .turn")).to_have_count(2)


async def test_a_full_server_is_dialled_again_when_the_countdown_is_over(browser: Browser) -> None:
    async with (
        serving(
            llm=ScriptedModel(ANSWER), max_concurrent_sessions=1, call={"greeting": ""}
        ) as server,
        visiting(browser, server.url) as visitor,
    ):
        async with calling(server.url) as other:
            await visitor.page.click("#call")
            await assert_told(visitor, "The server is full")
            hint = visitor.page.locator("#hint")
            await expect(hint).to_have_text(COUNTDOWN)
            first = await hint.inner_text()
            await expect(hint).not_to_have_text(first)
            await look(visitor.page, "full")
            other.send(type="stop")
            await other.told("session.ended")
        await visitor.until("state.phase === 'listening'")
        await expect(visitor.page.locator("#notice")).to_be_hidden()
        await assert_answers(visitor)


async def test_a_call_that_reaches_its_limit_is_ended_and_can_be_begun_again(
    browser: Browser,
) -> None:
    async with (
        serving(call={"greeting": "", "max_length_s": 2}) as server,
        visiting(browser, server.url) as visitor,
    ):
        await visitor.page.click("#call")
        assert (await visitor.told("session.ended"))["reason"] == "time_limit"
        await visitor.until("state.phase === 'ended'")
        await expect(visitor.page.locator("#notice")).to_contain_text("limit")
        await look(visitor.page, "ended")
        async with asyncio.timeout(60):
            await server.calls.all_ended()
        await visitor.page.click("#call-again")
        await visitor.until("state.phase === 'listening'")


async def assert_told(visitor: Visitor, what: str) -> None:
    await expect(visitor.page.locator("#notice-what")).to_contain_text(what)
    await expect(visitor.page.locator("#notice-do")).not_to_be_empty()
    assert (await visitor.state())["phase"] == "error"


async def assert_typing_helps(visitor: Visitor) -> None:
    """A call without a microphone, from the notice."""
    await visitor.page.click("#notice-type")
    await visitor.until("state.phase === 'listening' && state.microphone === 'none'")
    await assert_answers(visitor)


async def assert_answers(visitor: Visitor) -> None:
    await visitor.type("Are you there?")
    answered = await visitor.told("llm.final", lambda event: event["text"].strip() == ANSWER)
    await visitor.told("tts.end", lambda event: event["turn"] == answered["turn"])
    await expect(visitor.page.locator("#conversation .answer-words").last).to_contain_text(ANSWER)
