"""Loading a model that an operator brings, and finding out what it can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import structlog

from inzwa_rtc.engines.contracts import Message, ToolCall, ToolSpec
from inzwa_rtc.engines.hardware import Device, cpus, described, device_of, may_lock, model_on
from inzwa_rtc.engines.llm.dialogue import without_system
from inzwa_rtc.engines.llm.llama.backend import Backend, Completion, Failed, LlamaModel
from inzwa_rtc.engines.llm.llama.controls import Controls
from inzwa_rtc.engines.llm.llama.gguf import Gguf, check_adapter, read_model
from inzwa_rtc.engines.llm.llama.options import LlamaOptions
from inzwa_rtc.errors import EngineUnavailable

_ALL_LAYERS = 999
_log = structlog.get_logger(__name__)

_BACKENDS = {
    "xllamacpp": "inzwa_rtc.engines.llm.llama.xllama",
    "llama-cpp-python": "inzwa_rtc.engines.llm.llama.binding",
}
_DIALOGUE = (
    Message("system", "a"),
    Message("user", "b"),
    Message("assistant", "c"),
    Message("user", "d"),
)
_TOOL = ToolSpec("f", "e", {"type": "object", "properties": {"g": {"type": "string"}}})
_WITH_TOOL = (
    Message("user", "b"),
    Message("assistant", "", (ToolCall("f", {"g": "h"}, "abcdefghi"),)),
    Message("tool", "i", tool_call_id="abcdefghi"),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that can be used."""

    backend: Backend
    controls: Controls
    has_system: bool
    """Whether its chat template has a place for a system prompt."""
    takes_tools: bool
    """Whether its chat template has a place for tools, and what it writes is read as calls."""
    details: dict[str, str]
    """What there is to tell of it."""


def load(options: LlamaOptions) -> Loaded:
    """Raises `EngineUnavailable` for files that are none, or broken, or do not go together."""
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
    details = {
        **described(device, model.path, options.model),
        "backend": name,
        "compute": file.quantization or "not told",
        "threads": str(model.threads),
    }
    try:
        has_system = _has_system(backend, options)
    except EngineUnavailable:
        backend.close()
        raise
    takes_tools = name == "xllamacpp" and file.knows_tools and _takes_tools(backend, options)
    return Loaded(backend, Controls(file.controls), has_system, takes_tools, details)


def _takes_tools(backend: Backend, options: LlamaOptions) -> bool:
    """Tries out whether llama.cpp understands how this template has calls and results."""
    tried = Completion(_WITH_TOOL, 0, 1, None, options, tools=[_TOOL])
    try:
        backend.complete(tried, lambda _: False)  # what it would say is no matter
    except Failed as failed:
        _log.warning("llm.tools_not_understood", reason=failed.reason)
        return False
    return True


def _has_system(backend: Backend, options: LlamaOptions) -> bool:
    """Tries out the template, and once also the weights and each adapter."""
    has_system = _refusal(backend, options, _DIALOGUE, None) is None
    dialogue = _DIALOGUE if has_system else without_system(_DIALOGUE)
    for adapter in (*([] if has_system else [None]), *options.adapters):
        if reason := _refusal(backend, options, dialogue, adapter):
            name = f"the adapter `{adapter}`" if adapter else options.model.name
            raise EngineUnavailable(
                f"llama.cpp cannot continue a dialogue with {name}: {reason}.",
                action="Check that the model has a chat template, and that neither it nor the "
                "adapter is damaged.",
            )
    return has_system


def _refusal(
    backend: Backend, options: LlamaOptions, dialogue: Sequence[Message], adapter: str | None
) -> str | None:
    """Why one token cannot be added, None where it can."""
    try:
        completion = Completion(dialogue, 0, 1, adapter, options, logprobs=True)
        backend.complete(completion, lambda _: True)
    except Failed as failed:
        return failed.reason
    return None


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
        thinks=options.think,
    )
