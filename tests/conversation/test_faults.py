"""A failing engine costs one turn; the caller is told by voice and the call goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.engines.contracts import Message, SpeechChunk, SpeechRequest, ToolCall
from inzwa_rtc.errors import EngineError
from inzwa_rtc.events import Failure, ReplyFinished
from inzwa_rtc.settings import TimeoutSettings
from tests.support.session import STORY, calling


@pytest.mark.parametrize("stage", ["asr", "llm", "llm without end", "tts"])
async def test_a_failing_engine_costs_one_turn_with_a_spoken_apology(stage: str) -> None:
    broken = EngineError("It broke.", action="Try again.")
    asking = [[ToolCall("x")]] * 5  # again and again, though it may ask three times
    by_stage: dict[str, list[Any]] = {"llm": [broken], "llm without end": asking}
    replies = by_stage.get(stage, ["One."])
    async with calling(*replies, "All is well.", texts=("first", "second")) as call:
        if stage == "tts":
            call.tts.failures.append(broken)
        if stage == "asr":
            recognize = call.asr.recognize

            async def fail(audio: Any, request: Any) -> Any:
                call.asr.recognize = recognize  # type: ignore[method-assign]
                raise broken
                yield

            call.asr.recognize = fail  # type: ignore[method-assign]
        await call.question()
        await call.reply_ends(0)
        failure = call.peer.last(Failure)
        assert (failure.code, failure.turn) == ("engine_failed", 0)
        assert call.peer.last(ReplyFinished).text.endswith(lines("en").fault)
        await call.question()
        await call.reply_ends(1)
        assert len(call.peer.all(Failure)) == 1


async def test_words_that_a_failing_speech_engine_did_not_speak_are_not_in_the_history() -> None:
    async with calling(STORY, "Sorry.", texts=("a story", "go on")) as call:
        synthesize = call.tts.synthesize

        async def break_off(request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
            call.tts.synthesize = synthesize  # type: ignore[method-assign]
            async for chunk in synthesize(request):
                yield chunk
                if request.text[chunk.words[0].offset :].startswith("upon"):
                    raise EngineError("It broke.", action="Try again.")

        call.tts.synthesize = break_off  # type: ignore[method-assign]
        await call.question()
        await call.reply_ends(0)
        await call.question()
        await call.reply_ends(1)
        assert call.llm.requests[1].messages == [
            Message("user", "a story"),
            Message("assistant", f"Once {lines('en').fault}"),
            Message("user", "go on"),
        ]


@pytest.mark.parametrize("language", ["sn", "SN-zw"])
async def test_the_apology_is_in_the_callers_language_however_its_tag_is_written(
    language: str,
) -> None:
    async with calling(EngineError("It broke.", action="Try again."), language=language) as call:
        await call.question()
        await call.reply_ends(0)
        assert call.peer.last(ReplyFinished).text == lines("sn").fault


@pytest.mark.parametrize("stage", ["asr", "llm", "tts"])
async def test_a_silent_engine_is_given_up_and_the_caller_is_told(stage: str) -> None:
    limits = TimeoutSettings(recognition=0.01, first_token=0.01, first_audio=0.01)
    stuck = asyncio.Event()
    replies: list[Any] = [stuck] if stage == "llm" else ["Yes."]
    async with calling(*replies, timeouts=limits) as call:

        async def hang(*_: Any) -> Any:
            await stuck.wait()
            yield

        if stage == "asr":
            call.asr.recognize = hang  # type: ignore[assignment,method-assign]
        if stage == "tts":
            call.tts.synthesize = hang  # type: ignore[assignment,method-assign]
        await call.question()
        async with asyncio.timeout(5):
            await call.peer.told(Failure)
        assert call.peer.last(Failure).code == "engine_timeout"
        await call.reply_ends(0)
