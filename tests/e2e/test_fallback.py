"""An engine that is lost in a turn which another one can still answer: the caller is answered, and
hears nothing of it.

The preferred engine ends, or hangs, by its own hand while it has the request; time limits are
out of reach, as in `test_faults`.
"""

from __future__ import annotations

import signal

import pytest

from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.engines.group import EngineStatus
from tests.support.asking import ask
from tests.support.caller import Caller, calling
from tests.support.plugin import Plugin
from tests.support.server import serving_embedded
from tests.support.sound import assert_heard

pytestmark = pytest.mark.timeout(180)

APOLOGY = lines("en").fault
SIGNALS = [signal.SIGKILL, signal.SIGSTOP]
PATIENT = {"recognition": 60, "first_token": 60, "next_token": 60, "first_audio": 60}
SETTINGS = {"call": {"greeting": ""}, "timeouts": {**PATIENT, "next_audio": 60}}


@pytest.mark.parametrize("sent", SIGNALS)
async def test_a_reply_is_written_by_the_next_language_model(
    sent: signal.Signals, plugin: Plugin
) -> None:
    settings = {**SETTINGS, **plugin.settings("tts"), **plugin.before("llm", "scripted")}
    async with serving_embedded(**settings) as server, calling(server.url) as caller:
        await assert_answered(caller, plugin)
        assert server.engines.status()["llm"].name == "plugged"
        plugin.end("llm", sent)
        await assert_answered(caller, plugin)
        plugin.recover()
        await assert_answered(caller, plugin)
        assert restarts(server.engines.status()["llm"]) == {"plugged": 1, "scripted": 0}


@pytest.mark.parametrize("sent", SIGNALS)
async def test_an_utterance_is_recognised_by_the_next_recogniser(
    sent: signal.Signals, plugin: Plugin
) -> None:
    settings = {**SETTINGS, **plugin.settings("tts"), **plugin.before("asr", "pocketsphinx")}
    async with serving_embedded(**settings) as server, calling(server.url) as caller:
        await assert_answered(caller, plugin)
        plugin.end("asr", sent)
        await assert_answered(caller, plugin)
        plugin.recover()
        await assert_answered(caller, plugin)
        told = restarts(server.engines.status()["asr"])
        assert told["plugged"] >= 1  # one for each time that the question was put
        assert told["pocketsphinx"] == 0


async def assert_answered(caller: Caller, plugin: Plugin) -> None:
    """A question asked aloud is answered aloud, without a word of what went wrong."""
    turn = (await ask(caller, "how are you"))["turn"]
    answered = await caller.told("llm.final", lambda event: event["turn"] == turn)
    assert "well" in answered["text"] and APOLOGY not in answered["text"]
    heard = await caller.answer(turn)
    assert_heard(plugin.said(answered["text"]), heard)
    assert caller.all("error") == []


def restarts(status: EngineStatus) -> dict[str, int]:
    """How often each engine had to be started again."""
    return {one.name: one.restarts for one in (status, *status.others)}
