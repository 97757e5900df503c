"""Replies from any server with OpenAI's chat interface: vLLM, llama-server, OpenAI itself.

Through OpenAI's own client (Apache-2.0). A reply that is closed early closes its connection,
which is what makes these servers stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any

import structlog
from openai import APIStatusError, AsyncStream
from pydantic import AfterValidator, ConfigDict, Field

from inzwa_rtc.engines.contracts import (
    Ability,
    Message,
    ReplyRequest,
    TokenChunk,
    ToolCall,
    Usage,
)
from inzwa_rtc.engines.llm.context import ContextFitter
from inzwa_rtc.engines.llm.dialogue import acceptable, without_system
from inzwa_rtc.engines.llm.openai_chat import (
    TooLong,
    newer_half,
    refuses_system,
    refuses_tools,
    request_body,
    told_by,
    too_long,
)
from inzwa_rtc.engines.llm.reply_text import ReplyText
from inzwa_rtc.engines.llm.sampling import SamplingOptions
from inzwa_rtc.engines.llm.tool_calls import CallParts, about_tokens
from inzwa_rtc.engines.remote import answers, http
from inzwa_rtc.engines.remote.asking import AFTER_THE_END_S, Asking, StreamingOptions
from inzwa_rtc.engines.remote.openai import UNREADABLE, code_of, connect, failed
from inzwa_rtc.engines.remote.options import OPENAI_URL, Server, WebAddress, is_openai
from inzwa_rtc.errors import EngineError

_log = structlog.get_logger(__name__)


def _leaves_ours(value: dict[str, Any]) -> dict[str, Any]:
    if taken := {"messages", "model", "n", "stream"} & value.keys():
        raise ValueError(f"must not set {', '.join(sorted(taken))}")
    return value


class OpenAIChatOptions(SamplingOptions, StreamingOptions):
    """Options under `llm:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(min_length=1)]
    """The model's name at the server. llama-server takes any."""
    adapter: str | None = None
    """The name at the server of the model with a LoRA, asked for where a request names none:
    `llm_adapter` goes to every engine of a chain."""
    base_url: WebAddress = OPENAI_URL
    """The server's address, without the `/chat/completions` at its end."""
    context: Annotated[int | None, Field(ge=128)] = None
    """Tokens of prompt and reply that the model holds; older turns are left out to fit. None:
    all of them are sent, and fewer once the server says that it is too much."""
    logprobs: bool = False
    """Whether to ask for the probability of each token."""
    extensions: bool | None = None
    """Whether the server knows a repeat penalty, which is not in OpenAI's interface. None: all
    do but OpenAI's own."""
    tools: bool = True
    """Whether the model may be offered tools. llama-server refuses them without `--jinja`, and
    vLLM without `--enable-auto-tool-choice`."""
    extra_body: Annotated[dict[str, Any], AfterValidator(_leaves_ours)] = Field(
        default_factory=dict
    )
    """Members to set in each request, for what your server has beside these; null removes one."""


@dataclass(slots=True)
class _Learned:
    """What a model's answers have told of it."""

    context: int | None
    has_system: bool = True
    """Whether its chat template has a place for a system prompt."""
    fitter: ContextFitter = field(default_factory=ContextFitter)


class OpenAIChat:
    """Has a server continue dialogues."""

    Options = OpenAIChatOptions
    abilities: tuple[Ability, ...] = ("adapters", "probabilities", "tools")

    def __init__(self, options: OpenAIChatOptions) -> None:
        """Raises `EngineUnavailable` where the server is not there or does not take the key."""
        self._options = options
        self._is_openai = is_openai(options.base_url)
        name = "OpenAI" if self._is_openai else "The chat server"
        self._server = Server("llm", name, options.base_url, options.model)
        self._asking = Asking(self._server, options.max_concurrent)
        self._learned: dict[str, _Learned] = {}  # by the model's name; adapters are models here
        self._client = connect(options, self._server)
        self._closing: asyncio.Task[None] | None = None
        self.details = {"model": options.model, "server": options.base_url}
        lacking = {"probabilities": not options.logprobs, "tools": not options.tools}
        self.abilities = tuple(one for one in self.abilities if not lacking.get(one))

    def close(self) -> None:
        """Let the idle connections go."""
        self._closing = http.closing(self.aclose)

    async def aclose(self) -> None:
        """Close the idle connections."""
        await self._client.close()

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Yield the reply's tokens, the last of them most often empty.

        `request.adapter` is the name under which the server knows the model with a LoRA.
        Raises `EngineError`.
        """
        if request.adapter is None:
            request = replace(request, adapter=self._options.adapter)
        attempt = partial(self._attempt, request)
        async with aclosing(self._asking.stream(attempt, self._options)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _attempt(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Ask once; raises `Failed`."""
        server = self._server.with_model(request.adapter)
        learned = self._learned.setdefault(server.model, _Learned(self._options.context))
        text, parts = ReplyText(), CallParts()
        has_begun = False
        try:
            stream, messages = await self._open(request, learned)
            async with aclosing(stream):
                events = aiter(stream)
                async for event in events:
                    told = told_by(event)
                    _learn(learned, messages, told.prompt_tokens)
                    parts.feed(told.calls)
                    token = text.feed(told.token)
                    if told.is_final:
                        token += text.end()
                    if token or told.calls:  # a call may be long in coming: it lives
                        has_begun = True
                        yield TokenChunk(token, told.logprob)
                    if told.is_final:
                        for call in (calls := parts.calls()):
                            yield call
                        usage = await self._read_on(events, learned, messages) or told.usage
                        reason = "tool_calls" if calls else told.finish_reason
                        yield TokenChunk("", None, True, usage, reason)
                        return
        except UNREADABLE as error:
            if (
                request.tools
                and isinstance(error, APIStatusError)
                and error.status_code in (400, 422)
                and refuses_tools(error.message)
            ):
                raise EngineError(
                    f"{server} takes no tools as it is set up.",
                    action="Start vLLM with --enable-auto-tool-choice and the model's "
                    "--tool-call-parser, llama-server with --jinja; or set `llm.tools: false`.",
                    code="tools_refused",
                ) from None
            raise failed(server, error) from None
        raise answers.cut(server) if has_begun else answers.empty(server)

    async def _open(
        self, request: ReplyRequest, learned: _Learned
    ) -> tuple[AsyncStream[object], Sequence[Message]]:
        """The stream, and the messages that it answers."""
        try:
            return await self._open_fitting(request, learned)
        except APIStatusError as error:
            if not (learned.has_system and refuses_system(error.message)):
                raise
        learned.has_system = False
        return await self._open_fitting(request, learned)

    async def _open_fitting(
        self, request: ReplyRequest, learned: _Learned
    ) -> tuple[AsyncStream[object], Sequence[Message]]:
        """The same, with fewer messages where the server says that they are too long."""
        messages = self._fitted(request, learned)
        try:
            return await self._send(request, learned, messages), messages
        except APIStatusError as error:
            told = too_long(code_of(error), error.message, error.body)
            if told is None:
                raise
        messages = self._shortened(request, learned, messages, told)
        try:
            return await self._send(request, learned, messages), messages
        except APIStatusError as error:
            if too_long(code_of(error), error.message, error.body) is None:
                raise
            raise EngineError(
                f"The prompt does not fit into the context of `{self._server.model}`.",
                action="Set `llm.context` to what it can hold, or shorten the system prompt.",
                code="context_too_small",
            ) from None

    async def _send(
        self, request: ReplyRequest, learned: _Learned, messages: Sequence[Message]
    ) -> AsyncStream[object]:
        options = self._options
        if not learned.has_system:
            messages = without_system(messages)
        body = request_body(
            request,
            messages,
            options.asked(request.sampling),
            model=options.model,
            is_openai=self._is_openai,
        )
        if options.logprobs:
            body["logprobs"] = True
        body["stream_options"] = {"include_usage": True}
        extensions = options.extensions
        if extensions or (extensions is None and not self._is_openai):
            # llama-server's name of it, and vLLM's.
            body["repeat_penalty"] = body["repetition_penalty"] = options.repeat_penalty
        body |= options.extra_body
        return await self._client.post(
            "/chat/completions",
            # As it comes: the client's own types take whatever a server sends for granted.
            cast_to=object,
            body={name: value for name, value in body.items() if value is not None},
            stream=True,
            stream_cls=AsyncStream[object],
        )

    async def _read_on(
        self, events: AsyncIterator[object], learned: _Learned, messages: Sequence[Message]
    ) -> Usage | None:
        """Read what follows the last token, so that the connection serves again: how many tokens
        there were."""
        usage = None
        with suppress(TimeoutError, answers.Failed, *UNREADABLE):
            async with asyncio.timeout(AFTER_THE_END_S):
                async for event in events:
                    told = told_by(event)
                    usage = told.usage or usage
                    _learn(learned, messages, told.prompt_tokens)
        return usage

    def _fitted(self, request: ReplyRequest, learned: _Learned) -> Sequence[Message]:
        if learned.context is None:
            return acceptable(request.messages)
        available = learned.context - request.max_tokens - about_tokens(request.tools)
        fitted = learned.fitter.fit(request.messages, available)
        self._tell(fitted.dropped)
        return fitted.messages

    def _shortened(
        self,
        request: ReplyRequest,
        learned: _Learned,
        messages: Sequence[Message],
        told: TooLong,
    ) -> Sequence[Message]:
        _learn(learned, messages, told.prompt_tokens)
        if told.context is not None:
            learned.context = min(told.context, self._options.context or told.context)
        fitted = messages
        if learned.context is not None:
            available = learned.context - request.max_tokens - about_tokens(request.tools)
            fitted = learned.fitter.fit(request.messages, available).messages
        if len(fitted) >= len(messages):
            fitted = newer_half(messages)
        self._tell(len(messages) - len(fitted))
        return fitted

    def _tell(self, dropped: int) -> None:
        if dropped:
            _log.info("llm.turns_left_out", model=self._server.model, messages=dropped)


def _learn(learned: _Learned, messages: Sequence[Message], tokens: int | None) -> None:
    if tokens is not None:
        learned.fitter.learn(messages, tokens)
