"""Whole calls between real peers, over the engines that come with the product."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
from typing import Any

import numpy as np
import psutil

from inzwa_rtc.conversation.spoken import lines
from tests.support.asking import ask
from tests.support.caller import RATE, calling
from tests.support.left_running import left_running
from tests.support.plugin import Plugin
from tests.support.server import ServingEmbedded, serving_embedded
from tests.support.sound import assert_heard
from tests.support.voice import speech

NO_GREETING = {"call": {"greeting": ""}}
OTHER_WORDS = "Nobody has ever said these words to anyone in this town."
HOLD_MS = 300  # by then a hold is heard; the caller talks on for much longer


def of_turn(number: int) -> Any:
    return lambda event: event.get("turn") == number


async def test_a_question_asked_aloud_is_answered_aloud(plugin: Plugin) -> None:
    settings = {**NO_GREETING, **plugin.settings("tts")}
    async with serving_embedded(**settings) as server, calling(server.url) as caller:
        transcript = await ask(caller, "how are you")
        assert transcript["confidence"] > 0.5
        turn = transcript["turn"]
        answered = await caller.told("llm.final", of_turn(turn))
        heard = await caller.answer(turn)
        captions = [event["text"] for event in caller.all("caption") if event["turn"] == turn]
        assert words(" ".join(captions)) == words(answered["text"])
    assert_heard(plugin.said(answered["text"]), heard, await speech(OTHER_WORDS))


async def test_talking_over_a_story_silences_it_and_is_answered(plugin: Plugin) -> None:
    settings = {**NO_GREETING, **plugin.settings("tts")}
    async with serving_embedded(**settings) as server, calling(server.url) as caller:
        caller.send(type="text", text="tell me a story")
        story = (await caller.told("caption", lambda event: event["offset"] > 60))["turn"]
        turn = (await ask(caller, "how are you"))["turn"]
        interrupted = await caller.told("turn.interrupted", of_turn(story))
        told = "".join(e["token"] for e in caller.all("llm.partial") if e["turn"] == story)
        assert told.startswith(interrupted["heard"])
        assert 60 < len(interrupted["heard"]) < len(told) - 100
        answered = await caller.told("llm.final", of_turn(turn))
        assert "well" in answered["text"]
        heard = await caller.answer(turn)
        held = [event for event in caller.all("playback.held") if event["turn"] == story][-1]
        begun = await caller.told("tts.start", lambda event: event["turn"] > story)
        quiet = caller.audio()[held["at"] + HOLD_MS * RATE // 1000 : begun["at"] - RATE // 50]
        assert len(quiet) >= RATE // 4  # told from the packets, of which there are few in silence
        assert np.abs(quiet.astype(int)).max() < 200
    assert_heard(plugin.said(answered["text"]), heard)


async def test_the_assistant_says_goodbye_and_hangs_up(plugin: Plugin) -> None:
    settings = {**NO_GREETING, **plugin.settings("tts")}
    async with serving_embedded(**settings) as server, calling(server.url) as caller:
        turn = (await ask(caller, "goodbye"))["turn"]
        answered = await caller.told("llm.final", of_turn(turn))
        heard = await caller.told("tts.end", of_turn(turn))
        ended = await caller.told("session.ended")
        assert ended["reason"] == "assistant"
        begun = await caller.told("tts.start", of_turn(turn))
    assert_heard(plugin.said(answered["text"]), caller.audio()[begun["at"] - RATE // 50 :])
    assert ended["at"] >= heard["at"]


async def test_speech_it_does_not_know_is_asked_for_again() -> None:
    unknown = await speech("purple elephants negotiate with democratic accordions")
    async with serving_embedded(**NO_GREETING) as server, calling(server.url) as caller:
        await caller.say(unknown)
        assert (await caller.told("asr.final"))["text"] == ""
        assert (await caller.told("llm.final"))["text"] == lines("en").not_understood


async def test_twenty_calls_one_after_another_leave_nothing_behind() -> None:
    async with serving_embedded(**NO_GREETING) as server:
        for _ in range(3):
            await _short_call(server)
        before = await _footprint()
        for _ in range(20):
            await _short_call(server)
        after = await _footprint()
        assert {name: count for name, count in after.items() if count > before[name]} == {}
    assert left_running() == []


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


async def _short_call(server: ServingEmbedded) -> None:
    async with calling(server.url) as caller:
        caller.send(type="text", text="what time is it")
        await caller.told("tts.start")
        caller.send(type="stop")
        await caller.told("session.ended")
    async with asyncio.timeout(60):
        await server.calls.all_ended()


async def _footprint() -> dict[str, int]:
    """Tasks, threads, file descriptors and children, once everything has settled.

    Threads of the loop's own pool are left out: Python starts up to a handful when they are
    first needed, and keeps them.
    """
    found: dict[str, int] = {}
    for _ in range(100):
        gc.collect()
        await asyncio.sleep(0.02)
        process = psutil.Process()
        now = {
            "tasks": len(asyncio.all_tasks()),
            "threads": len([t for t in threading.enumerate() if not t.name.startswith("asyncio")]),
            "fds": process.num_fds(),
            "children": len(process.children(recursive=True)),
        }
        if now == found:
            return now
        found = now
    return found
