"""A reply with tools: what the model asks for is done, and the reply goes on with the result.

Whatever goes wrong with a tool is told to the model, which tells the caller. A tool ends with
the turn that it was asked for in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from inzwa_rtc.conversation.history import History
from inzwa_rtc.conversation.open_tools import OpenTools
from inzwa_rtc.conversation.stages import next_within
from inzwa_rtc.conversation.tool_use import ToolUse
from inzwa_rtc.engines.contracts import (
    LanguageModel,
    Message,
    ReplyRequest,
    TokenChunk,
    ToolCall,
    new_call_id,
    takes_tools,
)
from inzwa_rtc.errors import EngineError
from inzwa_rtc.settings import TimeoutSettings
from inzwa_rtc.settings.tools import HANG_UP, ToolSettings
from inzwa_rtc.tools.tool import Tool, filler_in
from inzwa_rtc.tools.toolbox import Toolbox

_BREAK = "\n"
"""What was said before a tool is asked is a paragraph of its own. A space would not do: phrases
without a full stop, and what may be half of a number or of an address, wait for what follows."""


@dataclass(slots=True)
class Replying:
    """One turn's reply. `reply` once."""

    llm: LanguageModel
    toolbox: Toolbox
    open_tools: OpenTools
    history: History
    settings: ToolSettings
    timeouts: TimeoutSettings
    _last: str = field(default="", init=False)
    """The last character that was said, if any."""
    _is_silent: bool = field(default=True, init=False)

    async def reply(
        self, request: ReplyRequest, words: str
    ) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Yield the reply to the caller's newest words, fillers among it. Of the calls only
        `hang_up` comes through, which the turn itself does. Raises `EngineError`."""
        offered = self._offered(words)
        use = ToolUse(self.toolbox, self.open_tools, self.history, offered)
        left = self.settings.max_calls
        for _ in range(self.settings.max_calls + 2):  # it may ask once more, though not offered
            specs = [tool.spec for tool in offered.values()] if left else []
            calls: list[ToolCall] = []
            async with aclosing(self._answer(replace(request, tools=specs))) as items:
                async for item in items:
                    if isinstance(item, ToolCall) and item.name != HANG_UP:
                        calls.append(item if item.id else replace(item, id=new_call_id()))
                    else:
                        yield item
            if not calls:
                return
            asking = asyncio.create_task(use.results(calls, left))
            try:
                if not self._is_silent:
                    yield self._said(TokenChunk(_BREAK))
                await asyncio.wait({asking}, timeout=self.settings.filler_after_s)
                if not asking.done() and self._is_silent:
                    filler = self._filler(calls, offered, request)
                    self.open_tools.filled(filler)
                    yield self._said(TokenChunk(f"{filler}{_BREAK}"))
                results = await asking
            finally:
                asking.cancel()
                await asyncio.wait({asking})
            left = max(0, left - len(calls))
            request = replace(request, messages=[*request.messages, *_exchange(calls, results)])
        raise EngineError(
            "The reply engine asks for tools without end.",
            action="Try again; a larger model knows better when to stop.",
        )

    def _offered(self, words: str) -> dict[str, Tool]:
        if not takes_tools(self.llm):
            return {}
        offered = self.open_tools.offered(self.toolbox.tools, words)
        return {tool.spec.name: tool for tool in offered}

    async def _answer(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """One answer of the model's, each part of it in time, and apart from what was said."""
        limit = self.timeouts.first_token
        is_first = True
        async with aclosing(self.llm.reply(request)) as stream:
            while item := await next_within(stream, limit, "The reply engine"):
                limit = self.timeouts.next_token
                if isinstance(item, TokenChunk) and item.token:
                    if is_first and self._last and not self._last.isspace():
                        item = replace(item, token=f" {item.token}")
                    is_first = False
                    item = self._said(item)
                yield item

    def _said(self, chunk: TokenChunk) -> TokenChunk:
        self._last = chunk.token[-1]
        self._is_silent = self._is_silent and chunk.token.isspace()
        return chunk

    def _filler(
        self, calls: Sequence[ToolCall], offered: dict[str, Tool], request: ReplyRequest
    ) -> str:
        tool = next((offered[call.name] for call in calls if call.name in offered), None)
        return filler_in(tool.filler if tool else {}, request.language)


def _exchange(calls: Sequence[ToolCall], results: Sequence[str]) -> list[Message]:
    told = zip(calls, results, strict=True)
    return [
        Message("assistant", "", tuple(calls)),
        *(Message("tool", result, tool_call_id=call.id) for call, result in told),
    ]
