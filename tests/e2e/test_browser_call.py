"""Calls from the page in a real Chromium: what a person hears, reads and presses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Browser, Locator, expect

from tests.support.asking import ask
from tests.support.browser import (
    BLOCK_WEBRTC,
    FAKE_DEVICES,
    RATE,
    Visitor,
    chromium,
    microphone_that_plays,
    visiting,
)
from tests.support.plugin import Plugin
from tests.support.server import serving_embedded
from tests.support.sound import assert_heard
from tests.support.voice import CLEAR_VOICE, Samples, speech

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]
NO_GREETING = {"call": {"greeting": ""}}
OTHER_WORDS = "Nobody has ever said these words to anyone in this town."
HOLD_MS = 500  # what a jitter buffer may still play, on a busy machine; on a quiet one 60
QUIET_MS = 600  # the caller talks for much longer


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_a_question_asked_in_the_browser_is_answered_aloud(
    transport: str, plugin: Plugin, tmp_path: Path
) -> None:
    """The microphone is Chromium's own, echo canceller and all: it repeats the question from
    time to time, until the answer to it has been heard."""
    asked, every = "are you human", 13.0  # s; the answer takes nine
    asking: list[Samples | float] = [await speech(asked, voice=CLEAR_VOICE), every]
    microphone = microphone_that_plays(tmp_path / "microphone.wav", 4.0, *asking * 6)
    blocked = [BLOCK_WEBRTC] if transport == "websocket" else []
    settings = {**NO_GREETING, **plugin.settings("tts")}
    async with (
        serving_embedded(**settings) as server,
        chromium(FAKE_DEVICES, microphone, *blocked) as browser,
        visiting(browser, fast_fallback(server.url, transport), speaks=False) as visitor,
    ):
        await visitor.call()
        final = await visitor.told("asr.final", lambda event: event["text"] == asked)
        number = final["turn"]
        answered = await visitor.told("llm.final", lambda event: event["turn"] == number)
        heard = (await visitor.answer(number))[final["at"] :]
        told = await visitor.state()
        assert told["transport"] == transport
        turn = next(turn for turn in told["turns"] if turn["number"] == number)
        assert turn["latency"]["first_audio_ms"] >= turn["latency"]["silence_ms"]
        await assert_reads(visitor, number, asked, answered["text"].strip())
        chip = visitor.page.locator("#chip-text")
        await expect(chip).to_contain_text("WebSocket" if transport == "websocket" else "WebRTC")
        if transport == "webrtc":
            await visitor.told("network")
            await chip.click()
            await expect(visitor.page.locator("#numbers")).to_contain_text("Your packets lost")
        if transport == "websocket":
            assert told["fallback"]
            await expect(visitor.page.locator("#notice-do")).to_contain_text("WebSocket")
    assert_heard(plugin.said(answered["text"]), heard, await speech(OTHER_WORDS))


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_talking_over_the_answer_silences_it_in_the_browser(
    transport: str, browser: Browser
) -> None:
    async with (
        serving_embedded(**NO_GREETING) as server,
        visiting(browser, f"{server.url}/?transport={transport}") as visitor,
    ):
        await visitor.call()
        await visitor.type("tell me a story")
        story = (await visitor.told("caption", lambda event: event["offset"] > 60))["turn"]
        await visitor.say(await speech("stop talking please, i want to ask you something else"))
        await visitor.told("turn.interrupted", lambda event: event["turn"] == story)
        held = [event for event in visitor.events if event["type"] == "playback.held"][-1]
        begin = held["at"] + HOLD_MS * RATE // 1000
        played = await visitor.recorded(begin + QUIET_MS * RATE // 1000)
        quiet = played[begin : begin + QUIET_MS * RATE // 1000]
        assert np.abs(quiet.astype(int)).max() < 300
        assert np.abs(played[: held["at"]].astype(int)).max() > 3_000
        text = next(t for t in (await visitor.state())["turns"] if t["number"] == story)["answer"]
        assert 20 < text["heard"] < len(text["text"])
        await expect(words_of(visitor, story, ".unheard")).to_be_visible()


async def test_a_typed_message_is_answered_and_the_call_ends_by_keyboard(
    browser: Browser, plugin: Plugin
) -> None:
    settings = plugin.settings("tts")
    async with serving_embedded(**settings) as server, visiting(browser, server.url) as visitor:
        page = visitor.page
        await page.focus("#call")
        await page.keyboard.press("Enter")
        await visitor.told("tts.end")
        await visitor.record()
        await visitor.type("What is 7 times 8?")
        answered = await visitor.told("llm.final", lambda event: event["turn"] > 0)
        heard = await visitor.answer(answered["turn"])
        await assert_reads(visitor, answered["turn"], "What is 7 times 8?", "56")
        await page.keyboard.press("Escape")
        await visitor.until("state.phase === 'ended'")
        await expect(page.locator("#call-again")).to_be_visible()
        await server.calls.all_ended()
    assert_heard(plugin.said(answered["text"]), heard)


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_nothing_is_heard_of_a_muted_caller(transport: str, browser: Browser) -> None:
    async with (
        serving_embedded(**NO_GREETING) as server,
        visiting(browser, f"{server.url}/?transport={transport}") as visitor,
    ):
        await visitor.call()
        mute = visitor.page.locator("#mute")
        await mute.click()
        await expect(mute).to_have_attribute("aria-pressed", "true")
        await assert_unheard(visitor, "are you human")
        await visitor.page.keyboard.press("m")
        await expect(mute).to_have_attribute("aria-pressed", "false")
        await ask(visitor, "how are you")


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_push_to_talk_sends_what_is_said_while_the_key_is_held(
    transport: str, browser: Browser
) -> None:
    async with (
        serving_embedded(**NO_GREETING) as server,
        visiting(browser, f"{server.url}/?transport={transport}") as visitor,
    ):
        page = visitor.page
        await visitor.call()
        await page.click("#push-to-talk")
        await visitor.until("state.pushToTalk && !state.talking")
        await assert_unheard(visitor, "are you human")
        await page.locator("#phase").focus()  # Space on a button would press that
        await page.keyboard.down("Space")
        await visitor.until("state.talking")
        await visitor.say_all(await speech("how are you", voice=CLEAR_VOICE))
        await page.keyboard.up("Space")
        assert (await visitor.told("asr.final", spoken(visitor)))["text"] == "how are you"
        await visitor.until("!state.talking")
        pressed = [said["type"] for said in visitor.messages if said["type"].endswith("_turn")]
        assert pressed == ["start_turn", "end_turn"]
        await page.click("#hands-free")
        await visitor.until("!state.pushToTalk")
        await ask(visitor, "are you human")


async def assert_unheard(visitor: Visitor, question: str) -> None:
    """The server hears nothing of this; what is typed after it is answered."""
    await visitor.say_all(await speech(question))
    await visitor.type("What is 7 times 8?")
    await visitor.told("tts.end")
    assert not [event for event in visitor.events if event["type"] == "speech.started"]


def spoken(visitor: Visitor) -> Callable[[dict[str, Any]], bool]:
    """Whether an event is of a turn that the caller spoke (a typed one has its words, too)."""
    return lambda event: any(
        other["turn"] == event["turn"]
        for other in visitor.events
        if other["type"] == "speech.started"
    )


async def assert_reads(visitor: Visitor, turn: int, caller: str, answer: str) -> None:
    await expect(words_of(visitor, turn, ".caller-words")).to_contain_text(caller)
    await expect(words_of(visitor, turn, ".answer-words")).to_contain_text(answer)


def words_of(visitor: Visitor, turn: int, which: str) -> Locator:
    return visitor.page.locator(f"#conversation [data-turn='{turn}'] {which}")


def fast_fallback(url: str, transport: str) -> str:
    """A blocked WebRTC need not be waited for; one that works has all the time it takes."""
    return f"{url}/?connect_timeout_ms={1000 if transport == 'websocket' else 60_000}"
