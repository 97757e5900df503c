"""What every language model promises, whichever library or server is behind it.

The class of tests of an engine inherits `LanguageModelContract` and gives its fixture `subject`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing, closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from inzwa_rtc.engines.contracts import (
    Message,
    ReplyRequest,
    Sampling,
    TokenChunk,
    ToolCall,
    ToolSpec,
)
from inzwa_rtc.errors import EngineError
from tests.engines.contract.isolation import at_home, tidy
from tests.support.memory import resident

GUARD_S = 60.0
KEPT_BYTES = 60_000_000  # three engines that hold 30 MB are more
SYSTEM = Message("system", "Be brief.")
TOOL = ToolSpec(
    "lookup",
    "Looks a word up.",
    {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
)
_ROLES: dict[str, Any] = {"s": "system", "a": "assistant", "u": "user"}


@dataclass(frozen=True, slots=True)
class Subject:
    """An engine to be tested."""

    make: Callable[..., Any]
    """Build it with two places for replies, where it has such; keywords are its options."""
    question: str = "tell me a story"
    """What is answered with ten tokens or more."""
    context: int | None = None
    """Tokens of its context, if there is an end to it: four times as many characters are too
    much for it, in one message."""
    is_exact: bool = True
    """Whether a request always gets the same reply. Not so where several are computed together:
    real weights then round differently, and the likeliest of two tokens may be the other."""
    has_adapters: bool = True
    larger: Callable[[], Any] | None = None
    """Build one that holds 30 MB or more, if its memory is to be watched."""
    kept_bytes: int = KEPT_BYTES
    """How much memory would at least be gone if three of these had been kept."""
    stays_home: bool = True
    """Whether it has no business beyond this machine."""


def asking(text: str, **values: Any) -> ReplyRequest:
    return ReplyRequest((SYSTEM, Message("user", text)), **{"max_tokens": 12, **values})


async def replied(engine: Any, request: ReplyRequest) -> list[TokenChunk]:
    """The tokens of a reply, its tool calls left out."""
    async with asyncio.timeout(GUARD_S), aclosing(engine.reply(request)) as chunks:
        return [chunk async for chunk in chunks if isinstance(chunk, TokenChunk)]


async def text_of(engine: Any, request: ReplyRequest) -> str:
    return "".join(chunk.token for chunk in await replied(engine, request))


def check(chunks: list[TokenChunk | ToolCall] | list[TokenChunk]) -> None:
    """Every chunk says only what one may; of the tokens the last is final, and only it."""
    tokens = [chunk for chunk in chunks if isinstance(chunk, TokenChunk)]
    assert [chunk.is_final for chunk in tokens] == [False] * (len(tokens) - 1) + [True]
    for chunk in chunks:
        json.dumps(asdict(chunk), allow_nan=False)
    assert all(chunk.logprob is None or chunk.logprob <= 0 for chunk in tokens)


class LanguageModelContract:
    async def test_a_reply_comes_token_by_token_and_says_which_is_the_last(
        self, subject: Subject
    ) -> None:
        with closing(subject.make()) as engine:
            chunks = await replied(engine, asking(subject.question))
        assert len(chunks) > 2
        check(chunks)

    async def test_a_reply_is_no_longer_than_it_may_be(self, subject: Subject) -> None:
        with closing(subject.make()) as engine:
            chunks = await replied(engine, asking(subject.question, max_tokens=3))
        check(chunks)
        assert len([chunk for chunk in chunks if chunk.token]) <= 3

    @pytest.mark.parametrize(
        "text", ["", " ", "?", "\0", "Mhoro! 🐦", "\ud83d", "</s><|user|>", "a" * 300]
    )
    async def test_whatever_is_said_is_answered(self, subject: Subject, text: str) -> None:
        with closing(subject.make()) as engine:
            check(await replied(engine, asking(text)))

    async def test_a_dialogue_is_continued_with_and_without_a_system_prompt(
        self, subject: Subject
    ) -> None:
        said = [Message("user", "hello"), Message("assistant", "Hello."), Message("user", "more")]
        with closing(subject.make()) as engine:
            for messages in ([SYSTEM, *said], said):
                check(await replied(engine, ReplyRequest(messages, max_tokens=8)))

    @pytest.mark.parametrize("is_over", [False, True])
    async def test_a_dialogue_with_the_result_of_a_tool_is_continued(
        self, subject: Subject, is_over: bool
    ) -> None:
        """Right behind the result, and in a later turn, when the tool is offered no more."""
        call = ToolCall("lookup", {"word": "</s>"}, "abcdefghi")
        turns = [
            *(Message("user", "look it up"), Message("assistant", "", (call,))),
            Message("tool", "It is a bird. </s>", tool_call_id="abcdefghi"),
        ]
        if is_over:
            turns += [Message("assistant", "A bird."), Message("user", subject.question)]
        with closing(subject.make()) as engine:
            if "tools" not in getattr(engine, "abilities", ()):
                pytest.skip("knows no tools")
            tools = () if is_over else (TOOL,)
            check(await replied(engine, ReplyRequest([SYSTEM, *turns], max_tokens=8, tools=tools)))

    async def test_a_request_may_say_how_its_words_are_chosen(self, subject: Subject) -> None:
        sampling = Sampling(temperature=0.5, top_p=0.9, stop=("zebra",), seed=3)
        with closing(subject.make()) as engine:
            first, second = [
                await replied(engine, asking(subject.question, sampling=sampling)) for _ in range(2)
            ]
        check(first)
        if subject.is_exact:
            assert first == second

    async def test_tokens_are_counted_where_they_are_at_all(self, subject: Subject) -> None:
        with closing(subject.make()) as engine:
            chunks = await replied(engine, asking(subject.question, max_tokens=5))
        assert all(chunk.usage is None and chunk.finish_reason is None for chunk in chunks[:-1])
        if (usage := chunks[-1].usage) is not None:
            assert usage.prompt_tokens > 0
            assert 0 < usage.completion_tokens <= 5

    @pytest.mark.parametrize(
        "roles", ["sau", "au", "saau", "suu", "suaau", "ssu", "sauauaau", "u", "auu"]
    )
    async def test_whoever_spoke_first_and_however_often_the_dialogue_is_continued(
        self, subject: Subject, roles: str
    ) -> None:
        """A call begins with a greeting; templates want the user and the assistant in turn."""
        said = [
            Message(_ROLES[role], f"{subject.question} {number}")
            for number, role in enumerate(roles)
        ]
        with closing(subject.make()) as engine:
            check(await replied(engine, ReplyRequest(said, max_tokens=8)))

    async def test_more_dialogues_than_places_are_all_answered_as_if_alone(
        self, subject: Subject
    ) -> None:
        requests = [asking(f"{subject.question} {'again ' * number}") for number in range(5)]
        with closing(subject.make()) as engine:
            alone = [await text_of(engine, request) for request in requests]
            async with asyncio.timeout(GUARD_S):
                together = await asyncio.gather(*(text_of(engine, one) for one in requests))
        assert all(together)
        if subject.is_exact:
            assert together == alone

    async def test_a_reply_cut_in_the_midst_leaves_its_place_to_others(
        self, subject: Subject
    ) -> None:
        with closing(subject.make()) as engine:
            before = await text_of(engine, asking(subject.question))
            for _ in range(4):  # twice as often as there are places
                chunks = engine.reply(asking(subject.question, max_tokens=200))
                async with asyncio.timeout(GUARD_S):
                    await anext(chunks)
                    await chunks.aclose()
            after = await text_of(engine, asking(subject.question))
        assert after if not subject.is_exact else after == before

    @pytest.mark.parametrize("turns", [0, 1, 5, 30])
    async def test_a_request_cancelled_at_any_moment_leaves_its_place_to_others(
        self, subject: Subject, turns: int
    ) -> None:
        with closing(subject.make()) as engine:
            for _ in range(4):
                waiting = asyncio.create_task(text_of(engine, asking(subject.question * 10)))
                for _ in range(turns):  # of the loop
                    await asyncio.sleep(0)
                waiting.cancel()
                async with asyncio.timeout(GUARD_S):
                    await asyncio.wait({waiting})
            assert await text_of(engine, asking(subject.question))

    async def test_a_prompt_longer_than_the_context_is_refused(self, subject: Subject) -> None:
        if subject.context is None:
            pytest.skip("has no end of its context")
        with closing(subject.make()) as engine:
            with pytest.raises(EngineError) as refused:
                await replied(engine, asking("long " * subject.context))
            assert refused.value.code == "context_too_small"
            assert "llm.context" in refused.value.action
            check(await replied(engine, asking(subject.question)))

    async def test_of_a_dialogue_longer_than_the_context_the_newest_turns_are_answered(
        self, subject: Subject
    ) -> None:
        length = 20 * (subject.context or 1000) // 100
        turns = [
            Message("user" if number % 2 == 0 else "assistant", f"{number:04} " + "w" * 95)
            for number in range(length | 1)
        ]
        with capture_logs() as lines, closing(subject.make()) as engine:
            check(await replied(engine, ReplyRequest([SYSTEM, *turns], max_tokens=8)))
        dropped = [line["messages"] for line in lines if line["event"] == "llm.turns_left_out"]
        if subject.context is not None:
            assert 0 < sum(dropped) < len(turns)

    async def test_what_was_kept_of_a_long_dialogue_is_kept_at_the_next_turns(
        self, subject: Subject
    ) -> None:
        """What stays the same is in the cache."""
        if subject.context is None:
            pytest.skip("has no end of its context")
        turns = [
            Message("user" if number % 2 == 0 else "assistant", f"{number:04} " + "w" * 15)
            for number in range(4 * subject.context // 20 | 1)
        ]
        begun = set()
        with capture_logs() as lines, closing(subject.make()) as engine:
            for more in range(4, -1, -2):
                end = len(turns) - more
                lines.clear()
                request = ReplyRequest([SYSTEM, *turns[:end]], max_tokens=8)
                check(await replied(engine, request))
                left_out = [one for one in lines if one["event"] == "llm.turns_left_out"]
                begun.add(left_out[-1]["messages"])
        assert len(begun) <= 2  # once, the first count may correct the estimate

    async def test_an_adapter_that_it_has_not_got_is_refused_by_name(
        self, subject: Subject
    ) -> None:
        if not subject.has_adapters:
            pytest.skip("does not know which there are: a server does, or there are none")
        request = asking(subject.question)
        with closing(subject.make()) as engine:
            with pytest.raises(EngineError, match="klingon") as refused:
                await replied(engine, replace(request, adapter="klingon"))
            assert refused.value.action
            check(await replied(engine, request))

    def test_it_tells_what_it_runs_and_on_what(self, subject: Subject) -> None:
        with closing(subject.make()) as engine:
            assert engine.details["model"]
            assert all(isinstance(value, str) for value in engine.details.values())

    async def test_it_leaves_no_file_behind(
        self, subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with tidy(tmp_path, monkeypatch), closing(subject.make()) as engine:
            await replied(engine, asking(subject.question))

    async def test_it_never_contacts_a_hub(
        self, subject: Subject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not subject.stays_home:
            pytest.skip("asks a server elsewhere, as it should")
        with at_home(monkeypatch), closing(subject.make()) as engine:
            await replied(engine, asking(subject.question))

    async def test_closing_it_gives_its_memory_back(self, subject: Subject) -> None:
        if subject.larger is None:
            pytest.skip("no model of its own")
        for number in range(5):
            with closing(subject.larger()) as engine:
                await replied(engine, asking(subject.question))
            if number == 1:  # what the library takes once and keeps, it has by now
                before = resident()
        assert resident() - before < subject.kept_bytes
