"""The network is pulled from under the page in a real Chromium: the call goes on."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, expect

from inzwa_rtc.conversation.session import Session
from inzwa_rtc.engines.contracts import Message
from tests.support.browser import visiting
from tests.support.engines import ScriptedModel
from tests.support.looks import look
from tests.support.network import network
from tests.support.server import Serving, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]
COUNTDOWN = re.compile(r"Trying (again in \d+ s|now)")
SETTINGS = {"call": {"greeting": ""}, "timeouts": {"network_silence": 3}}


async def all_is_heard(server: Serving) -> None:
    """What is lost with the network before the caller was heard from again is said again."""
    (call,) = server.calls.all()
    assert call.caller is not None and call.caller.attached is not None
    outlet = call.caller.attached.outlet
    assert outlet is not None
    async with asyncio.timeout(30):
        outlet._forget_heard()
        while outlet._left:
            await asyncio.sleep(0.05)
            outlet._forget_heard()


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_the_call_goes_on_when_the_network_is_back_and_the_assistant_still_knows(
    transport: str, browser: Browser
) -> None:
    llm = ScriptedModel("Hello Tendai.", "You are Tendai.")
    async with (
        serving(llm=llm, **SETTINGS) as server,
        network(server) as between,
        visiting(browser, f"{between.url}/?transport={transport}") as visitor,
    ):
        await visitor.call()
        await visitor.type("I am Tendai.")
        await visitor.told("tts.end")
        await visitor.until("state.phase === 'listening'")
        await all_is_heard(server)
        between.pull()
        await visitor.until("state.phase === 'reconnecting'")
        await expect(visitor.page.locator("#hint")).to_have_text(COUNTDOWN)
        await expect(visitor.page.locator("#notice")).to_be_hidden()
        await look(visitor.page, f"reconnecting-{transport}")
        between.plug_in()
        await visitor.until("state.phase === 'listening' || state.phase === 'speaking'")
        state = await visitor.state()
        assert (state["call"], state["transport"]) == (1, transport)
        assert state["microphone"] == "live"
        assert len(server.calls) == 1
        await visitor.type("Who am I?")
        answered = await visitor.told("llm.final", lambda event: "You are" in event["text"])
        await visitor.told("tts.end", lambda event: event["turn"] == answered["turn"])
        await expect(visitor.page.locator("#conversation .divider")).to_have_count(0)
        assert llm.requests[-1].messages[1:] == [
            Message("user", "I am Tendai."),
            Message("assistant", "Hello Tendai."),
            Message("user", "Who am I?"),
        ]


async def test_words_that_came_while_the_network_was_gone_are_shown(browser: Browser) -> None:
    """The answer is made meanwhile, and heard on return."""
    llm = ScriptedModel("Hello Tendai.")
    async with (
        serving(llm=llm, **SETTINGS) as server,
        network(server) as between,
        visiting(browser, f"{between.url}/?transport=websocket") as visitor,
    ):
        await visitor.call()
        [call] = server.calls.all()
        assert call.caller is not None and call.caller.attached is not None
        between.pull()
        await call.caller.attached.over.wait()
        assert isinstance(call.session, Session)
        call.session._take_typed("I am Tendai.")
        between.plug_in()
        await visitor.until("state.phase === 'speaking'")
        await visitor.told("tts.end")
        words = visitor.page.locator("#conversation")
        await expect(words).to_contain_text("I am Tendai.")
        await expect(words).to_contain_text("Hello Tendai.")
        assert (await visitor.state())["call"] == 1


@pytest.mark.parametrize("is_dialling", [False, True])
async def test_who_hangs_up_while_the_network_is_gone_leaves_no_call_behind(
    is_dialling: bool, browser: Browser
) -> None:
    """Though it would wait for far longer than a test; also while the page dials, in vain."""
    async with (
        serving(resume={"lost_s": 600}, **SETTINGS) as server,
        network(server) as between,
        visiting(browser, f"{between.url}/?transport=websocket") as visitor,
    ):
        await visitor.call()
        between.pull()
        await visitor.until("state.phase === 'reconnecting'")
        if is_dialling:
            between.plug_in()
            between.swallow()
            await between.swallowed.wait()
        between.plug_in()
        await visitor.page.keyboard.press("Escape")
        await visitor.until("state.phase === 'ended'")
        async with asyncio.timeout(60):
            await server.calls.all_ended()


async def test_what_was_typed_into_a_dead_connection_is_answered_once_there_is_another(
    browser: Browser,
) -> None:
    llm = ScriptedModel("Hello Tendai.", "You are Tendai.")
    async with (
        serving(llm=llm, **SETTINGS) as server,
        network(server) as between,
        visiting(browser, f"{between.url}/?transport=websocket") as visitor,
    ):
        await visitor.call()
        between.swallow()
        await visitor.type("I am Tendai.")
        await between.swallowed.wait()
        between.pull()
        between.plug_in()
        await visitor.told("tts.end")
        await visitor.until("state.phase === 'listening'")
        await visitor.type("Who am I?")
        await visitor.told("llm.final", lambda event: event["turn"] == 1)
        assert llm.requests[-1].messages[1:] == [
            Message("user", "I am Tendai."),
            Message("assistant", "Hello Tendai."),
            Message("user", "Who am I?"),
        ]
        words = [turn["caller"]["text"] for turn in (await visitor.state())["turns"]]
        assert words == ["I am Tendai.", "Who am I?"]


async def test_a_call_that_the_operator_ended_meanwhile_is_not_begun_anew(
    browser: Browser,
) -> None:
    async with (
        serving(**SETTINGS) as server,
        network(server) as between,
        visiting(browser, f"{between.url}/?transport=websocket") as visitor,
    ):
        await visitor.call()
        [call] = server.calls.all()
        between.pull()
        await visitor.until("state.phase === 'reconnecting'")
        call.end("operator")
        await server.calls.all_ended()
        between.plug_in()
        await visitor.until("state.phase === 'ended'")
        assert (await visitor.state())["endReason"] == "operator"
        assert len(server.calls) == 0


async def test_a_conversation_that_could_not_go_on_is_not_said_to_have_gone_on(
    browser: Browser,
) -> None:
    async with (
        serving(**SETTINGS) as server,
        network(server) as between,
        visiting(browser, f"{between.url}/?transport=websocket") as visitor,
    ):
        await visitor.call()
        await visitor.type("Hello.")
        await visitor.told("tts.end")
        [call] = server.calls.all()
        between.pull()
        await visitor.until("state.phase === 'reconnecting'")
        call.end("connection_lost")
        await server.calls.all_ended()
        between.plug_in()
        await visitor.until("state.phase === 'listening'")
        assert (await visitor.state())["call"] == 2
        await visitor.type("Hello again.")
        divider = visitor.page.locator("#conversation .divider")
        await expect(divider).to_contain_text("A new conversation began")
