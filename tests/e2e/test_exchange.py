"""The operator changes the engines while somebody is talking with them."""

from __future__ import annotations

import asyncio

import psutil

from tests.support.asking import ask
from tests.support.caller import calling
from tests.support.plugin import Plugin
from tests.support.server import serving_embedded

NO_GREETING = {"call": {"greeting": ""}}


async def test_an_answer_is_spoken_to_its_end_by_the_voice_that_began_it(plugin: Plugin) -> None:
    settings = {**NO_GREETING, **plugin.settings("tts")}
    async with serving_embedded(**settings) as server, calling(server.url) as caller:
        old = psutil.Process(server.engines.status()["tts"].pid)
        caller.send(type="text", text="tell me a story")
        story = (await caller.told("tts.start"))["turn"]
        exchanged = await server.reload(tts_engine="espeak", tts={})
        assert exchanged.kinds == ("tts",)
        assert not [event for event in caller.all("tts.end") if event["turn"] == story]
        assert old.is_running()

        told = await caller.told("llm.final", lambda event: event["turn"] == story)
        await caller.told("tts.end", lambda event: event["turn"] == story)
        assert plugin.said(told["text"]).size  # the old one spoke all of it
        async with asyncio.timeout(60):
            await asyncio.to_thread(old.wait)

        spoken = len(plugin.all_said())
        turn = (await ask(caller, "how are you"))["turn"]
        assert (await caller.answer(turn)).any()
        assert len(plugin.all_said()) == spoken  # the new one spoke this
        assert not caller.all("error")
