"""What a caller chooses on the page, in a real Chromium: microphone, voice, speed."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser

from tests.support.asking import ask
from tests.support.browser import visiting
from tests.support.looks import look
from tests.support.plugin import Plugin
from tests.support.server import serving_embedded
from tests.support.sound import assert_heard
from tests.support.voice import speech

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]
# Looks at every frame that is drawn: a word is short.
METER_REACHES = """
(level) => new Promise((resolve) => {
  const meter = document.querySelector('#microphone-level');
  const look = () => (meter.value > level ? resolve() : requestAnimationFrame(look));
  look();
})
"""


async def test_the_meter_shows_before_a_call_that_the_microphone_hears(browser: Browser) -> None:
    async with serving_embedded() as server, visiting(browser, server.url) as visitor:
        await visitor.page.click("#open-settings")
        await visitor.page.click("#check-microphone")
        await visitor.until("visitor.wanted.length === 1")
        meter = visitor.page.locator("#microphone-level")
        assert await meter.evaluate("(meter) => meter.value") < 0.1
        async with asyncio.TaskGroup() as meanwhile:
            meanwhile.create_task(visitor.page.evaluate(METER_REACHES, 0.3))
            await visitor.say_all(await speech("one two three"))
        await look(visitor.page, "settings")


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_another_microphone_is_taken_during_the_call(
    transport: str, browser: Browser
) -> None:
    async with (
        serving_embedded(call={"greeting": ""}) as server,
        visiting(browser, f"{server.url}/?transport={transport}") as visitor,
    ):
        page = visitor.page
        await visitor.call()
        await page.click("#open-settings")
        await page.select_option("#set-microphone", label="Fake Audio Input 2")
        await visitor.until("visitor.wanted.length === 2")
        chosen = await page.locator("#set-microphone").input_value()
        wanted = await page.evaluate("() => visitor.wanted[1].audio.deviceId")
        assert chosen and wanted["ideal"] == chosen
        async with asyncio.TaskGroup() as meanwhile:
            meanwhile.create_task(page.evaluate(METER_REACHES, 0.3))
            await ask(visitor, "how are you")  # of all microphones, into the newest


async def test_another_voice_and_speed_speak_from_the_next_answer_on(
    browser: Browser, plugin: Plugin
) -> None:
    settings = {"call": {"greeting": ""}, **plugin.settings("tts")}
    async with serving_embedded(**settings) as server, visiting(browser, server.url) as visitor:
        page = visitor.page
        await visitor.call()
        await page.click("#open-settings")
        await page.select_option("#set-voice", "en-us+f2")
        await visitor.told("session.updated", lambda event: event["voice"] == "en-us+f2")
        await page.locator("#set-speed").fill("1.5")
        await visitor.told("session.updated", lambda event: event["speed"] == 1.5)
        await page.keyboard.press("Escape")
        await visitor.type("are you human")
        answered = await visitor.told("llm.final")
        heard = await visitor.answer(answered["turn"])
        spoken = plugin.all_said()[-1]
        assert (spoken.voice, spoken.speed) == ("en-us+f2", 1.5)
    assert_heard(plugin.said(answered["text"]), heard)


async def test_a_caller_who_chose_to_use_less_data_gets_long_packets(browser: Browser) -> None:
    """Through a relay that is told of and not there, which keeps nobody from calling."""
    turn = {"turn_urls": ("turn:127.0.0.1:9",), "turn_secret": "a-secret-of-the-tests-own"}
    async with (
        serving_embedded(call={"greeting": ""}, **turn) as server,
        visiting(browser, f"{server.url}/?transport=webrtc") as visitor,
    ):
        for packet_ms in (20, 60):
            await visitor.call()
            (call,) = server.calls.all()
            assert call.peer is not None
            assert call.peer.terms.packet_ms == packet_ms
            network = await visitor.page.evaluate("() => visitor.network()")
            assert network["iceServers"][0]["urls"] == ["turn:127.0.0.1:9"]
            await visitor.page.click("#call")
            await visitor.until("state.phase === 'ended'")
            async with asyncio.timeout(20):
                await server.calls.all_ended()
            await visitor.page.click("#open-settings")
            await visitor.page.get_by_label("Use less data").check()
            await visitor.page.keyboard.press("Escape")
