"""llama-cpp-python: bindings to llama.cpp, compiled on the machine that they run on. MIT.

One of its contexts does one thing at a time, so each slot is a context of its own; all of them
compute with the same weights. llama.cpp asks an abort callback in the midst of its work, so a
request ends within milliseconds at any moment.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import llama_cpp
from jinja2 import TemplateError
from llama_cpp import _internals, llama_chat_format

from inzwa_rtc.engines.llm.llama.backend import (
    Completion,
    Failed,
    LlamaModel,
    PromptTooLong,
    Tell,
    Told,
)
from inzwa_rtc.engines.llm.reply_text import THINKS

_TOO_LONG = re.compile(r"Requested tokens \((\d+)\) exceed context window")

_NO_ROOM = "llama_decode returned 1"


def gpus() -> int:
    """How many GPUs this build of llama.cpp may have: it tells only whether there are any, and
    refuses a number beyond them when it loads."""
    return llama_cpp.llama_max_devices() if llama_cpp.llama_supports_gpu_offload() else 0


def load(model: LlamaModel) -> Binding:
    """Load it. Raises `ValueError` or `RuntimeError` for a file that llama.cpp does not take."""
    try:
        return Binding(model)
    except TemplateError as error:
        raise ValueError(f"its chat template is none ({type(error).__name__})") from None


class Binding:
    """`Backend` on `llama_cpp.Llama`."""

    def __init__(self, model: LlamaModel) -> None:
        first = _Context(model)
        self._contexts = [first]
        self._adapters = _adapters(first.weights, model.adapters)
        with _using(first.weights) if model.slots > 1 else nullcontext():
            self._contexts += [_Context(model) for _ in range(model.slots - 1)]
        for context in self._contexts:
            context.adapters = self._adapters

    def complete(self, completion: Completion, tell: Tell) -> None:
        self._contexts[completion.slot].complete(completion, tell)

    def close(self) -> None:
        for adapter in self._adapters.values():
            llama_cpp.llama_adapter_lora_free(adapter)
        for context in reversed(self._contexts):  # the first one owns the weights
            context.close()
        self._contexts.clear()


def _one_gpu(model: LlamaModel) -> dict[str, Any]:
    if model.gpu is None:
        return {}
    return {"main_gpu": model.gpu, "split_mode": llama_cpp.LLAMA_SPLIT_MODE_NONE}


class _Context:
    def __init__(self, model: LlamaModel) -> None:
        self.adapters: Mapping[str, Any] = {}
        self._llama: Any = llama_cpp.Llama(
            str(model.path),
            n_ctx=model.context,
            n_batch=model.batch,
            n_ubatch=model.batch,
            n_threads=model.threads,
            n_threads_batch=model.threads,
            n_gpu_layers=model.gpu_layers,
            **_one_gpu(model),
            use_mlock=model.mlock,
            verbose=False,
        )
        self._adapter: str | None = None
        self._tell: Tell | None = None
        self._template = _Template(self._llama, thinks=model.thinks)
        self._llama.chat_handler = llama_chat_format.chat_formatter_to_chat_completion_handler(
            self._template
        )
        # Kept here: llama.cpp holds a bare pointer to it.
        self._abort = llama_cpp.ggml_abort_callback(self._is_unwanted)
        llama_cpp.llama_set_abort_callback(self._llama.ctx, self._abort, None)

    @property
    def weights(self) -> Any:
        """The library's `LlamaModel`."""
        return self._llama._model

    def complete(self, completion: Completion, tell: Tell) -> None:
        self._choose(completion.adapter)
        self._tell = tell
        try:
            self._stream(completion, tell)
        except ValueError as error:
            if found := _TOO_LONG.search(str(error)):
                raise PromptTooLong(int(found[1])) from None
            raise Failed(type(error).__name__) from None
        except RuntimeError as error:
            if not tell(Told()):
                return  # it broke off because it was told to
            if _NO_ROOM in str(error):
                raise PromptTooLong(self._llama.n_tokens) from None
            raise Failed(str(error)) from None
        finally:
            self._tell = None

    def close(self) -> None:
        self._llama.close()

    def _stream(self, completion: Completion, tell: Tell) -> None:
        sampling = completion.sampling
        chunks = self._llama.create_chat_completion(
            [{"role": message.role, "content": message.content} for message in completion.messages],
            stream=True,
            max_tokens=max(1, completion.max_tokens),  # 0 would mean: until the context is full
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            repeat_penalty=sampling.repeat_penalty,
            stop=list(sampling.stop),
            seed=sampling.seed,
        )
        try:
            told = Told(prompt_tokens=self._template.tokens)
            if self._template.opens_thoughts:
                told.token = THINKS  # the template wrote it, not the model
            if not tell(told):
                return
            for chunk in chunks:
                choice = chunk["choices"][0]
                token = choice["delta"].get("content") or ""
                reason = choice["finish_reason"]
                told = Told(token, is_final=reason is not None, is_cut_off=reason == "length")
                if not tell(told):
                    return
        finally:
            chunks.close()

    def _choose(self, name: str | None) -> None:
        if name == self._adapter:
            return
        self._llama.reset()  # what is cached was read with the other adapter
        chosen = [] if name is None else [self.adapters[name]]
        adapters = (llama_cpp.llama_adapter_lora_p_ctypes * len(chosen))(*chosen)
        scales = (ctypes.c_float * len(chosen))(*[1.0] * len(chosen))
        if llama_cpp.llama_set_adapters_lora(self._llama.ctx, adapters, len(chosen), scales):
            raise Failed("the adapter cannot be applied")
        self._adapter = name

    def _is_unwanted(self, _: Any) -> bool:
        return self._tell is not None and not self._tell(Told())


class _Template:
    """The model's chat template as a formatter of the library's, which has no way to tell it
    whether to think."""

    def __init__(self, llama: Any, *, thinks: bool) -> None:
        self._llama = llama
        self._thinks = thinks
        self.opens_thoughts = False
        self.tokens = 0
        """Of the newest prompt."""
        template = llama.metadata.get("tokenizer.chat_template")
        if template is None:
            raise ValueError("it has no chat template")
        ends = llama.token_eos()
        self._format = llama_chat_format.Jinja2ChatFormatter(
            template,
            eos_token=_text_of(llama, ends),
            bos_token=_text_of(llama, llama.token_bos()),
            stop_token_ids=[ends],
        )

    def __call__(self, **values: Any) -> Any:
        try:
            formatted = self._format(**values, enable_thinking=self._thinks)
        except (TemplateError, ValueError, TypeError):
            raise Failed("its chat template refuses the dialogue") from None
        self.opens_thoughts = formatted.prompt.rstrip().endswith(THINKS)
        self.tokens = len(self._llama.tokenize(formatted.prompt.encode(), False, special=True))
        return formatted


def _text_of(llama: Any, token: int) -> str:
    return llama._model.token_get_text(token) if token != -1 else ""


def _adapters(weights: Any, paths: Mapping[str, Path]) -> dict[str, Any]:
    adapters: dict[str, Any] = {}
    for name, path in paths.items():
        adapter = llama_cpp.llama_adapter_lora_init(weights.model, str(path).encode())
        if not adapter:
            raise ValueError(f"the adapter {path.name} does not fit the model")
        adapters[name] = adapter
    return adapters


class _Borrowed(_internals.LlamaModel):  # type: ignore[misc]  # it has no types
    """Weights that another `Llama` has loaded, and will free."""

    def __init__(self, owned: Any) -> None:
        self.__dict__ |= owned.__dict__

    def close(self) -> None:
        pass


@contextmanager
def _using(weights: Any) -> Generator[None, None, None]:
    """Within it a `Llama` takes these weights instead of loading its own.

    The library has no way to say so. What it loads is more than a mapping of the file: it
    arranges most of the weights anew for the processor, in memory of its own.
    """
    load = _internals.LlamaModel
    _internals.LlamaModel = lambda **_: _Borrowed(weights)
    try:
        yield
    finally:
        _internals.LlamaModel = load
