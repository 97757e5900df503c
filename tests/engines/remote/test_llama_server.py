"""The chat client against a server that is none of ours: llama.cpp's, on a tiny model."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from inzwa_rtc.engines.contracts import Message, ReplyRequest
from inzwa_rtc.engines.llm.openai import OpenAIChat
from inzwa_rtc.errors import EngineError
from tests.engines.remote.asking import REQUEST, Make, dialogue, error_of, reply

pytest.importorskip("xllamacpp")
pytest.importorskip("gguf")

ROOT = Path(__file__).parents[3]
KEY = "sk-tiny"
CONTEXT = 4096  # of each slot


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("llama")
    command = [sys.executable, "-m", "tests.engines.remote.llama_server"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [*command, str(folder / "tiny.gguf"), KEY],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line, (folder / "log").read_text()
        yield line
        process.kill()


@pytest.fixture
async def llama(chat: Make, address: str) -> OpenAIChat:
    engine: OpenAIChat = chat(base_url=f"{address}/v1", api_key=KEY, temperature=0, seed=1)
    return engine


@pytest.fixture
async def admin(address: str) -> AsyncGenerator[httpx.AsyncClient, None]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False) as client:
        yield client


async def slots(admin: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await admin.get("/slots")).json()
    return found


async def decoded(admin: httpx.AsyncClient) -> int:
    """How many steps of decoding the server has taken."""
    match = re.search(r"n_decode_total (\d+)", (await admin.get("/metrics")).text)
    assert match
    return int(match[1])


async def test_a_reply_comes_token_by_token_and_ends(llama: OpenAIChat) -> None:
    chunks = await reply(llama)
    assert len(chunks) > 2
    assert [chunk.is_final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert await reply(llama) == chunks  # the same seed


async def test_the_sampling_settings_reach_the_model(
    chat: Make, address: str, admin: httpx.AsyncClient
) -> None:
    engine = chat(
        base_url=f"{address}/v1", api_key=KEY, temperature=0.25, top_p=0.5, repeat_penalty=1.25
    )
    await reply(engine, ReplyRequest(REQUEST.messages, max_tokens=11))
    params = [slot["params"] for slot in await slots(admin) if "params" in slot]
    assert any(
        (p["temperature"], p["top_p"], p["repeat_penalty"], p["max_tokens"])
        == (0.25, 0.5, 1.25, 11)
        for p in params
    )


async def test_probabilities_are_told_if_wanted(chat: Make, address: str) -> None:
    engine = chat(base_url=f"{address}/v1", api_key=KEY, temperature=0, seed=1, logprobs=True)
    first, *_ = await reply(engine)
    assert first.logprob is not None
    assert first.logprob < 0


async def test_a_wrong_key_is_named(chat: Make, address: str) -> None:
    error = await error_of(chat(base_url=f"{address}/v1", api_key="sk-other"))
    assert "llm.api_key" in str(error)


async def test_a_reply_closed_early_stops_the_model(
    chat: Make, address: str, admin: httpx.AsyncClient
) -> None:
    engine = chat(base_url=f"{address}/v1", api_key=KEY, extra_body={"ignore_eos": True})
    request = ReplyRequest(REQUEST.messages, max_tokens=3900)
    before = await decoded(admin)
    async with asyncio.timeout(30):
        async with aclosing(engine.reply(request)) as chunks:
            await anext(chunks)
        while any(slot["is_processing"] for slot in await slots(admin)):
            pass
    assert await decoded(admin) - before < 2000


async def test_replies_run_side_by_side(llama: OpenAIChat) -> None:
    alone = await reply(llama)
    async with asyncio.TaskGroup() as tasks:
        replies = [tasks.create_task(reply(llama)) for _ in range(4)]
    for task in replies:
        assert [chunk.is_final for chunk in task.result()][-1]
        assert task.result()[0].token == alone[0].token


async def test_a_dialogue_too_long_for_the_model_loses_its_oldest_turns(
    llama: OpenAIChat, admin: httpx.AsyncClient
) -> None:
    assert await reply(llama, dialogue(turns=61))
    prompts = [slot.get("n_prompt_tokens", 0) for slot in await slots(admin)]
    assert CONTEXT / 3 < max(prompts) < CONTEXT  # about half is kept


async def test_a_message_too_long_for_the_model_is_an_error(llama: OpenAIChat) -> None:
    request = ReplyRequest((Message("user", "a " * CONTEXT),))
    with pytest.raises(EngineError) as caught:
        await reply(llama, request)
    assert caught.value.code == "context_too_small"
