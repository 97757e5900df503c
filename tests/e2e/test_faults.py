"""Engines that are killed or hang, at every stage of a turn: the caller is told, by voice, and
the call goes on.

The engines get stuck at the stage in question (`tests.support.plugged`), so that the signal
finds them in the midst of it on any machine. Time limits are out of reach: it is the
engines' supervision that is at work here.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any, Literal

import pytest

from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.engines.contracts import EngineKind
from tests.support.asking import ask
from tests.support.caller import Caller, calling
from tests.support.plugged import UNFINISHED
from tests.support.plugin import Plugin
from tests.support.server import ServingEmbedded, serving_embedded
from tests.support.sound import assert_heard, placing
from tests.support.voice import speech

pytestmark = pytest.mark.timeout(180)

Stage = Literal["the caller talks", "a transcript is awaited", "a reply is written", "it is spoken"]
SIGNALS = [signal.SIGKILL, signal.SIGSTOP]
APOLOGY = lines("en").fault
PATIENT = {"recognition": 60, "first_token": 60, "next_token": 60, "first_audio": 60}
SETTINGS = {"call": {"greeting": ""}, "timeouts": {**PATIENT, "next_audio": 60}}


@pytest.mark.parametrize("sent", SIGNALS)
@pytest.mark.parametrize(
    ("kind", "stage"),
    [
        ("asr", "the caller talks"),
        ("asr", "a transcript is awaited"),
        ("llm", "a reply is written"),
        ("tts", "it is spoken"),
    ],
)
async def test_the_turn_that_loses_its_engine_is_apologised_for_and_the_next_is_answered(
    kind: EngineKind, stage: Stage, sent: signal.Signals, plugin: Plugin
) -> None:
    settings = {**SETTINGS, **plugin.settings("asr", "llm", "tts")}
    async with serving_embedded(**settings) as server, calling(server.url) as caller:
        turn = await reach(stage, caller, plugin)
        break_engine(server, kind, sent)
        plugin.recover()
        error = await caller.told("error")
        assert error["turn"] == turn
        assert error["message"] and error["action"]
        answered = await caller.told("llm.final", of_turn(turn))
        assert answered["text"].endswith(APOLOGY)
        heard = await caller.answer(turn)
        apology = placing(plugin.said(APOLOGY), heard)
        assert apology.found >= 0.9 and apology.lost_ms <= 240, str(apology)
        await assert_answered(caller, plugin)
        assert len(caller.all("error")) == 1
        assert server.engines.status()[kind].restarts == 1


@pytest.mark.parametrize(
    ("kind", "stage", "sent"),
    [
        ("llm", "the caller talks", signal.SIGKILL),
        ("tts", "the caller talks", signal.SIGSTOP),
        ("llm", "it is spoken", signal.SIGSTOP),
        ("asr", "it is spoken", signal.SIGKILL),
    ],
)
async def test_a_turn_that_does_not_need_the_engine_now_is_not_harmed(
    kind: EngineKind, stage: Stage, sent: signal.Signals, plugin: Plugin
) -> None:
    """What it needs next is waited for."""
    settings = {**SETTINGS, **plugin.settings("tts")}
    async with serving_embedded(**settings) as server, calling(server.url) as caller:
        if stage == "the caller talks":
            asking = asyncio.create_task(ask(caller, "how are you"))
            await caller.told("speech.started")
            break_engine(server, kind, sent)
            turn = (await asking)["turn"]
        else:
            caller.send(type="text", text="how are you")
            turn = (await caller.told("caption"))["turn"]
            break_engine(server, kind, sent)
        answered = await caller.told("llm.final", of_turn(turn))
        assert "well" in answered["text"]
        heard = await caller.answer(turn)
        assert_heard(plugin.said(answered["text"]), heard)
        await assert_answered(caller, plugin)
        assert caller.all("error") == []
        assert server.engines.status()[kind].restarts == 1


async def reach(stage: Stage, caller: Caller, plugin: Plugin) -> int:
    """Bring a turn to this stage and hold it there; its number."""
    if stage == "the caller talks":
        # Not sooner: audio of which the engine has taken nothing goes to its successor.
        await caller.say(await speech("i would like to hear another story, please tell me a story"))
        started = await caller.told("asr.partial")
    elif stage == "a transcript is awaited":
        plugin.stall("asr")
        await caller.say(await speech("how are you"))
        started = await caller.told("asr.partial", lambda event: event["text"] == UNFINISHED)
    elif stage == "a reply is written":
        plugin.stall("llm")
        caller.send(type="text", text="tell me a story")
        started = await caller.told("llm.partial")
    else:
        plugin.stall("tts")
        caller.send(type="text", text="tell me a story")
        started = await caller.told("caption")
    return int(started["turn"])


def break_engine(server: ServingEmbedded, kind: EngineKind, sent: signal.Signals) -> None:
    pid = server.engines.status()[kind].pid
    assert pid is not None
    os.kill(pid, sent)


async def assert_answered(caller: Caller, plugin: Plugin) -> None:
    """A question asked aloud is answered aloud."""
    turn = (await ask(caller, "how are you"))["turn"]
    answered = await caller.told("llm.final", of_turn(turn))
    assert "well" in answered["text"]
    heard = await caller.answer(turn)
    assert_heard(plugin.said(answered["text"]), heard)
    assert not caller.all("session.ended")


def of_turn(number: int) -> Any:
    return lambda event: event.get("turn") == number
