"""Continues a dialogue for one request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from inzwa_rtc.conversation.engines import EngineSet
from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.conversation.spoken import system_prompt
from inzwa_rtc.conversation.stages import next_within
from inzwa_rtc.engines.contracts import (
    FinishReason,
    Message,
    ReplyRequest,
    Sampling,
    TokenChunk,
    ToolCall,
    ToolSpec,
    Usage,
    takes_tools,
)
from inzwa_rtc.errors import EngineError, PeerError
from inzwa_rtc.safety import Verdict, log_refusal
from inzwa_rtc.settings.groups import LimitSettings
from inzwa_rtc.settings.tools import HANG_UP
from signaling.access.caller import Caller
from signaling.operations.checking import OF_ANYBODY, OF_USERS, CheckedText, judged
from signaling.operations.permission import ANSWER, check_may
from signaling.operations.places import Places
from signaling.operations.refusals import told
from signaling.switchboard import Switchboard

CHARS_PER_TOKEN = 4  # of English; only where a model does not count its tokens


@dataclass(frozen=True, slots=True)
class ReplyText:
    """More of the reply, checked."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyEnd:
    """The reply is over. `usage` is the model's own count, or an estimate. `content_filter`:
    the rules of what may be said have ended it."""

    finish_reason: FinishReason | Literal["content_filter"]
    usage: Usage
    is_estimated: bool


ReplyPart = ReplyText | ToolCall | ReplyEnd


class Chatting:
    """What all paths that answer in text have in common."""

    def __init__(
        self, switchboard: Switchboard[Any], shedding: Shedding, refused: Callable[[Verdict], None]
    ) -> None:
        limits = switchboard.now.settings.limits
        self._switchboard = switchboard
        self._shedding = shedding
        self._refused = refused
        self._places = Places(limits.replies_at_once, limits.requests_waiting)
        # Threads share one interpreter with the calls: one dialogue is read at a time.
        self._judging = asyncio.Lock()

    def instructions(self, messages: Sequence[Message], language: str | None) -> list[Message]:
        """The server's own, to stand before a dialogue that brings none."""
        if any(message.role == "system" for message in messages):
            return []
        settings = self._switchboard.now.settings
        prompt = settings.call.system_prompt
        if prompt is None:
            prompt = system_prompt(language or settings.language)
        return [Message("system", prompt)] if prompt else []

    def begin(
        self,
        messages: Sequence[Message],
        language: str | None = None,
        max_tokens: int | None = None,
        caller: Caller = Caller(),  # noqa: B008 - frozen
        sampling: Sampling = Sampling(),  # noqa: B008 - frozen
        tools: Sequence[ToolSpec] = (),
        instructions: Sequence[Message] = (),
    ) -> Reply:
        """Check the request at once; nothing is answered yet. `tools` are the client's own: it is
        told of the calls and sends their results. `instructions` are the server's. The operator's
        limit of tokens holds for everybody.

        Raises `PeerError` (`no_question`, `text_too_long`, `no_tools`, and 403 by voice mode) and
        `Unavailable`.
        """
        engines = self._switchboard.now
        settings = engines.settings
        check_may(caller, ANSWER, settings)
        _check_dialogue(messages, settings.limits)
        if tools and not takes_tools(engines.llm):
            raise PeerError(
                "The language model of this server takes no tools.",
                action="Leave `tools` out, or ask the operator for a model that does.",
                code="no_tools",
            )
        most = self._shedding.tokens(settings.llm_max_tokens)
        request = ReplyRequest(
            tuple(messages),
            language or settings.language,
            min(max_tokens or most, most),
            settings.llm_adapter,
            tuple(tools),
            sampling,
        )
        checked = OF_ANYBODY if caller.key_id is None else OF_USERS
        return Reply(
            *(request, instructions, checked, self._switchboard),
            *(self._places, self._judging, self._refused),
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that is to be made, once. Closing its stream early ends the work."""

    request: ReplyRequest
    _instructions: Sequence[Message]
    _checked: Collection[str]
    _switchboard: Switchboard[Any] = field(repr=False)
    _places: Places = field(repr=False)
    _judging: asyncio.Lock = field(repr=False)
    _refused: Callable[[Verdict], None] = field(repr=False)

    async def parts(self) -> AsyncGenerator[ReplyPart, None]:
        """The reply as it is made, phrase by phrase; `ReplyEnd` comes last. Raises
        `EngineError`, `PeerError` (what engines refuse), and `Unavailable` (`busy`) at first."""
        async with self._places.one():
            with self._switchboard.lent() as engines:
                asked = self.request
                async with self._judging:
                    messages, verdict = await asyncio.to_thread(
                        judged, asked.messages, asked.language, engines.safety, self._checked
                    )
                if not verdict.is_allowed:
                    log_refusal(verdict, whose="caller")
                    self._refused(verdict)
                    yield ReplyText(engines.safety.answer(verdict, asked.language))
                    yield ReplyEnd("content_filter", Usage(0, 0), is_estimated=False)
                    return
                dialogue = (*self._instructions, *messages)
                told_parts = self._made(replace(asked, messages=dialogue), engines)
                async with aclosing(told_parts) as parts:
                    async for part in parts:
                        yield part

    async def _made(
        self, request: ReplyRequest, engines: EngineSet
    ) -> AsyncGenerator[ReplyPart, None]:
        timeouts = engines.settings.timeouts
        count = _Count(request)
        text = CheckedText(lambda: engines.safety.reply(request.language))
        limit = timeouts.first_token
        try:
            async with aclosing(engines.llm.reply(request)) as stream:
                while text.verdict.is_allowed:
                    item = await next_within(stream, limit, "The reply engine")
                    if item is None:
                        break
                    limit = timeouts.next_token
                    count.add(item)
                    if isinstance(item, TokenChunk):
                        if more := text.feed(item.token, asyncio.get_running_loop().time()):
                            yield ReplyText(more)
                    elif _is_told(item, request):
                        if more := text.finish():
                            yield ReplyText(more)
                        if text.verdict.is_allowed:
                            yield item
        except EngineError as error:
            raise told(error) from None
        if more := text.finish():
            yield ReplyText(more)
        if text.verdict.is_allowed:
            yield count.end()
            return
        log_refusal(text.verdict, whose="reply")
        self._refused(text.verdict)
        yield ReplyText(f" {engines.safety.answer(text.verdict, request.language)}")
        yield replace(count.end(), finish_reason="content_filter")

    async def whole(self) -> tuple[str, list[ToolCall], ReplyEnd]:
        """All of it at once: the text, the tools that are asked for, and how it ended. Raises
        what `parts` raises."""
        text: list[str] = []
        calls: list[ToolCall] = []
        async with aclosing(self.parts()) as parts:
            async for part in parts:
                match part:
                    case ReplyText(text=more):
                        text.append(more)
                    case ToolCall():
                        calls.append(part)
                    case ReplyEnd():
                        return "".join(text), calls, part
        raise AssertionError("the end comes last")


class _Count:
    """How long a reply is, as the model tells, else as far as it can be seen."""

    def __init__(self, request: ReplyRequest) -> None:
        self._request = request
        self._chunks = 0
        self._usage: Usage | None = None
        self._reason: FinishReason | None = None
        self._calls = 0

    def add(self, item: TokenChunk | ToolCall) -> None:
        if isinstance(item, ToolCall):
            self._calls += _is_told(item, self._request)
            return
        self._chunks += bool(item.token)
        self._usage = item.usage or self._usage
        self._reason = item.finish_reason or self._reason

    def end(self) -> ReplyEnd:
        usage = self._usage or Usage(self._prompt(), self._chunks)
        reason = self._reason
        if self._calls:
            reason = "tool_calls"
        elif reason is None:
            is_cut = usage.completion_tokens >= self._request.max_tokens
            reason = "length" if is_cut else "stop"
        return ReplyEnd(reason, usage, self._usage is None)

    def _prompt(self) -> int:
        characters = sum(len(message.content) for message in self._request.messages)
        return -(-characters // CHARS_PER_TOKEN)


def _is_told(call: ToolCall, request: ReplyRequest) -> bool:
    """Whether the client is told of a call: of one to hang up only if it is a tool of its own."""
    return call.name != HANG_UP or any(tool.name == HANG_UP for tool in request.tools)


def _check_dialogue(messages: Sequence[Message], limits: LimitSettings) -> None:
    longest = limits.text_chars
    said = [message for message in messages if message.role != "system"]
    if not said or said[-1].role == "assistant" or not said[-1].content.strip():
        raise PeerError(
            "The dialogue does not end with something to be answered.",
            action="Let the last message be the user's, with some text.",
            code="no_question",
        )
    if said[-1].role == "user" and len(said[-1].content) > longest:
        raise PeerError(
            f"The last message is longer than {longest} characters.",
            action="Say less at once.",
            code="text_too_long",
        )
    if sum(len(message.content) for message in messages) > limits.dialogue_chars:
        raise PeerError(
            f"The dialogue is longer than {limits.dialogue_chars} characters.",
            action="Leave out its oldest messages.",
            code="text_too_long",
        )
