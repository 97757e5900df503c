"""The page on a server that asks who calls: a link with a token, or a key in a dialog."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.browser import (
    BLOCK_WEBRTC,
    FAKE_DEVICES,
    Visitor,
    chromium,
    microphone_that_plays,
    visiting,
)
from tests.support.credentials import serving_with_keys, start_token
from tests.support.engines import ScriptedModel
from tests.support.looks import look

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]
QUIET = {"call": {"greeting": ""}}


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_a_link_with_a_token_calls_and_leaves_none_of_it_in_the_address(
    browser: Browser, transport: str
) -> None:
    async with serving_with_keys(**QUIET) as (server, keys, http):
        token = await start_token(server, http, keys.call)
        url = f"{server.url}/?transport={transport}"
        async with visiting(browser, f"{url}#token={token}") as visitor:
            await visitor.until("!location.hash")
            assert visitor.page.url == url
            await visitor.page.click("#call")
            await visitor.until("state.phase === 'listening'")
            await visitor.page.click("#call")
            await visitor.until("state.phase === 'ended'")
            await visitor.page.click("#call-again")
            await expect(visitor.page.locator("#notice-what")).to_contain_text("has been used")
            assert not await visitor.page.locator("#key-dialog").is_visible()


async def test_without_one_the_page_asks_for_a_key_and_keeps_it_to_itself(
    browser: Browser,
) -> None:
    async with (
        serving_with_keys(None, ScriptedModel("Yes."), **QUIET) as (server, keys, _),
        visiting(browser, server.url) as visitor,
    ):
        await visitor.page.click("#call")
        await expect(visitor.page.locator("#key-dialog")).to_be_visible()
        await look(visitor.page, "key")
        await enter(visitor, "not a key")
        await expect(visitor.page.locator("#key-problem")).to_contain_text("not known")
        await visitor.page.evaluate("document.querySelector('#key-problem').textContent = ''")
        await enter(visitor, "inzwa_\u2013x")  # as a word processor writes a hyphen
        await expect(visitor.page.locator("#key-problem")).to_contain_text("not known")
        await enter(visitor, keys.call)
        await visitor.until("state.phase === 'listening'")
        await visitor.page.click("#call")
        await visitor.until("state.phase === 'ended'")
        await visitor.page.click("#call-again")
        await visitor.until("state.phase === 'listening'")
        kept = "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
        assert keys.call not in await visitor.page.evaluate(kept)
        assert keys.call not in await visitor.page.content()


async def test_who_gives_no_key_is_told_what_to_do(browser: Browser) -> None:
    async with (
        serving_with_keys(**QUIET) as (server, _keys, _http),
        visiting(browser, server.url) as visitor,
    ):
        await visitor.page.click("#call")
        await expect(visitor.page.locator("#key-dialog")).to_be_visible()
        await visitor.page.keyboard.press("Escape")
        await expect(visitor.page.locator("#key-dialog")).not_to_be_visible()
        await expect(visitor.page.locator("#notice-what")).to_contain_text("asks who calls")
        await visitor.page.click("#notice-retry")
        await expect(visitor.page.locator("#key-dialog")).to_be_visible()
        await visitor.page.click("#key-cancel")
        await expect(visitor.page.locator("#key-dialog")).not_to_be_visible()


async def test_who_is_only_read_to_types_and_gives_the_microphone_back(browser: Browser) -> None:
    async with serving_with_keys(None, ScriptedModel("Yes."), **QUIET) as (server, keys, http):
        await server.store.users.change("ada", voice_mode="tts_only")
        token = await start_token(server, http, keys.of_ada)
        async with visiting(browser, f"{server.url}#token={token}") as visitor:
            await visitor.page.click("#call")
            await visitor.until("state.phase === 'listening' && state.microphone === 'none'")
            await visitor.type("Are you there?")
            assert (await visitor.told("llm.final"))["text"].strip() == "Yes."


async def test_who_is_only_written_down_is_told_so(browser: Browser) -> None:
    async with serving_with_keys(**QUIET) as (server, keys, http):
        await server.store.users.change("ada", voice_mode="transcribe_only")
        token = await start_token(server, http, keys.of_ada)
        async with visiting(browser, f"{server.url}#token={token}") as visitor:
            await visitor.page.click("#call")
            await visitor.until("state.phase === 'listening'")
            await expect(visitor.page.locator("#hint")).to_contain_text("written down")
            await expect(visitor.page.locator("#open-composer")).not_to_be_visible()


async def test_one_token_is_enough_where_webrtc_is_blocked(tmp_path: Path) -> None:
    """The WebSocket is begun with what the call that did not come about was to be begun with."""
    silence = microphone_that_plays(tmp_path / "silence.wav", 1.0)
    async with (
        serving_with_keys(**QUIET) as (server, keys, http),
        chromium(FAKE_DEVICES, silence, BLOCK_WEBRTC) as browser,
    ):
        token = await start_token(server, http, keys.call)
        url = f"{server.url}/?connect_timeout_ms=1500#token={token}"
        async with visiting(browser, url) as visitor:
            await visitor.page.click("#call")
            await visitor.until("state.phase === 'listening' && state.transport === 'websocket'")


async def enter(visitor: Visitor, key: str) -> None:
    await visitor.page.fill("#key", key)
    await visitor.page.keyboard.press("Enter")
