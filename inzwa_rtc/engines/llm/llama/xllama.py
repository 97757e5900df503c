"""xllamacpp: llama.cpp's own server in process, with continuous batching. MIT.

Prebuilt for CPUs with AVX2. It insists on an HTTP port on the loopback address; that is
closed to everyone else by a key that nobody knows.
"""

from __future__ import annotations

import secrets
from typing import Any

import xllamacpp

from inzwa_rtc.engines.llm.llama.backend import (
    Completion,
    Failed,
    LlamaModel,
    PromptTooLong,
    Tell,
    Told,
)
from inzwa_rtc.engines.llm.tool_calls import message_json, tools_json

_SILENT = -1


def gpus() -> int:
    """How many GPUs this build of llama.cpp can use."""
    kinds = [device["type"].name.rpartition("_")[2] for device in xllamacpp.get_device_info()]
    return kinds.count("GPU") or kinds.count("IGPU")  # as it chooses itself


def load(model: LlamaModel) -> XLlama:
    """Load it. Raises `RuntimeError` for a file that llama.cpp does not take."""
    return XLlama(model)


class XLlama:
    """`Backend` on `xllamacpp.Server`."""

    def __init__(self, model: LlamaModel) -> None:
        params = xllamacpp.CommonParams()
        params.model.path = str(model.path)
        params.n_ctx = model.context * model.slots  # shared out evenly
        params.n_parallel = model.slots
        params.n_batch = params.n_ubatch = model.batch
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = model.threads
        params.n_gpu_layers = model.gpu_layers
        if model.gpu is not None:
            params.main_gpu = model.gpu
            params.split_mode = xllamacpp.llama_split_mode.LLAMA_SPLIT_MODE_NONE
        params.fit_params = False  # what the operator asked for, or an error
        params.offline = True
        params.verbosity = _SILENT  # prompts would be logged
        params.ui = False
        params.endpoint_slots = False
        params.api_keys = [secrets.token_urlsafe(32)]
        params.cache_ram_mib = 0  # each dialogue keeps its slot: no copies beside it
        if model.mlock:
            params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_MLOCK
        self._thinks = model.thinks
        self._adapters = list(model.adapters)
        params.lora_adapters = [
            xllamacpp.CommonAdapterLoraInfo(str(path), 0.0) for path in model.adapters.values()
        ]
        self._server: Any = xllamacpp.Server(params)
        # Answered once its loop turns. A server that is closed before then hangs for ever.
        self._server.handle_completions({"prompt": "a", "n_predict": 1}, lambda _: False)

    def close(self) -> None:
        self._server = None

    def complete(self, completion: Completion, tell: Tell) -> None:
        error: Exception | None = None

        def take(chunk: dict[str, Any]) -> bool:
            nonlocal error
            try:  # the library swallows what is raised here
                return not tell(_told(chunk))
            except Exception as raised:  # noqa: BLE001 - raised again below
                error = raised
                return True

        try:
            self._server.handle_chat_completions(self._body(completion), take)
        except (ValueError, RuntimeError) as refused:
            raise Failed(type(refused).__name__) from None
        if error is not None:
            raise error

    def _body(self, completion: Completion) -> dict[str, Any]:
        sampling = completion.sampling
        body: dict[str, Any] = {
            "messages": [message_json(message) for message in completion.messages],
            "stream": True,
            "return_progress": True,
            "timings_per_token": True,
            "cache_prompt": True,
            "id_slot": completion.slot,
            "max_tokens": completion.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "repeat_penalty": sampling.repeat_penalty,
            "stop": list(sampling.stop),
            "chat_template_kwargs": {"enable_thinking": self._thinks},
        }
        if completion.tools:
            body["tools"] = tools_json(completion.tools)
            body["parallel_tool_calls"] = True
        if completion.logprobs:
            body |= {"logprobs": True, "top_logprobs": 1}
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if self._adapters:
            body["lora"] = [
                {"id": number, "scale": float(name == completion.adapter)}
                for number, name in enumerate(self._adapters)
            ]
        return body


def _told(chunk: dict[str, Any]) -> Told:
    if "error" in chunk:
        error = chunk["error"]
        if error.get("type") == "exceed_context_size_error":
            raise PromptTooLong(int(error["n_prompt_tokens"]))
        raise Failed(str(error.get("type", "error")))
    told = Told()
    for choice in chunk.get("choices", ()):
        told.token += choice["delta"].get("content") or ""
        told.calls = choice["delta"].get("tool_calls")
        tokens = (choice.get("logprobs") or {}).get("content") or ()
        if any(token["logprob"] is None for token in tokens):  # NaN, as JSON has it
            raise Failed("its weights, or the adapter's, are no numbers")
        if tokens:
            told.logprob = sum(token["logprob"] for token in tokens)
        told.is_final = choice.get("finish_reason") is not None
        told.is_cut_off = choice.get("finish_reason") == "length"
    if progress := chunk.get("prompt_progress"):
        told.cached_tokens, told.prompt_tokens = progress["cache"], progress["total"]
    elif timings := chunk.get("timings"):  # of a prompt that was in the cache already
        told.cached_tokens = timings["cache_n"]
        told.prompt_tokens = timings["cache_n"] + timings["prompt_n"]
        told.reply_tokens = timings["predicted_n"]
    return told
