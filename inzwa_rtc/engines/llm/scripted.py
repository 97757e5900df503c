"""The Inzwa guide: a language model's place, filled from a script and without any download.

It keeps nothing between requests: a reply follows from the dialogue, the
script, the clock and the seed alone.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zlib import crc32

from pydantic import BaseModel, ConfigDict

from inzwa_rtc.engines.contracts import (
    TOOL_FAILED,
    Ability,
    Message,
    ReplyRequest,
    TokenChunk,
    ToolCall,
    new_call_id,
)
from inzwa_rtc.engines.guide.asking import lacks, named, without
from inzwa_rtc.engines.guide.matching import Matcher, Meaning
from inzwa_rtc.engines.guide.script import Intent, load, phrases
from inzwa_rtc.engines.guide.skills import clock, work

_TOKEN = re.compile(r"\s*\S+")
_FALLBACK = "fallback"


class ScriptedOptions(BaseModel):
    """Options under `llm:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    script: Path | None = None
    """A script to use instead of the shipped guide."""
    extra: Path | None = None
    """A script laid over it: more intents, more phrases, other replies."""
    seed: int = 0
    """Chooses among the replies that an intent has; the same dialogue gets the same ones."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one user message comes to: the intent answered, and the how manieth time."""

    name: str
    intent: Intent | None
    numbers: tuple[int, ...]
    times_before: int


class Scripted:
    """Answers from a script, word by word."""

    Options = ScriptedOptions
    abilities: tuple[Ability, ...] = ("hangs up", "tools")

    def __init__(self, options: ScriptedOptions) -> None:
        """Read the script. Raises `ConfigError` naming the file and the place in it."""
        self._script = load(options.script, options.extra)
        self._matcher = Matcher(phrases(self._script))
        self._seed = options.seed
        self.details = {
            "model": options.script.name if options.script else "the guide",
            "languages": "en",
        }

    def close(self) -> None:
        """Nothing is held."""

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Yield the answer to the last user message, then the tool call if it has one.

        Where that message is what an offered tool knows, only the call; its result is told next.
        """
        if call := self._question(request):
            yield call
            yield TokenChunk("", is_final=True, finish_reason="tool_calls")
            return
        told = _results(request.messages)
        text, tool = (told, None) if told else self._answer(request.messages)
        tokens = _TOKEN.findall(text)[: request.max_tokens]
        for index, token in enumerate(tokens):
            yield TokenChunk(token, is_final=index == len(tokens) - 1)
        if tool:
            yield ToolCall(tool)

    def _question(self, request: ReplyRequest) -> ToolCall | None:
        """What a tool is to be asked, if the caller asks for that."""
        if not request.messages or request.messages[-1].role != "user":
            return None
        text = request.messages[-1].content
        for tool in request.tools:
            meaning = self._matcher.match(without(tool, text))
            arguments = named(tool, text)
            if meaning is None or lacks(tool, arguments):
                continue
            if self._script.intents[meaning.intent].asks == tool.name:
                return ToolCall(tool.name, arguments, new_call_id())
        return None

    def _answer(self, messages: Sequence[Message]) -> tuple[str, str | None]:
        asked = [message.content for message in messages if message.role == "user"]
        meanings = [self._matcher.match(text) for text in asked]
        last = meanings[-1] if meanings else None
        if last and self._skill(last) == "repeat":
            return self._again(last, self._last_said(messages, meanings)), None
        turn = self._turn(meanings)
        if last and self._skill(last) == "another":
            return self._again(last, self._say(turn) if turn else None), None
        if turn is None:
            return self._variant(_FALLBACK, self._script.fallback, 0), None
        return self._say(turn), turn.intent.tool if turn.intent else None

    def _last_said(self, messages: Sequence[Message], meanings: list[Meaning | None]) -> str | None:
        """The answer to the last message that was not itself a wish to hear it again."""
        before = list(meanings)
        while before and self._skill(before[-1]) == "repeat":
            before.pop()
        turn = self._turn(before) if before else None
        spoken = [m.content for m in messages if m.role == "assistant" and m.content]
        asks = turn is not None and turn.intent is not None and turn.intent.asks
        if turn is None or (asks and spoken):  # what a tool has told is not in the script
            return spoken[-1] if spoken else None
        return self._say(turn)

    def _again(self, wish: Meaning, said: str | None) -> str:
        intent = self._script.intents[wish.intent]
        if said is None:
            return self._variant("again", intent.special["nothing_said"], 0)
        return self._variant("again", intent.replies, 0).format(again=said)

    def _turn(self, meanings: list[Meaning | None]) -> _Turn | None:
        """What the last of the meanings comes to, given those before it."""
        answered: list[Meaning | None] = []
        for meaning in meanings:
            skill = self._skill(meaning)
            if skill == "another":
                meaning = answered[-1] if answered else None
                if meaning is None:
                    continue
            if skill != "repeat":
                answered.append(meaning)
        if not answered:
            return None
        last = answered[-1]
        name = last.intent if last else _FALLBACK
        before = sum((turn.intent if turn else _FALLBACK) == name for turn in answered[:-1])
        intent = self._script.intents[last.intent] if last else None
        return _Turn(name, intent, last.numbers if last else (), before)

    def _say(self, turn: _Turn) -> str:
        if turn.intent is None:
            return self._variant(turn.name, self._script.fallback, turn.times_before)
        values = clock(datetime.now().astimezone())
        replies: Sequence[str] = turn.intent.replies
        if turn.intent.skill:
            worked = work(turn.intent.skill, turn.numbers)
            values |= worked.values
            replies = turn.intent.special[worked.special] if worked.special else replies
        return self._variant(turn.name, replies, turn.times_before).format_map(values)

    def _variant(self, name: str, texts: Sequence[str], times_before: int) -> str:
        """The next of the texts: no text comes twice before all came once."""
        start = crc32(f"{self._seed} {name}".encode())
        return texts[(start + times_before) % len(texts)]

    def _skill(self, meaning: Meaning | None) -> str | None:
        return self._script.intents[meaning.intent].skill if meaning else None


def _results(messages: Sequence[Message]) -> str:
    """What tools have told since the caller's last words; empty where one of them failed, for
    the script has something to say then."""
    told: list[str] = []
    for message in reversed(messages):
        if message.role == "user":
            break
        if message.role == "tool":
            told.insert(0, message.content)
    return "" if any(one.startswith(TOOL_FAILED) for one in told) else " ".join(told)
