"""Data cross the boundary unchanged, and work stops where nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from inzwa_rtc.engines.client import LanguageModelClient, RecognizerClient, SynthesizerClient
from inzwa_rtc.engines.contracts import (
    EngineKind,
    RecognizeRequest,
    Speaker,
    SpeechChunk,
    SpeechRequest,
    ToolCall,
    Voice,
    WordTime,
)

if TYPE_CHECKING:
    from .conftest import Boundary


@pytest.mark.parametrize("kind", ["asr", "llm", "tts"])
async def test_closing_a_stream_early_stops_the_engine_s_work(
    boundary: Boundary, kind: EngineKind
) -> None:
    async with boundary.running(kind) as process:
        async with aclosing(boundary.stream(process)) as stream:
            await anext(stream)
        await boundary.until(lambda counts: counts.get("stopped") == 1, process)


async def test_cancelling_a_consumer_stops_a_recogniser_that_does_not_listen(
    boundary: Boundary,
) -> None:
    sent = 0

    async def audio() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(20_000)
            await asyncio.sleep(0)

    async with boundary.running("asr") as process:
        chunks = RecognizerClient(process).recognize(audio(), RecognizeRequest("deaf"))
        async with aclosing(chunks):
            await anext(chunks)
            waiting = asyncio.ensure_future(anext(chunks))
            # A full window is the last that a deaf engine is sent; other requests go on.
            await boundary.until(lambda _: sent >= 3, process)
            await boundary.counts(process)
            waiting.cancel()
            await asyncio.wait({waiting})
        assert sent == 3
        await boundary.until(lambda counts: counts.get("stopped") == 1, process)


async def test_listener_who_stalls_stops_the_synthesizer(boundary: Boundary) -> None:
    async with boundary.running("tts", max_concurrent=1) as process:
        stalled = SynthesizerClient(process).synthesize(SpeechRequest("flood"))
        async with aclosing(stalled):
            await anext(stalled)
            made, before = 1, 0
            while made != before:
                # The only slot is free: a stalled listener holds none.
                before, made = made, (await boundary.counts(process))["made"]
            assert made * 16_000 < 400_000


async def test_consumer_who_stalls_stops_the_language_model(boundary: Boundary) -> None:
    async with boundary.running("llm") as process:
        stalled = LanguageModelClient(process).reply(boundary.request("flood"))
        async with aclosing(stalled):
            await anext(stalled)
            made, before = 1, 0
            while made != before:
                before, made = made, (await boundary.counts(process))["made"]
            assert made < 400


async def test_no_more_syntheses_advance_than_allowed(boundary: Boundary) -> None:
    async with boundary.running("tts", max_concurrent=2) as process:

        async def listen() -> None:
            stream = SynthesizerClient(process).synthesize(SpeechRequest("slow"))
            async with aclosing(stream):
                assert [chunk.pcm async for chunk in stream] == [b"\1\0"] * 5

        async with asyncio.TaskGroup() as listeners:
            for _ in range(6):
                listeners.create_task(listen())
        assert (await boundary.counts(process))["most"] == 2


@pytest.mark.parametrize(
    "text",
    ["ndiri kuenda kuHarare – őszi 語 🎙", "lone \ud800 surrogate", "a" * 1_000_000, "\0", ""],
)
async def test_text_crosses_unchanged_both_ways(boundary: Boundary, text: str) -> None:
    async with boundary.running("llm") as process:
        assert await boundary.reply(process, text) == text


async def test_tool_call_crosses_unchanged(boundary: Boundary) -> None:
    async with boundary.running("llm") as process:
        stream = LanguageModelClient(process).reply(boundary.request("tool"))
        async with aclosing(stream):
            assert [chunk async for chunk in stream] == [
                ToolCall("hang_up", {"why": "goodbye"}, "call-1")
            ]


async def test_speech_its_word_times_and_voices_cross_unchanged(boundary: Boundary) -> None:
    async with boundary.running("tts") as process:
        client = SynthesizerClient(process)
        assert client.sample_rate == 8000
        assert client.voices == (
            Voice("anna", "Anna", "sn", engine="test-tts"),
            Voice("béla", "Béla", "hu", "male", engine="test-tts"),
        )
        # It tells no fingerprint: with a voice's id there would still be none.
        assert client.speaker(None, "sn") == Speaker("test-tts", "")
        async with aclosing(client.synthesize(SpeechRequest("jó reggelt"))) as stream:
            words = (WordTime(0, 2, 0), WordTime(3, 7, 100))
            spoken = SpeechChunk(bytes(range(256)), words, engine="test-tts")
            assert [chunk async for chunk in stream] == [spoken]


async def test_all_audio_of_an_utterance_is_heard(boundary: Boundary) -> None:
    async def audio() -> AsyncIterator[bytes]:
        yield bytes(384_000)
        for _ in range(100):
            yield bytes(640)

    async with boundary.running("asr") as process:
        chunks = RecognizerClient(process).recognize(audio(), RecognizeRequest("sn-ZW"))
        async with aclosing(chunks):
            *_, last = [chunk async for chunk in chunks]
        assert (last.text, last.is_final) == ("ndinonzwa 448000 ő", True)
        assert last.language == "sn-ZW"


async def test_error_of_the_audio_itself_is_raised_as_it_is(boundary: Boundary) -> None:
    async def audio() -> AsyncIterator[bytes]:
        yield bytes(640)
        raise OSError("the microphone is gone")

    async with boundary.running("asr") as process:
        chunks = RecognizerClient(process).recognize(audio(), RecognizeRequest("sn"))
        async with asyncio.timeout(boundary.guard_s), aclosing(chunks):
            with pytest.raises(OSError, match="microphone"):
                _ = [chunk async for chunk in chunks]


async def test_fifty_requests_at_once_are_answered(boundary: Boundary) -> None:
    async with boundary.running("llm") as process:
        texts = [f"call {number}" for number in range(50)]
        assert await asyncio.gather(*(boundary.reply(process, text) for text in texts)) == texts
