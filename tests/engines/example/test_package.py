"""A package that nobody here knows adds engines: installed by pip, chosen by name."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from inzwa_rtc.engines import registry
from inzwa_rtc.engines.client import LanguageModelClient
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.engines.supervised import supervised
from tests.engines.example.conftest import Installed
from tests.engines.remote.asking import REQUEST, said
from tests.support.caller import calling
from tests.support.process import served
from tests.support.voice import CLEAR_VOICE, speech

GUARD_S = 60.0
KINDS = {("asr", "syllables"), ("llm", "parrot")}


def test_its_engines_are_listed_beside_ours(installed: Installed) -> None:
    listed = installed.listed()
    assert listed.keys() > KINDS
    row = listed["asr", "syllables"]
    assert row["is_installed"]
    assert row["licence"] == "Apache-2.0"
    assert row["summary"] == "from inzwa-rtc-example: hears syllables, and repeats what was heard"
    assert "syllables" in installed.run("engines")


def test_an_environment_without_it_has_all_engines_but_these(installed: Installed) -> None:
    assert find_spec("inzwa_rtc_example") is None
    here = {(kind, name) for kind in registry.KINDS for name in registry.known(kind)}
    assert installed.listed().keys() - here == KINDS


async def test_a_call_is_held_with_it_by_configuration_alone(installed: Installed) -> None:
    chosen = {
        "INZWA_ASR_ENGINE": "syllables",
        "INZWA_LLM_ENGINE": "parrot",
        "INZWA_LLM__OPENING": "You murmured:",
    }
    async with (
        served(command=installed.command, **chosen) as (_, port),
        calling(f"http://127.0.0.1:{port}") as caller,
    ):
        await caller.say(await speech("how are you", voice=CLEAR_VOICE))
        heard = await caller.told("asr.final")
        assert set(heard["text"].split()) == {"da"}
        answered = await caller.told("llm.final", lambda told: told["turn"] == heard["turn"])
        assert answered["text"].strip() == f"You murmured: {heard['text']}"
        assert (await caller.answer(answered["turn"])).any()


async def test_it_runs_in_an_environment_that_the_server_is_not_in(installed: Installed) -> None:
    spec = EngineSpec("llm", "parrot", "inzwa_rtc_example.parrot:Parrot")
    process = EngineProcess(Launch(spec=spec, options={}, python=str(installed.python)))
    async with asyncio.timeout(GUARD_S), supervised([process]):
        reply = await said(LanguageModelClient(process), REQUEST)
    assert reply == f"You said: {REQUEST.messages[-1].content} "
