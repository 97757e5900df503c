"""OpenAI's own client as its documentation has it, at a server where nobody has made a key."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest
import pytest_asyncio

from tests.support.recordings import recorded
from tests.support.server import serving_embedded

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stranger() -> AsyncIterator[openai.AsyncOpenAI]:
    """It cannot do without a key, so people give it any word."""
    async with (
        serving_embedded() as server,
        openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="unused") as client,
    ):
        yield client


async def test_models_are_listed(stranger: openai.AsyncOpenAI) -> None:
    models = [model.id async for model in stranger.models.list()]
    assert models == ["pocketsphinx", "scripted", "espeak"]


async def test_a_dialogue_is_continued(stranger: openai.AsyncOpenAI) -> None:
    told = await stranger.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "How are you?"}]
    )
    assert "well" in (told.choices[0].message.content or "")


async def test_a_text_is_spoken(stranger: openai.AsyncOpenAI) -> None:
    spoken = await stranger.audio.speech.create(
        model="tts-1", voice="alloy", input="Good morning.", response_format="wav"
    )
    assert spoken.content.startswith(b"RIFF")


async def test_a_recording_is_written_down(stranger: openai.AsyncOpenAI) -> None:
    file = ("a.wav", await recorded("what time is it"))
    told = await stranger.audio.transcriptions.create(model="whisper-1", file=file)
    assert told.text == "what time is it"
