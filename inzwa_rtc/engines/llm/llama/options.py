"""Options of the llama.cpp engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from inzwa_rtc.engines.llm.sampling import SamplingOptions


class LlamaOptions(SamplingOptions):
    """Options under `llm:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Path
    """A GGUF file; Q4 and Q5 are the quick ones on a CPU."""
    adapters: dict[str, Path] = Field(default_factory=dict)
    """LoRA adapters (GGUF) by the name under which a request chooses one."""
    adapter: str | None = None
    """The adapter where a request names none: `llm_adapter` goes to every engine of a chain."""
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
    think: bool = False
    """Whether a model that can may reason before it answers, while the caller waits."""
    logprobs: bool = False
    """Whether to tell the probability of each token, which `xllamacpp` can."""
    mlock: bool = False
    """Keep the model in memory, never in swap."""

    @model_validator(mode="after")
    def _adapters_are_for_one_model(self) -> Self:
        if self.cpu_model and self.adapters:
            raise ValueError("adapters are made for `model` alone: leave out `cpu_model`")
        if self.adapter is not None and self.adapter not in self.adapters:
            raise ValueError(f"`adapter`: there is no `{self.adapter}` among `adapters`")
        return self
