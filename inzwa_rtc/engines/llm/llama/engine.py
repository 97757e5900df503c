"""Replies from a GGUF model of the operator's, by llama.cpp. MIT.

A dialogue keeps its slot, and the slot its cache: of a prompt that begins as the slot's last
one did, only the rest is read. `prepare` reads what the caller has said so far ahead of the
turn's end; then the first token comes a few decoding steps after it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import replace

import structlog

from inzwa_rtc.engines.contracts import Ability, Message, ReplyRequest, TokenChunk, ToolCall
from inzwa_rtc.engines.llm.context import ContextFitter
from inzwa_rtc.engines.llm.dialogue import without_system
from inzwa_rtc.engines.llm.llama.backend import Completion, PromptTooLong
from inzwa_rtc.engines.llm.llama.loading import load
from inzwa_rtc.engines.llm.llama.options import LlamaOptions
from inzwa_rtc.engines.llm.llama.run import Run
from inzwa_rtc.engines.llm.llama.slots import NoSlot, Slots
from inzwa_rtc.engines.llm.reply_text import ReplyText
from inzwa_rtc.engines.llm.tool_calls import CallParts, about_tokens
from inzwa_rtc.errors import EngineError

_ATTEMPTS = 3  # of fitting a prompt whose tokens can only be estimated
_log = structlog.get_logger(__name__)


class Llama:
    """Continues dialogues, several at a time."""

    Options = LlamaOptions
    abilities: tuple[Ability, ...] = ("adapters", "reads ahead", "probabilities", "tools")

    def __init__(self, options: LlamaOptions) -> None:
        """Load the model. Raises `EngineUnavailable` for a file that is none, or is broken."""
        self._options = options
        self._fitter = ContextFitter()
        self._slots = Slots(options.slots)
        self._model = load(options)
        self.details = self._model.details
        tells = options.logprobs and self.details["backend"] == "xllamacpp"
        lacking = {
            "adapters": not options.adapters,
            "probabilities": not tells,
            "tools": not self._model.takes_tools,
        }
        self.abilities = tuple(one for one in self.abilities if not lacking.get(one))
        self._threads = ThreadPoolExecutor(options.slots, thread_name_prefix="llama")

    def close(self) -> None:
        """Wait for what is being generated, then free the model."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._model.backend.close()

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Yield the reply's tokens. The oldest turns are left out where the context is full.

        Raises `EngineError` for an unknown adapter, and for a prompt that cannot fit.
        """
        for _ in range(_ATTEMPTS):
            messages = self._fitting(request)
            # Raised before the first token; and the estimate is better then.
            with suppress(PromptTooLong):
                async with self._slots.taken_for(self._texts(request)) as slot:
                    text, parts, usage = ReplyText(), CallParts(), None
                    run = self._run(request, messages, slot, request.max_tokens)
                    async with aclosing(run.told()) as telling:
                        async for told in telling:
                            parts.feed(told.calls)
                            usage = told.usage or usage
                            token = text.feed(told.token)
                            if not told.is_final:
                                if token or told.calls:  # a call may be long in coming
                                    yield TokenChunk(token, told.logprob)
                                continue
                            for call in (calls := parts.calls()):
                                yield call
                            token += text.end()
                            yield TokenChunk(
                                token, told.logprob, True, usage, told.finish_reason(calls)
                            )
                return
        raise EngineError(
            f"The prompt does not fit into the context of {self._options.context} tokens.",
            action="Raise `llm.context`.",
            code="context_too_small",
        )

    async def prepare(self, request: ReplyRequest) -> None:
        """Read the dialogue into a slot's cache, if one is free."""
        messages = self._fitting(request)
        run = self._run(request, messages, 0, 0)
        with suppress(PromptTooLong, NoSlot):
            with self._slots.prepared_for(self._texts(request), run.stop) as slot:
                run.completion = replace(run.completion, slot=slot)
                async with aclosing(run.told()) as telling:
                    async for _ in telling:
                        pass

    def _fitting(self, request: ReplyRequest) -> tuple[Message, ...]:
        """What the model is asked, in the form that its template takes."""
        adapter = request.adapter
        if adapter is not None and adapter not in self._options.adapters:
            known = ", ".join(self._options.adapters) or "none"
            raise EngineError(
                f"There is no LoRA adapter `{adapter}`; known: {known}.",
                action="Name it under `llm.adapters` in the configuration.",
                code="unknown_adapter",
            )
        available = self._options.context - request.max_tokens - about_tokens(request.tools)
        fitted = self._fitter.fit(request.messages, available)
        if fitted.dropped:
            _log.info("llm.turns_left_out", model=self.details["model"], messages=fitted.dropped)
        messages = self._model.controls.broken_up(fitted.messages)
        return messages if self._model.has_system else without_system(messages)

    def _run(
        self, request: ReplyRequest, messages: tuple[Message, ...], slot: int, max_tokens: int
    ) -> Run:
        options = self._options
        adapter = request.adapter or options.adapter
        completion = Completion(
            messages,
            slot,
            max_tokens,
            adapter,
            options.asked(request.sampling),
            options.logprobs,
            request.tools,
        )
        return Run(self._model.backend, completion, self._threads, self._fitter, options.context)

    def _texts(self, request: ReplyRequest) -> tuple[str, ...]:
        """What a slot remembers: two dialogues are as alike as these are. All of it, whatever
        was left out to fit: the dialogue is the same."""
        adapter = request.adapter or self._options.adapter or ""
        return (adapter, *(f"{m.role}: {m.content}" for m in request.messages))
