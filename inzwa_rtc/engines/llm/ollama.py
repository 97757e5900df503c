"""Replies from an Ollama server, through its own client. MIT.

The model is loaded when the engine starts, and stays. A reply that is closed early closes its
connection, which makes Ollama stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Annotated, Any

import httpx
import ollama
import structlog
from pydantic import ConfigDict, Field

from inzwa_rtc.engines.contracts import (
    Ability,
    FinishReason,
    Message,
    ReplyRequest,
    TokenChunk,
    ToolCall,
    Usage,
    new_call_id,
)
from inzwa_rtc.engines.llm.context import ContextFitter
from inzwa_rtc.engines.llm.reply_text import ReplyText
from inzwa_rtc.engines.llm.sampling import SamplingOptions
from inzwa_rtc.engines.llm.tool_calls import about_tokens, tools_json
from inzwa_rtc.engines.remote import answers, http
from inzwa_rtc.engines.remote.answers import Failed, Refusal
from inzwa_rtc.engines.remote.asking import AFTER_THE_END_S, Asking, StreamingOptions
from inzwa_rtc.engines.remote.options import Server, WebAddress
from inzwa_rtc.engines.remote.retries import at_start
from inzwa_rtc.errors import EngineUnavailable

_FINISH_REASONS: Mapping[str | None, FinishReason] = {"stop": "stop", "length": "length"}
_FOREVER = -1  # how long a model stays loaded
_FAILURES = (ollama.ResponseError, httpx.HTTPError, *answers.UNREADABLE)
_FEWEST_TOKENS = 0.2  # per character of any text; a smaller count leaves out what was cached

_log = structlog.get_logger(__name__)


class OllamaOptions(SamplingOptions, StreamingOptions):
    """Options under `llm:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(min_length=1)]
    """The model's name, as in `ollama list`."""
    base_url: WebAddress = "http://127.0.0.1:11434"
    """The server's address."""
    context: Annotated[int, Field(ge=128, le=1_048_576)] = 4096
    """Tokens of prompt and reply, which the server takes memory for. Older turns are left out
    to fit."""
    logprobs: bool = False
    """Whether to ask for the probability of each token."""
    tools: bool = True
    """Whether the model may be offered tools. With `check_at_start` the server is asked whether it
    was made for them."""
    think: bool | None = False
    """Whether a model that can may reason before it answers, while the caller waits. None leaves
    it to the server."""


class _Body(http.Bounded, httpx.AsyncByteStream):
    """`Bounded` for this client."""


class Ollama:
    """Has an Ollama server continue dialogues."""

    Options = OllamaOptions
    abilities: tuple[Ability, ...] = ("probabilities", "tools")

    def __init__(self, options: OllamaOptions) -> None:
        """Load the model at the server. Raises `EngineUnavailable` where it is not there, or has
        no such model."""
        self._options = options
        self._server = Server("llm", "Ollama", options.base_url, options.model)
        self._asking = Asking(self._server, options.max_concurrent)
        self._fitters: dict[str, ContextFitter] = {}  # by the model's name
        self.details = {"model": options.model, "server": options.base_url}
        takes_tools = options.tools
        key = options.api_key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        settings = http.client_settings(httpx, options, self._server, headers)
        if options.check_at_start:
            with ollama.Client(
                options.base_url, event_hooks=http.hooks(self._server), **settings
            ) as client:
                at_start(partial(self._load, client))
                takes_tools = takes_tools and self._knows_tools(client)
        lacking = {"probabilities": not options.logprobs, "tools": not takes_tools}
        self.abilities = tuple(one for one in self.abilities if not lacking.get(one))
        hooks = http.async_hooks(self._server, _Body)
        hooks["response"].append(self._on_response)
        self._client = ollama.AsyncClient(options.base_url, event_hooks=hooks, **settings)
        self._closing: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Let the idle connections go."""
        self._closing = http.closing(self.aclose)

    async def aclose(self) -> None:
        """Close the idle connections."""
        await self._client.close()  # type: ignore[no-untyped-call]

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Yield the reply's tokens, the last of them most often empty.

        `request.adapter` is the name of a model that was made with the LoRA (`ADAPTER` in its
        Modelfile). Raises `EngineError`.
        """
        available = self._options.context - request.max_tokens - about_tokens(request.tools)
        fitted = self._fitter(request).fit(request.messages, available)
        if fitted.dropped:
            _log.info("llm.turns_left_out", model=self._options.model, messages=fitted.dropped)
        attempt = partial(self._attempt, request, fitted.messages)
        async with aclosing(self._asking.stream(attempt, self._options)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _attempt(
        self, request: ReplyRequest, messages: Sequence[Message]
    ) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Ask once; raises `Failed`."""
        server = self._server.with_model(request.adapter)
        text, has_called = ReplyText(), False
        has_begun = False
        try:
            parts: Any = await self._client.chat(
                model=server.model,
                messages=_messages(messages),
                tools=tools_json(request.tools),
                stream=True,
                think=self._options.think,
                logprobs=self._options.logprobs or None,
                options=self._settings(request),
                keep_alive=_FOREVER,
            )
            async with aclosing(parts):
                async for part in parts:
                    is_final = bool(part.done)
                    token = text.feed(part.message.content or "")
                    if is_final:
                        self._learn(request, messages, part.prompt_eval_count)
                        token += text.end()
                    for call in part.message.tool_calls or ():
                        has_begun = has_called = True
                        yield ToolCall(call.function.name, call.function.arguments, new_call_id())
                    if is_final:
                        has_begun = True
                        reason = (
                            "tool_calls" if has_called else _FINISH_REASONS.get(part.done_reason)
                        )
                        yield TokenChunk(token, _logprob(part), True, _usage(part), reason)
                    elif token:
                        has_begun = True
                        yield TokenChunk(token, _logprob(part))
                    if is_final:
                        await _read_on(parts)
                        return
        except _FAILURES as error:
            raise _failed(server, error) from None
        raise answers.cut(server) if has_begun else answers.empty(server)

    def _settings(self, request: ReplyRequest) -> dict[str, Any]:
        options = self._options.asked(request.sampling)
        settings = {
            "num_ctx": options.context,
            "num_predict": request.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "repeat_penalty": options.repeat_penalty,
            "seed": options.seed,
            "stop": list(options.stop) or None,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def _fitter(self, request: ReplyRequest) -> ContextFitter:
        return self._fitters.setdefault(request.adapter or self._server.model, ContextFitter())

    def _learn(
        self, request: ReplyRequest, messages: Sequence[Message], tokens: int | None
    ) -> None:
        characters = sum(len(message.content) for message in messages)
        if tokens is not None and tokens >= characters * _FEWEST_TOKENS:
            self._fitter(request).learn(messages, tokens)

    async def _on_response(self, response: httpx.Response) -> None:
        """The client's own error does not tell how long a busy server asks to wait."""
        after = answers.retry_after_s(response.headers.get("retry-after"))
        if response.status_code in (429, 503) and after is not None:
            raise answers.refused(self._server, Refusal(response.status_code, "", after))

    def _knows_tools(self, client: ollama.Client) -> bool:
        """Whether the model was made for tools; Ollama refuses them for others. Old servers do
        not tell."""
        try:
            can = client.show(self._options.model).capabilities
        except (*_FAILURES, ConnectionError):
            return True
        if can is None or "tools" in can:
            return True
        _log.info("llm.no_tools", model=self._options.model)
        return False

    def _load(self, client: ollama.Client) -> None:
        """A request without a prompt loads the model, for this context, and nothing else."""
        try:
            client.generate(
                model=self._options.model,
                options={"num_ctx": self._options.context},
                keep_alive=_FOREVER,
            )
        except (
            ollama.ResponseError,
            httpx.HTTPError,
            ConnectionError,
            *answers.UNREADABLE,
        ) as error:
            raise _failed(self._server, error) from None


async def _read_on(parts: AsyncIterator[ollama.ChatResponse]) -> None:
    """Read to the end, so that the connection serves again."""
    with suppress(TimeoutError, Failed, *_FAILURES):
        async with asyncio.timeout(AFTER_THE_END_S):
            async for _ in parts:
                pass


def _messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The dialogue as Ollama has it: results are told apart by the names of their tools."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    told: list[dict[str, Any]] = []
    for message in messages:
        one: dict[str, Any] = {"role": message.role, "content": message.content}
        if message.tool_calls:
            one["tool_calls"] = [
                {"function": {"name": call.name, "arguments": dict(call.arguments)}}
                for call in message.tool_calls
            ]
        if message.role == "tool":
            one["tool_name"] = names.get(message.tool_call_id, "")
        told.append(one)
    return told


def _usage(part: ollama.ChatResponse) -> Usage | None:
    """A prompt that was in the cache is not counted by some versions."""
    if part.prompt_eval_count is None or part.eval_count is None:
        return None
    return Usage(part.prompt_eval_count, part.eval_count)


def _logprob(part: ollama.ChatResponse) -> float | None:
    """The log probability of the part's tokens together."""
    return sum(token.logprob for token in part.logprobs) if part.logprobs else None


def _failed(server: Server, error: Exception) -> Failed:
    """What an error of the client, or of the one below it, means."""
    if isinstance(error, ollama.ResponseError):
        if error.status_code == 404:
            return Failed(
                EngineUnavailable(
                    f"{server} has no model `{server.model}`.",
                    action=f"Run: ollama pull {server.model}",
                )
            )
        if error.status_code < 0:  # within an answer that had begun well
            return answers.given_up(server)
        return answers.refused(server, Refusal(error.status_code))
    if isinstance(error, ConnectionError):  # what the client makes of httpx's own
        return answers.lost(server, error.__context__)
    if isinstance(error, httpx.HTTPError):
        return answers.lost(server, error)
    return answers.garbled(server)
