"""`/v1/chat/completions`."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from aiohttp import web

from inzwa_rtc.engines.contracts import ToolCall
from inzwa_rtc.settings.groups import LimitSettings
from signaling.api.body import read_json
from signaling.api.operation import Answer, JsonBody, Operation, caller_of
from signaling.api.streams import SentEvent, send_events
from signaling.operations.chatting import ReplyEnd, ReplyPart, ReplyText
from signaling.operations.work import Work
from signaling.rest.openai.chat_request import ChatCompletionRequest
from signaling.rest.openai.chat_shapes import (
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    CompletionUsage,
    Delta,
    ReplyMessage,
    called,
)
from signaling.rest.openai.names import check_model
from signaling.rest.openai.shapes import failed
from signaling.switchboard import Switchboard


class OpenAIChat:
    """The handler."""

    def __init__(self, work: Work, switchboard: Switchboard[Any], limits: LimitSettings) -> None:
        self._work = work
        self._switchboard = switchboard
        self._limits = limits

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("POST", "/v1/chat/completions", self.complete, "Answer in text"),
                tag="openai",
                body=(JsonBody(ChatCompletionRequest),),
                answers=(
                    Answer(200, "The reply.", ChatCompletion),
                    Answer(200, "With `stream`.", ChatCompletionChunk, "text/event-stream"),
                ),
                refusals=(404, 413, 415),
                errors="openai",
            )
        ]

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Continue a dialogue, as OpenAI's clients ask for it. The dialogue is the client's own:
        no instructions of the server's are added."""
        asked = await read_json(request, ChatCompletionRequest, self._limits.json_body)
        check_model(asked.model, "llm", self._switchboard.now.settings)
        asked.check()
        reply = self._work.chatting.begin(
            [message.as_message() for message in asked.messages],
            asked.language,
            asked.max_completion_tokens or asked.max_tokens,
            caller_of(request),
            asked.sampling(),
            asked.offered(),
        )
        stem = _Stem(asked.model)
        if asked.stream:
            usage = asked.stream_options is not None and asked.stream_options.include_usage
            events = _Chunks(stem, has_usage=usage)
            return await send_events(request, reply.parts(), events.of, failed)
        text, calls, end = await reply.whole()
        tool_calls = [called(call, number) for number, call in enumerate(calls)] or None
        message = ReplyMessage(content=None if calls and not text else text, tool_calls=tool_calls)
        answer = ChatCompletion(
            **stem.members(),
            choices=[Choice(message=message, finish_reason=end.finish_reason)],
            usage=_usage(end),
        )
        return web.json_response(answer.model_dump())


class _Stem:
    """What all parts of one answer begin with."""

    def __init__(self, model: str) -> None:
        self._members = {
            "id": f"chatcmpl-{secrets.token_urlsafe(12)}",
            "created": int(time.time()),
            "model": model,
        }

    def members(self) -> dict[str, Any]:
        return dict(self._members)


class _Chunks:
    """The events of one reply. Each has a chunk; the last one says that it was."""

    def __init__(self, stem: _Stem, *, has_usage: bool) -> None:
        self._stem = stem
        self._has_usage = has_usage
        self._has_begun = False
        self._calls = 0

    def of(self, part: ReplyPart) -> list[SentEvent]:
        match part:
            case ReplyText(text=text):
                return [self._chunk(Delta(content=text, role=self._role()))]
            case ToolCall():
                call = called(part, self._calls)
                self._calls += 1
                return [self._chunk(Delta(tool_calls=[call], role=self._role()))]
            case ReplyEnd():
                role = self._role()
                events = [self._chunk(Delta(role=role), part.finish_reason)]
                if self._has_usage:
                    last = ChatCompletionChunk(
                        **self._stem.members(), choices=[], usage=_usage(part)
                    )
                    events.append(SentEvent(last.model_dump_json()))
                return [*events, SentEvent("[DONE]")]

    def _role(self) -> str | None:
        role = None if self._has_begun else "assistant"
        self._has_begun = True
        return role

    def _chunk(self, delta: Delta, reason: str | None = None) -> SentEvent:
        told = delta.model_dump(exclude_none=True)
        choice = ChunkChoice(delta=Delta(), finish_reason=reason).model_dump() | {"delta": told}
        chunk = ChatCompletionChunk(**self._stem.members(), choices=[]).model_dump()
        chunk["choices"] = [choice]
        if not self._has_usage:
            chunk.pop("usage")
        return SentEvent(json.dumps(chunk, ensure_ascii=False))


def _usage(end: ReplyEnd) -> CompletionUsage:
    prompt, completion = end.usage.prompt_tokens, end.usage.completion_tokens
    return CompletionUsage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )
