"""Remote engines in processes of their own, as a call uses them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import numpy as np
import pytest

from inzwa_rtc.engines.client import LanguageModelClient, RecognizerClient
from inzwa_rtc.engines.contracts import EngineKind, RecognizeRequest, TokenChunk
from inzwa_rtc.engines.fallback import FallbackLanguageModel, FallbackRecognizer
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.engines.supervised import supervised
from inzwa_rtc.errors import EngineUnavailable
from tests.engines.remote.asking import CANARY, REQUEST, error_of, said
from tests.engines.remote.fake_server import FakeServer, answers, delta, hangs, says, streams

CLASSES: dict[tuple[EngineKind, str], str] = {
    ("llm", "openai"): "inzwa_rtc.engines.llm.openai:OpenAIChat",
    ("llm", "ollama"): "inzwa_rtc.engines.llm.ollama:Ollama",
    ("asr", "openai"): "inzwa_rtc.engines.asr.openai:OpenAITranscription",
}
MODELS = answers({"data": []})


@asynccontextmanager
async def running(
    kind: EngineKind, name: str, **options: Any
) -> AsyncGenerator[EngineProcess, None]:
    spec = EngineSpec(kind, name, CLASSES[kind, name])
    process = EngineProcess(Launch(spec=spec, options={"model": "tiny", **options}))
    async with asyncio.timeout(60), supervised([process]):
        yield process


async def test_a_reply_crosses_both_boundaries(server: FakeServer) -> None:
    server.will(MODELS, says("Mho", "roi"))
    options = {"base_url": f"{server.url}/v1", "api_key": "sk-tiny", "headers": {"X-Team": "a"}}
    async with running("llm", "openai", **options) as process:
        assert await said(LanguageModelClient(process)) == "Mhoroi"
    assert server.asked[1].headers["Authorization"] == "Bearer sk-tiny"
    assert server.asked[1].headers["X-Team"] == "a"


async def test_a_caller_who_leaves_frees_the_servers_connection(server: FakeServer) -> None:
    server.will(MODELS, streams([delta("Mho")], then=hangs))
    async with running("llm", "openai", base_url=f"{server.url}/v1") as process:
        async with aclosing(LanguageModelClient(process).reply(REQUEST)) as chunks:
            assert await anext(chunks) == TokenChunk("Mho")
        await server.until_left()


async def test_a_server_that_refuses_is_told_of_before_the_first_call(server: FakeServer) -> None:
    server.will(answers({"error": {"message": CANARY}}, 401))
    with pytest.raises(EngineUnavailable, match=r"llm\.api_key") as caught:
        async with running("llm", "openai", base_url=f"{server.url}/v1"):
            pass
    assert CANARY not in str(caught.value)


async def test_an_error_keeps_its_meaning(server: FakeServer) -> None:
    server.will(answers({"error": "model 'tiny' not found"}, 404))
    async with running("llm", "ollama", base_url=server.url, check_at_start=False) as process:
        error = await error_of(LanguageModelClient(process))
    assert isinstance(error, EngineUnavailable)
    assert "ollama pull tiny" in str(error)


async def test_another_process_answers_for_one_whose_server_hangs(server: FakeServer) -> None:
    server.will(hangs, says("Mhoroi"))
    options = {"base_url": f"{server.url}/v1", "check_at_start": False}
    async with (
        running("llm", "openai", **options) as first,
        running("llm", "openai", **options) as second,
    ):
        engines = [("first", LanguageModelClient(first)), ("second", LanguageModelClient(second))]
        model = FallbackLanguageModel(engines, first_token_s=4)
        assert await said(model) == "Mhoroi"


async def test_another_process_hears_all_of_an_utterance_that_the_first_could_not(
    server: FakeServer,
) -> None:
    server.will(answers({}, 400), answers({"text": "Mhoroi."}))
    options = {"base_url": f"{server.url}/v1", "check_at_start": False}
    voice = np.tile(np.array([8000, -8000], np.int16), 8000).tobytes()  # one second

    async def utterance() -> AsyncIterator[bytes]:
        for start in range(0, len(voice), 3200):
            yield voice[start : start + 3200]

    async with (
        running("asr", "openai", **options) as first,
        running("asr", "openai", **options) as second,
    ):
        engines = [("first", RecognizerClient(first)), ("second", RecognizerClient(second))]
        recognizer = FallbackRecognizer(engines, final_s=20)
        heard = recognizer.recognize(utterance(), RecognizeRequest("sn"))
        async with aclosing(heard) as chunks:
            (final,) = [chunk async for chunk in chunks]
    assert (final.text, final.is_final) == ("Mhoroi.", True)
    first_form, second_form = (asked.form for asked in server.asked)
    assert first_form == second_form
