"""Replies from a GGUF model of the operator's, by llama.cpp. MIT.

A dialogue keeps its slot, and the slot its cache: of a prompt that begins as the slot's last
one did, only the rest is read. `prepare` reads what the caller has said so far ahead of the
turn's end; then the first token comes a few decoding steps after it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, Self

import structlog
from pydantic import ConfigDict, Field, model_validator

from inzwa_rtc.engines.contracts import Ability, Message, ReplyRequest, TokenChunk, ToolCall
from inzwa_rtc.engines.hardware import Device, cpus, described, device_of, may_lock, model_on
from inzwa_rtc.engines.llm.context import ContextFitter
from inzwa_rtc.engines.llm.llama.backend import Backend, Completion, LlamaModel, PromptTooLong
from inzwa_rtc.engines.llm.llama.gguf import Gguf, check_adapter, read_model
from inzwa_rtc.engines.llm.llama.run import Run
from inzwa_rtc.engines.llm.llama.slots import NoSlot, Slots
from inzwa_rtc.engines.llm.sampling import SamplingOptions
from inzwa_rtc.errors import EngineError, EngineUnavailable

_ALL_LAYERS = 999
_ATTEMPTS = 3  # of fitting a prompt whose tokens can only be estimated
_log = structlog.get_logger(__name__)

_BACKENDS = {
    "xllamacpp": "inzwa_rtc.engines.llm.llama.xllama",
    "llama-cpp-python": "inzwa_rtc.engines.llm.llama.binding",
}


class LlamaOptions(SamplingOptions):
    """Options under `llm:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Path
    """A GGUF file; Q4 and Q5 are the quick ones on a CPU."""
    adapters: dict[str, Path] = Field(default_factory=dict)
    """LoRA adapters (GGUF) by the name under which a request chooses one."""
    backend: Literal["auto", "xllamacpp", "llama-cpp-python"] = "auto"
    """The package that wraps llama.cpp. `auto` takes a compiled llama-cpp-python where it is
    installed: it is built for this processor, and cancels at once. xllamacpp otherwise."""
    cpu_model: Path | None = None
    """A smaller model, for a machine without a GPU: taken instead of `model` where `device` is
    `auto` and there is no GPU. Both have to be there."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$")] = "auto"
    """`cpu`, `cuda` (all GPUs), `cuda:1` (one of them); `auto` takes the GPUs where there are
    any and the backend was built for them."""
    context: Annotated[int, Field(ge=128, le=1_048_576)] = 4096
    """Tokens of prompt and reply of one dialogue."""
    slots: Annotated[int, Field(ge=1, le=64)] = 4
    """Dialogues continued at the same time; each has a context's memory of its own."""
    batch: Annotated[int, Field(ge=1, le=4096)] = 32
    """Tokens of a prompt that are read at once. A cancelled request ends after the batch under
    way: small ones cancel sooner, large ones read a little faster."""
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    """Threads that compute; 0 for one per processor."""
    gpu_layers: Annotated[int | None, Field(ge=0)] = None
    """Layers on the GPU; None for all. Without a GPU there are none."""
    mlock: bool = False
    """Keep the model in memory, never in swap."""

    @model_validator(mode="after")
    def _adapters_are_for_one_model(self) -> Self:
        if self.cpu_model and self.adapters:
            raise ValueError("adapters are made for `model` alone: leave out `cpu_model`")
        return self


class Llama:
    """Continues dialogues, several at a time."""

    Options = LlamaOptions
    abilities: tuple[Ability, ...] = ("adapters", "reads ahead", "probabilities")

    def __init__(self, options: LlamaOptions) -> None:
        """Load the model. Raises `EngineUnavailable` for a file that is none, or is broken."""
        self._options = options
        self._fitter = ContextFitter()
        self._slots = Slots(options.slots)
        self._backend, self.details = _load(options)
        lacking = {
            "adapters": not options.adapters,
            "probabilities": self.details["backend"] != "xllamacpp",
        }
        self.abilities = tuple(one for one in self.abilities if not lacking.get(one))
        self._threads = ThreadPoolExecutor(options.slots, thread_name_prefix="llama")

    def close(self) -> None:
        """Wait for what is being generated, then free the model."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._backend.close()

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Yield the reply's tokens. The oldest turns are left out where the context is full.

        Raises `EngineError` for an unknown adapter, and for a prompt that cannot fit.
        """
        for _ in range(_ATTEMPTS):
            messages = self._fitting(request)
            # Raised before the first token; and the estimate is better then.
            with suppress(PromptTooLong):
                async with self._slots.taken_for(_texts(messages, request)) as slot:
                    run = self._run(request, messages, slot, request.max_tokens)
                    async with aclosing(run.told()) as telling:
                        async for told in telling:
                            if told.token or told.is_final:
                                yield TokenChunk(told.token, told.logprob, told.is_final)
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
            with self._slots.prepared_for(_texts(messages, request), run.stop) as slot:
                run.completion = replace(run.completion, slot=slot)
                async with aclosing(run.told()) as telling:
                    async for _ in telling:
                        pass

    def _fitting(self, request: ReplyRequest) -> tuple[Message, ...]:
        adapter = request.adapter
        if adapter is not None and adapter not in self._options.adapters:
            known = ", ".join(self._options.adapters) or "none"
            raise EngineError(
                f"There is no LoRA adapter `{adapter}`; known: {known}.",
                action="Name it under `llm.adapters` in the configuration.",
                code="unknown_adapter",
            )
        available = self._options.context - request.max_tokens
        return self._fitter.fit(request.messages, available).messages

    def _run(
        self, request: ReplyRequest, messages: tuple[Message, ...], slot: int, max_tokens: int
    ) -> Run:
        completion = Completion(messages, slot, max_tokens, request.adapter, self._options)
        return Run(self._backend, completion, self._threads, self._fitter, self._options.context)


def _texts(messages: Sequence[Message], request: ReplyRequest) -> tuple[str, ...]:
    """What a slot remembers: two dialogues are as alike as these are."""
    return (request.adapter or "", *(f"{m.role}: {m.content}" for m in messages))


def _load(options: LlamaOptions) -> tuple[Backend, dict[str, str]]:
    """The backend with its model, and what there is to tell of it."""
    name = options.backend
    if name == "auto":
        name = "llama-cpp-python" if find_spec("llama_cpp") else "xllamacpp"
    # Imported by name: each is an extra of its own, and one is enough.
    library = import_module(_BACKENDS[name])
    device = device_of(
        options.device,
        library.gpus(),
        library=f"this build of {name}",
        setting="llm_device",
        remedy="Install one that was built for it (docs/engines.md)",
    )
    model = _model(options, device)
    file = read_model(model.path)
    for adapter in model.adapters.values():
        check_adapter(adapter, file)
    _warn(file, model)
    try:
        backend: Backend = library.load(model)
    except (RuntimeError, ValueError, OSError) as error:
        raise EngineUnavailable(
            f"llama.cpp cannot load {model.path.name}: {error}.",
            action="Download it again (`inzwa-rtc models verify` checks known ones); an adapter "
            "must have been made for this very model; on a GPU with little memory set "
            "`llm.gpu_layers`.",
        ) from error
    return backend, {
        **described(device, model.path, options.model),
        "backend": name,
        "compute": file.quantization or "not told",
        "threads": str(model.threads),
    }


def _warn(file: Gguf, model: LlamaModel) -> None:
    """Say what will work, and not as well as it might."""
    if not file.is_quick:
        _log.warning(
            "llm.slow_quantization",
            model=model.path.name,
            quantization=file.quantization,
            action="Q4 and Q5 are the quick ones on a CPU: take Q4_K_M or Q5_K_M of this model.",
        )
    if model.mlock and not may_lock(model.path.stat().st_size):
        _log.warning(
            "llm.memory_not_locked",
            model=model.path.name,
            action="The system allows less than the model takes: raise the limit (`ulimit -l "
            "unlimited`, LimitMEMLOCK=infinity in systemd), or leave out `llm.mlock`.",
        )


def _model(options: LlamaOptions, device: Device) -> LlamaModel:
    layers = _ALL_LAYERS if options.gpu_layers is None else options.gpu_layers
    return LlamaModel(
        path=model_on(device, options.model, options.cpu_model),
        adapters=options.adapters,
        context=options.context,
        slots=options.slots,
        batch=options.batch,
        threads=options.threads or cpus(),
        gpu_layers=0 if device.is_cpu else layers,
        gpu=device.number if ":" in device.name else None,
        mlock=options.mlock,
    )
