"""Whole calls between real peers, over the engines that come with the product."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import threading
from typing import Any, Literal

import numpy as np
import psutil
import pytest

from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.engines.contracts import EngineKind
from tests.support.caller import calling
from tests.support.server import ServingEmbedded, serving_embedded
from tests.support.voice import correlation, speech

Stage = Literal["listening", "speaking"]


def of_turn(number: int) -> Any:
    return lambda event: event.get("turn") == number


async def test_a_question_asked_aloud_is_answered_aloud() -> None:
    question = await speech("what day is it")
    async with serving_embedded(call={"greeting": ""}) as server, calling(server.url) as caller:
        caller.microphone.speak(question)
        transcript = await caller.told("asr.final")
        assert transcript["text"] == "what day is it"
        assert transcript["confidence"] > 0.5
        final = await caller.told("llm.final")
        await caller.told("tts.end")
        spoken = " ".join(caption["text"] for caption in caller.all("caption"))
        assert re.findall(r"\w+", spoken) == re.findall(r"\w+", final["text"])
        first_phrase = final["text"].split(".")[0] + "."
        reference = await speech(first_phrase)
        middle = reference[len(reference) // 4 : len(reference) // 4 + 24_000]
        assert correlation(middle, caller.audio()) > 0.7
        other = await speech("Nobody has ever said these words to anyone.")
        assert correlation(other[12_000:36_000], caller.audio()) < 0.5


async def test_talking_over_a_story_silences_it_and_is_answered() -> None:
    story, question = await speech("i want to hear a story"), await speech("what day is it")
    async with serving_embedded(call={"greeting": ""}) as server, calling(server.url) as caller:
        caller.microphone.speak(story)
        await caller.told("caption", lambda event: event["offset"] > 60)
        caller.microphone.speak(question)
        interrupted = await caller.told("turn.interrupted")
        pieces = len(caller.heard)
        await caller.told("asr.final", of_turn(1))
        told = "".join(e["token"] for e in caller.all("llm.partial") if e["turn"] == 0)
        assert told.startswith(interrupted["heard"])
        assert 60 < len(interrupted["heard"]) < len(told) - 100
        quiet = np.concatenate(caller.heard[pieces + 15 : pieces + 30])  # 0.3 s, after buffers
        assert np.abs(quiet.astype(int)).max() < 200
        final = await caller.told("llm.final", of_turn(1))
        assert "day" in final["text"].lower()


async def test_the_assistant_says_goodbye_and_hangs_up() -> None:
    goodbye = await speech("goodbye")
    async with serving_embedded(call={"greeting": ""}) as server, calling(server.url) as caller:
        caller.microphone.speak(goodbye)
        ended = await caller.told("session.ended")
        assert ended["reason"] == "assistant"
        assert caller.all("tts.end")


async def test_speech_it_does_not_know_is_asked_for_again() -> None:
    unknown = await speech("purple elephants negotiate with democratic accordions")
    async with serving_embedded(call={"greeting": ""}) as server, calling(server.url) as caller:
        caller.microphone.speak(unknown)
        assert (await caller.told("asr.final"))["text"] == ""
        assert (await caller.told("llm.final"))["text"] == lines("en").not_understood


@pytest.mark.timeout(180)
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("kind", ["asr", "llm", "tts"])
@pytest.mark.parametrize("stage", ["listening", "speaking"])
async def test_a_killed_or_hanging_engine_never_ends_the_call(
    kind: EngineKind, stage: Stage, sent: signal.Signals
) -> None:
    question = await speech("i want to hear a story")
    async with serving_embedded(call={"greeting": ""}) as server, calling(server.url) as caller:
        if stage == "listening":
            caller.microphone.speak(question)
            await caller.told("speech.started")
        else:
            caller.send(type="text", text="tell me a story")
            await caller.told("caption")
        os.kill(_pid(server, kind), sent)
        async with asyncio.timeout(30):
            await _restarted(server, kind)
        await caller.microphone.finished()
        # Words that nothing was heard in answer to would be joined to what follows.
        await caller.told("caption", lambda event: event["offset"] > 20)
        caller.send(type="text", text="what is seven times eight")
        final = await caller.told("llm.final", lambda event: "56" in event["text"])
        await caller.told("tts.end", of_turn(final["turn"]))
        assert server.engines.status()[kind].restarts >= 1
        assert not caller.all("session.ended")


def _pid(server: ServingEmbedded, kind: EngineKind) -> int:
    pid = server.engines.status()[kind].pid
    assert pid is not None
    return pid


async def _restarted(server: ServingEmbedded, kind: EngineKind) -> None:
    while True:
        status = server.engines.status()[kind]
        if status.restarts and status.state == "ready":
            return
        await asyncio.sleep(0.05)


async def test_an_engine_killed_while_it_speaks_is_apologised_for_in_that_turn() -> None:
    async with serving_embedded(call={"greeting": ""}) as server, calling(server.url) as caller:
        caller.send(type="text", text="tell me a story")
        await caller.told("caption")
        os.kill(_pid(server, "tts"), signal.SIGSTOP)  # it must not finish what it was asked
        os.kill(_pid(server, "tts"), signal.SIGKILL)
        error = await caller.told("error")
        assert error["turn"] == 0
        assert error["action"]
        final = await caller.told("llm.final", lambda event: lines("en").fault in event["text"])
        await caller.told("tts.end")
        assert final["text"].endswith(lines("en").fault)
        apology = await speech(lines("en").fault)
        assert correlation(apology[24_000:33_600], caller.audio()) > 0.6


async def test_twenty_calls_one_after_another_leave_nothing_behind() -> None:
    async with serving_embedded(call={"greeting": ""}) as server:
        for _ in range(3):
            await _short_call(server)
        before = await _footprint()
        for _ in range(20):
            await _short_call(server)
        assert await _footprint() == before
    assert psutil.Process().children() == []


async def _short_call(server: ServingEmbedded) -> None:
    async with calling(server.url) as caller:
        caller.send(type="text", text="what time is it")
        await caller.told("tts.start")
        caller.send(type="stop")
        await caller.told("session.ended")
    async with asyncio.timeout(10):
        await server.calls.all_ended()


async def _footprint() -> dict[str, int]:
    """Tasks, threads, file descriptors and children, once everything has settled."""
    found: dict[str, int] = {}
    for _ in range(100):
        gc.collect()
        await asyncio.sleep(0.02)
        process = psutil.Process()
        now = {
            "tasks": len(asyncio.all_tasks()),
            "threads": threading.active_count(),
            "fds": process.num_fds(),
            "children": len(process.children(recursive=True)),
        }
        if now == found:
            return now
        found = now
    return found
