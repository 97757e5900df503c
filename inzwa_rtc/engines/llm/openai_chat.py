"""OpenAI's chat interface as data: the request, the events of its answer, a prompt too long.

No I/O. Servers add to this interface and leave out of it; what is read here is what vLLM,
llama-server and OpenAI have in common, and all of it is checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inzwa_rtc.engines.contracts import FinishReason, Message, ReplyRequest, Usage
from inzwa_rtc.engines.llm.sampling import SamplingOptions
from inzwa_rtc.engines.llm.tool_calls import message_json, tools_json

_TOO_LONG = ("context_length_exceeded", "exceed_context_size_error")  # OpenAI, llama-server
_MAXIMUM = re.compile(r"maximum context length is (\d{1,9})")  # OpenAI and vLLM, in words only
_FINISH_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
}
_SMALLEST, _LARGEST = 128, 10_000_000  # contexts that there are
_PROMPT = re.compile(r"(\d{1,9}) (?:in the messages|input tokens)|resulted in (\d{1,9}) tokens")


@dataclass(frozen=True, slots=True)
class Told:
    """What one event of a reply tells. `prompt_tokens` is how long the prompt was."""

    token: str = ""
    logprob: float | None = None
    calls: object = None
    """The pieces of calls of tools, to be put together by `CallParts`."""
    finish_reason: FinishReason | None = None
    is_final: bool = False
    prompt_tokens: int | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class TooLong:
    """The prompt did not fit; how long it was and how much would fit, where the server says
    something that can be."""

    prompt_tokens: int | None
    context: int | None


def request_body(
    request: ReplyRequest,
    messages: Sequence[Message],
    sampling: SamplingOptions,
    *,
    model: str,
    is_openai: bool,
) -> dict[str, Any]:
    """The request. OpenAI's own server has renamed the token limit; the others have not."""
    limit = "max_completion_tokens" if is_openai else "max_tokens"
    body: dict[str, Any] = {
        "model": request.adapter or model,
        "messages": [message_json(message) for message in messages],
        "stream": True,
        limit: request.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
    }
    if request.tools:
        body["tools"] = tools_json(request.tools)
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    return body


def told_by(event: object) -> Told:
    """What an event tells. Raises `ValueError` for what is none."""
    if not isinstance(event, Mapping) or not isinstance(event.get("choices"), list):
        raise ValueError("not a chunk of a reply")
    usage = event.get("usage")
    prompt_tokens = _count(usage, "prompt_tokens")
    told = Told(prompt_tokens=prompt_tokens, usage=_usage(usage))
    if not event["choices"]:
        return told
    choice = event["choices"][0]
    if not isinstance(choice, Mapping):
        raise ValueError("not a choice")
    delta = choice.get("delta")
    token = delta.get("content") if isinstance(delta, Mapping) else None
    if token is not None and not isinstance(token, str):
        raise ValueError("not a text")
    reason = choice.get("finish_reason")
    return replace(
        told,
        token=token or "",
        logprob=_logprob(choice.get("logprobs")),
        calls=delta.get("tool_calls") if isinstance(delta, Mapping) else None,
        finish_reason=_FINISH_REASONS.get(reason) if isinstance(reason, str) else None,
        is_final=reason is not None,
    )


def too_long(code: str, message: str, error: object) -> TooLong | None:
    """What a refusal says of the prompt's length, None when that is not what it is about.

    `error` is the object that the server sent, `code` and `message` its members.
    """
    maximum = _MAXIMUM.search(message)
    if code not in _TOO_LONG and maximum is None:
        return None
    prompt = _PROMPT.search(message)
    context = _count(error, "n_ctx") or (int(maximum[1]) if maximum else None)
    return TooLong(
        _count(error, "n_prompt_tokens") or (int(prompt[1] or prompt[2]) if prompt else None),
        context if context is not None and _SMALLEST <= context <= _LARGEST else None,
    )


def refuses_system(message: str) -> bool:
    """Whether a refusal is the template's, which has no place for a system prompt. Gemma's says
    so in these words, and servers pass them on."""
    return "system role not supported" in message.lower()


def refuses_tools(message: str) -> bool:
    """Whether a refusal is about tools: vLLM and llama-server name the option that is lacking,
    other servers the member of the request."""
    return re.search(r"\btools?\b|tool_choice", message.lower()) is not None


def newer_half(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The system prompt and the newer half of the turns, beginning with one of the user's."""
    system = [message for message in messages if message.role == "system"]
    turns = [message for message in messages if message.role != "system"]
    kept = turns[(len(turns) + 1) // 2 :] or turns[-1:]
    while len(kept) > 1 and kept[0].role != "user":
        kept.pop(0)
    return (*system, *kept)


def _logprob(logprobs: object) -> float | None:
    """The log probability of the event's tokens together."""
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not isinstance(content, list) or not content:
        return None
    found = [item.get("logprob") for item in content if isinstance(item, Mapping)]
    return sum(float(value) for value in found if isinstance(value, int | float))


def _usage(usage: object) -> Usage | None:
    prompt, completion = (_count(usage, f"{part}_tokens") for part in ("prompt", "completion"))
    return None if prompt is None or completion is None else Usage(prompt, completion)


def _count(holder: object, name: str) -> int | None:
    value = holder.get(name) if isinstance(holder, Mapping) else None
    return value if isinstance(value, int) else None
