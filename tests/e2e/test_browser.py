"""The page in a real Chromium, whose fake microphone plays speech: what a caller gets."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from playwright.async_api import Page, expect

from inzwa_rtc.conversation.phrases import PhraseCutter
from tests.support.browser import (
    BLOCK_WEBRTC,
    page_with_microphone,
    record,
    recorded,
    state,
    until,
    write_wav,
)
from tests.support.process import served
from tests.support.server import serving_embedded
from tests.support.voice import Samples, correlation, speech

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
COLOURS: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
OUTPUT = Path(__file__).parent.parent / "output"
WINDOW = 9_600  # 0.2 s: longer, and a jitter buffer's stretching would count as difference

QUIET = 8.0  # s: the file plays from when the microphone opens, before the call is up


async def spoken(text: str) -> Samples:
    """A reply as the server synthesizes it: phrase by phrase."""
    cutter = PhraseCutter()
    phrases = [phrase for token in text.split(" ") for phrase in cutter.feed(f"{token} ", 0.0)]
    return np.concatenate([await speech(phrase) for phrase in [*phrases, *cutter.flush()]])


def likeness(reference: Samples, received: Samples) -> float:
    """Median over voiced windows of how well each is found in what was received."""
    windows = [reference[i : i + WINDOW] for i in range(0, len(reference) - WINDOW, WINDOW)]
    loud = [w for w in windows if np.sqrt(np.mean(w.astype(float) ** 2)) > 500]
    return float(np.median([correlation(window, received) for window in loud]))


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_a_question_asked_in_the_browser_is_answered_aloud(
    transport: str, tmp_path: Path
) -> None:
    asked = "are you human"
    question = await speech(asked)  # asked again where the recogniser asks for it
    asking: list[Samples | float] = [question, 12.0]
    wav = write_wav(tmp_path / "microphone.wav", QUIET, *asking * 4, 60.0)
    blocked = [BLOCK_WEBRTC] if transport == "websocket" else []
    async with (
        serving_embedded(call={"greeting": ""}) as server,
        page_with_microphone(wav, *blocked) as page,
    ):
        await page.goto(f"{server.url}/?connect_timeout_ms=3000")
        await page.click("#call")
        await until(page, "state.transport && state.phase === 'listening'")
        await record(page)
        found = f"(turn) => turn.caller?.text === '{asked}' && turn.answer?.settled"
        await until(page, f"state.turns.some({found})", seconds=80)
        await until(page, "state.phase === 'listening'")
        told = await state(page)
        assert told["transport"] == transport
        turn = next(turn for turn in told["turns"] if turn["caller"]["text"] == asked)
        assert turn["latency"]["first_audio_ms"] >= turn["latency"]["silence_ms"]
        received = await recorded(page)
        other = await speech("Nobody has ever said these words to anyone in this town.")
        same = likeness(await spoken(turn["answer"]["text"]), received)
        # eSpeak's voices flutter, so that two syntheses of a text are never quite the same.
        assert same > 0.55
        assert same > likeness(other, received) + 0.1
        chip = page.locator("#chip-text")
        await expect(chip).to_contain_text("WebSocket" if transport == "websocket" else "WebRTC")
        await expect(page.locator("#conversation .caller-words").last).to_contain_text(asked)
        answer = page.locator("#conversation .answer-words").last
        await expect(answer).to_contain_text(turn["answer"]["text"].strip())
        if transport == "websocket":
            assert told["fallback"]


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_talking_over_the_answer_silences_it_in_the_browser(
    transport: str, tmp_path: Path
) -> None:
    story, question = await speech("i want to hear a story"), await speech("what day is it")
    wav = write_wav(tmp_path / "microphone.wav", QUIET, story, 9.0, question, 60.0)
    async with (
        serving_embedded(call={"greeting": ""}) as server,
        page_with_microphone(wav) as page,
    ):
        await page.goto(f"{server.url}/?transport={transport}")
        await page.click("#call")
        await until(page, "state.phase === 'speaking'")
        await record(page)
        await until(page, "state.turns[0].answer.heard !== null")
        before = len(await recorded(page))
        await until(page, "state.turns.length > 1 && state.turns[1].caller.settled")
        after = await recorded(page)
        quiet = after[before + 24_000 : before + 36_000]  # 0.25 s, half a second after the cut
        assert len(quiet) == 12_000
        assert np.abs(quiet.astype(int)).max() < 300
        assert np.abs(after[:before].astype(int)).max() > 3_000
        unheard = page.locator("#conversation .unheard")
        await expect(unheard).to_be_visible()
        turn = (await state(page))["turns"][0]
        assert 20 < turn["answer"]["heard"] < len(turn["answer"]["text"])


async def test_a_typed_message_is_answered_and_the_call_ends_by_keyboard(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "microphone.wav", 60.0)
    async with serving_embedded() as server, page_with_microphone(wav) as page:
        await page.goto(server.url)
        await page.focus("#call")
        await page.keyboard.press("Enter")
        await until(page, "state.phase === 'speaking'")
        await page.keyboard.press("t")
        await page.keyboard.type("What is 7 times 8?")
        await page.keyboard.press("Enter")
        answer = page.locator("#conversation .answer-words").last
        await expect(answer).to_contain_text("56", timeout=20_000)
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await until(page, "state.phase === 'ended'")
        await expect(page.locator("#call-again")).to_be_visible()
        assert len(server.calls) <= 1


async def test_a_blocked_microphone_is_explained(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "microphone.wav", 1.0)
    async with serving_embedded() as server, page_with_microphone(wav) as page:
        await page.add_init_script(
            "navigator.mediaDevices.getUserMedia = () =>"
            " Promise.reject(new DOMException('no', 'NotAllowedError'));"
        )
        await page.goto(server.url)
        await page.click("#call")
        await expect(page.locator("#notice-what")).to_be_visible()
        assert (await state(page))["phase"] == "error"


async def test_a_server_that_is_killed_is_told_and_dialled_again_until_it_is_back(
    tmp_path: Path,
) -> None:
    wav = write_wav(tmp_path / "microphone.wav", 120.0)
    async with page_with_microphone(wav) as page:
        async with served() as (server, port):
            await page.goto(f"http://127.0.0.1:{port}/?transport=websocket")
            await page.click("#call")
            await until(page, "state.phase === 'listening'")
            server.kill()
            await until(page, "state.phase === 'reconnecting'")
            await expect(page.locator("#phase")).to_be_visible()
        async with served(port):
            await until(page, "state.phase === 'listening' || state.phase === 'speaking'", 60)
            assert (await state(page))["call"] == 2


async def test_the_page_fits_every_window_and_nothing_on_it_fails(tmp_path: Path) -> None:
    """Screenshots are kept in tests/output for the eye."""
    question, story = (
        await speech("what does your name mean"),
        await speech("i want to hear a story"),
    )
    over = await speech("what day is it")
    wav = write_wav(tmp_path / "microphone.wav", QUIET, question, 9.0, story, 8.0, over, 60.0)
    problems: list[str] = []
    OUTPUT.mkdir(exist_ok=True)
    async with serving_embedded() as server, page_with_microphone(wav) as page:
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda message: problems.append(message.text) if message.type == "error" else None,
        )
        await page.goto(server.url)
        await look(page, "ready")
        await page.click("#call")
        await until(page, "state.turns.filter((turn) => turn.latency).length >= 3", seconds=90)
        await look(page, "call")
        await page.click("#open-settings")
        await expect(page.locator("#set-voice option").first).to_be_attached()
        await look(page, "settings")
    assert problems == []


async def look(page: Page, name: str) -> None:
    """A picture at each size and in both colours; nothing may stick out sideways."""
    for width, height in ((360, 740), (1280, 800)):
        await page.set_viewport_size({"width": width, "height": height})
        for scheme in COLOURS:
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            await page.screenshot(path=OUTPUT / f"{width}-{scheme}-{name}.png")
        overflow = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not await page.evaluate(overflow)
