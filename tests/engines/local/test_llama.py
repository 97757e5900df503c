"""llama.cpp with tiny models of random weights: streams, slots, cancelling, adapters, bad files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from inzwa_rtc.engines.contracts import ReplyRequest
from inzwa_rtc.engines.hardware import device_of
from inzwa_rtc.engines.llm.llama.engine import Llama
from inzwa_rtc.engines.llm.llama.loading import _model
from inzwa_rtc.engines.llm.llama.options import LlamaOptions
from inzwa_rtc.errors import EngineError, EngineUnavailable
from models.tiny import gguf_llama
from tests.engines.contract.llm import GUARD_S, LanguageModelContract, Subject, replied, text_of
from tests.engines.contract.llm import asking as asking_for

# The second compiles for minutes where it is installed; what is installed is tested.
BACKENDS = [
    name
    for name, module in (("xllamacpp", "xllamacpp"), ("llama-cpp-python", "llama_cpp"))
    if find_spec(module)
]
WIDE = gguf_llama.Size(width=128, layers=2, heads=4, inner=512)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    gguf_llama.make(folder / "tiny.gguf")
    gguf_llama.make_lora(folder / "lora.gguf")
    gguf_llama.make_lora(folder / "other.gguf", WIDE)
    return folder


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def options(models: Path, backend: str, **given: Any) -> LlamaOptions:
    values = {"context": 512, "slots": 2, "threads": 1, "temperature": 0, "seed": 1, **given}
    return LlamaOptions.model_validate(
        {"model": models / "tiny.gguf", "backend": backend, "device": "cpu", **values}
    )


@pytest.fixture
def engine(models: Path, backend: str) -> Iterator[Llama]:
    with closing(Llama(options(models, backend, adapters={"b": models / "lora.gguf"}))) as engine:
        yield engine


def asking(text: str = "hello there", **values: Any) -> ReplyRequest:
    return asking_for(text, **values)


class TestLlama(LanguageModelContract):
    @pytest.fixture
    def subject(self, models: Path, backend: str) -> Subject:
        adapters = {"b": models / "lora.gguf"}
        return Subject(
            make=lambda **given: Llama(options(models, backend, adapters=adapters, **given)),
            context=512,
            larger=lambda: Llama(options(models, backend, context=32_768)),  # a cache of 34 MB
        )


async def test_an_adapter_of_which_there_are_others_is_refused_with_their_names(
    engine: Llama,
) -> None:
    with pytest.raises(EngineError, match="`c`; known: b") as caught:
        await replied(engine, asking(adapter="c"))
    assert caught.value.code == "unknown_adapter"


async def test_the_same_seed_gives_the_same_reply(engine: Llama) -> None:
    assert await text_of(engine, asking()) == await text_of(engine, asking())


async def test_an_adapter_chosen_for_a_request_changes_that_reply_only(engine: Llama) -> None:
    plain = await text_of(engine, asking())
    assert await text_of(engine, asking(adapter="b")) != plain
    assert await text_of(engine, asking()) == plain


async def test_what_was_read_ahead_is_not_read_again(engine: Llama) -> None:
    request = asking("what time is it in Harare")
    await engine.prepare(asking("what time is it"))
    run = engine._run(request, tuple(request.messages), 0, 8)  # the slot that was prepared
    async with asyncio.timeout(GUARD_S), aclosing(run.told()) as telling:
        cached = [told.cached_tokens async for told in telling if told.prompt_tokens]
    if engine.details["backend"] == "xllamacpp":  # the other does not tell
        assert max(cached) > 30
    assert await text_of(engine, request)


async def test_a_stop_sequence_ends_the_reply_and_is_not_said(models: Path, backend: str) -> None:
    with closing(Llama(options(models, backend))) as engine:
        said = await text_of(engine, asking())
    stop = next(letter for letter in said[1:] if letter.isprintable())
    with closing(Llama(options(models, backend, stop=(stop,)))) as engine:
        assert stop not in await text_of(engine, asking())


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-20_000], "cannot load"),
        (lambda content: content[:2000], "too short"),
        (lambda content: b"\x80\x04" + content, "does not begin with GGUF"),
        (lambda content: content[:8] + (2**60).to_bytes(8, "little") + content[16:], "tensors"),
    ],
)
def test_a_damaged_model_is_refused(
    models: Path, backend: str, tmp_path: Path, damage: Any, reason: str
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(damage((models / "tiny.gguf").read_bytes()))
    with pytest.raises(EngineUnavailable, match=reason):
        Llama(options(models, backend, model=broken))


def test_an_adapter_of_another_model_is_refused(models: Path, backend: str) -> None:
    with pytest.raises(EngineUnavailable, match="adapter") as refused:
        Llama(options(models, backend, adapters={"b": models / "other.gguf"}))
    assert "made for this very model" in refused.value.action


def test_a_model_of_another_quantization_is_warned_of_once_and_works(
    models: Path, backend: str, tmp_path: Path
) -> None:
    eight = gguf_llama.make(tmp_path / "eight.gguf", like="Q8_0")
    with capture_logs() as lines, closing(Llama(options(models, backend, model=eight))) as engine:
        assert engine.details["compute"] == "Q8_0"
    (line,) = [line for line in lines if line["event"] == "llm.slow_quantization"]
    assert (line["log_level"], line["model"], line["quantization"]) == (
        "warning",
        "eight.gguf",
        "Q8_0",
    )


def test_a_model_that_the_system_would_not_keep_in_memory_is_warned_of(
    models: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inzwa_rtc.engines.llm.llama.loading.may_lock", lambda size: False)
    with capture_logs() as lines:
        Llama(options(models, backend)).close()
        assert "llm.memory_not_locked" not in {line["event"] for line in lines}
        Llama(options(models, backend, mlock=True)).close()
    assert "llm.memory_not_locked" in {line["event"] for line in lines}


def test_auto_without_a_gpu_is_the_cpu_with_the_smaller_model(
    models: Path, backend: str, tmp_path: Path
) -> None:
    larger = gguf_llama.make(tmp_path / "larger.gguf", WIDE)
    smaller = {"model": larger, "cpu_model": models / "tiny.gguf", "device": "auto"}
    with closing(Llama(options(models, backend, **smaller))) as engine:
        told = engine.details
    assert (told["model"], told["instead_of"]) == ("tiny.gguf", "larger.gguf")
    assert (told["device"], told["threads"]) == ("cpu (no GPU found)", "1")
    with closing(Llama(options(models, backend, **{**smaller, "device": "cpu"}))) as engine:
        assert engine.details["model"] == "larger.gguf"


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_gpu_that_is_not_there_is_missed_by_name(models: Path, backend: str, device: str) -> None:
    with pytest.raises(EngineUnavailable, match=f"no GPU `{device}`") as missed:
        Llama(options(models, backend, device=device))
    assert "llm_device: cpu" in missed.value.action


@pytest.mark.parametrize(
    ("device", "layers", "gpu", "layers_there"),
    [
        ("auto", None, None, 999),
        ("cuda", 7, None, 7),
        ("cuda:1", None, 1, 999),
        ("cpu", 7, None, 0),
    ],
)
def test_a_gpu_gets_the_layers_that_the_operator_wants(
    models: Path, device: str, layers: int | None, gpu: int | None, layers_there: int
) -> None:
    chosen = options(models, BACKENDS[0], device=device, gpu_layers=layers)
    there = device_of(device, 2, library="", setting="", remedy="")
    model = _model(chosen, there)
    assert (model.gpu_layers, model.gpu) == (layers_there, gpu)


def test_adapters_are_made_for_one_model(models: Path) -> None:
    with pytest.raises(ValueError, match="leave out `cpu_model`"):
        options(models, "auto", adapters={"b": models / "lora.gguf"}, cpu_model=models / "x")


@pytest.mark.skipif("llama-cpp-python" not in BACKENDS, reason="it is not installed here")
def test_all_slots_of_the_binding_compute_with_the_same_weights(models: Path) -> None:
    with closing(Llama(options(models, "llama-cpp-python", slots=3))) as engine:
        backend: Any = engine._model.backend
        weights = {context.weights.model for context in backend._contexts}
        assert len(backend._contexts) == 3
        assert len(weights) == 1
