"""Files that are no models for llama.cpp, or adapters for another one: a reason, a remedy, and
the process lives and holds nothing of them."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import psutil
import pytest

from inzwa_rtc.engines.llm.llama.engine import Llama
from inzwa_rtc.engines.llm.llama.options import LlamaOptions
from inzwa_rtc.errors import EngineUnavailable
from models.tiny import gguf_llama, whisper_ggml
from tests.support.pickled import Touching

BACKENDS = [
    name
    for name, module in (("xllamacpp", "xllamacpp"), ("llama-cpp-python", "llama_cpp"))
    if find_spec(module)
]
WIDE = gguf_llama.Size(width=128, layers=2, heads=4, inner=512)
ANY_NUMBER = (0, 7, 2**31 - 1, 2**32 - 1, 2**60, 2**63, 2**64 - 1)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    gguf_llama.make(folder / "tiny.gguf")
    gguf_llama.make_lora(folder / "lora.gguf")
    gguf_llama.make_lora(folder / "other.gguf", WIDE)
    whisper_ggml.make(folder / "whisper.bin")
    return folder


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def engine_of(backend: str, model: Path, **given: Any) -> Llama:
    values = {"context": 256, "slots": 1, "threads": 1, "temperature": 0, **given}
    return Llama(
        LlamaOptions.model_validate({"model": model, "backend": backend, "device": "cpu", **values})
    )


Damage = Callable[[bytes], bytes]


def cut(share: float) -> Damage:
    return lambda content: content[: int(share * len(content))]


def counted(place: int, number: int) -> Damage:
    """Another number of tensors (8) or of keys (16)."""
    return lambda content: content[:place] + struct.pack("<Q", number) + content[place + 8 :]


def without(key: str) -> Damage:
    """As if it had never been written: nobody asks for the name that it has now."""
    return lambda content: content.replace(key.encode(), b"x" * len(key), 1)


def shaped(number: int) -> Damage:
    """A tensor with another first dimension."""
    name = b"blk.0.attn_q.weight"

    def damage(content: bytes) -> bytes:
        place = content.index(name) + len(name) + 4
        return content[:place] + struct.pack("<Q", number) + content[place + 8 :]

    return damage


MODELS: dict[str, Damage] = {
    "empty": cut(0),
    "cut in the header": cut(0.002),
    "cut in the vocabulary": cut(0.01),
    "cut in the weights": cut(0.5),
    "cut at the end": cut(0.9999),
    "garbage": lambda content: bytes(range(256)) * 40,
    "pickle": lambda content: b"\x80\x04" + content,
    "2^60 tensors": counted(8, 2**60),
    "2^60 keys": counted(16, 2**60),
    "one tensor too many": counted(8, 22),
    "a tensor of 2^60": shaped(2**60),
    "a tensor of none": shaped(0),
    "another shape": shaped(128),
    "no architecture": without("general.architecture"),
    "no tokenizer": without("tokenizer.ggml.model"),
    "no tokens": without("tokenizer.ggml.tokens"),
    "a template that is none": lambda content: content.replace(b"{% for m in", b"{% fro m in"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_file_that_is_no_whole_model_is_refused(
    models: Path, backend: str, tmp_path: Path, name: str
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(MODELS[name]((models / "tiny.gguf").read_bytes()))
    with pytest.raises(EngineUnavailable, match=r"broken\.gguf") as refused:
        engine_of(backend, broken)
    assert refused.value.action


def test_files_of_other_kinds_are_refused(models: Path, backend: str, tmp_path: Path) -> None:
    pickled = tmp_path / "model.bin"
    pickled.write_bytes(pickle.dumps(Touching(tmp_path / "touched")))
    others = (models / "whisper.bin", models / "lora.gguf", pickled, models, tmp_path / "none.gguf")
    for other in others:
        with pytest.raises(EngineUnavailable, match=other.name) as refused:
            engine_of(backend, other)
        assert refused.value.action
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("name", ["other.gguf", "tiny.gguf", "whisper.bin", "none.gguf"])
def test_what_is_no_adapter_for_this_model_is_refused(
    models: Path, backend: str, name: str
) -> None:
    with pytest.raises(EngineUnavailable) as refused:
        engine_of(backend, models / "tiny.gguf", adapters={"b": models / name})
    assert "adapter" in str(refused.value) or name in str(refused.value)
    assert refused.value.action


def test_no_number_in_a_header_ends_the_process(models: Path, backend: str, tmp_path: Path) -> None:
    """Whatever stands there, the file is loaded or refused. A search over 800 other places and
    numbers, done once, found none that ends it either."""
    content = (models / "tiny.gguf").read_bytes()
    header = gguf.GGUFReader(models / "tiny.gguf").data_offset
    broken = tmp_path / "broken.gguf"
    random = np.random.default_rng(0)
    outcomes = set()
    for place in random.integers(8, header, 40).tolist():
        number = ANY_NUMBER[int(random.integers(len(ANY_NUMBER)))]
        broken.write_bytes(content[:place] + struct.pack("<Q", number) + content[place + 8 :])
        try:
            engine_of(backend, broken).close()
            outcomes.add("loaded")
        except EngineUnavailable:
            outcomes.add("refused")
    assert outcomes == {"loaded", "refused"}


@pytest.mark.parametrize("adapter", [None, "b"])
def test_weights_that_are_no_numbers_are_named(
    models: Path, backend: str, tmp_path: Path, adapter: str | None
) -> None:
    if backend == "llama-cpp-python":
        pytest.skip("does not tell what it computed")
    for name in ("tiny.gguf", "lora.gguf"):
        (tmp_path / name).write_bytes((models / name).read_bytes())
    spoilt = tmp_path / ("lora.gguf" if adapter else "tiny.gguf")
    for tensor in (tensors := gguf.GGUFReader(spoilt, "r+").tensors):
        if adapter or tensor.name == "output.weight":
            tensor.data[:] = np.nan
    del tensors
    adapters = {"b": tmp_path / "lora.gguf"}
    with pytest.raises(EngineUnavailable, match="no numbers") as refused:
        engine_of(backend, tmp_path / "tiny.gguf", adapters=adapters)
    assert ("adapter `b`" in str(refused.value)) is (adapter is not None)
    assert refused.value.action


def test_what_was_refused_leaves_nothing_behind(models: Path, backend: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(MODELS["cut in the weights"]((models / "tiny.gguf").read_bytes()))
    process = psutil.Process()
    held: list[tuple[int, int]] = []
    for _ in range(4):
        for model, adapters in (
            (broken, {}),
            (models / "whisper.bin", {}),
            (models / "tiny.gguf", {"b": models / "other.gguf"}),
        ):
            with pytest.raises(EngineUnavailable):
                engine_of(backend, model, adapters=adapters)
        held.append((process.num_fds(), process.num_threads()))
    assert held[-1] == held[1]  # what the library opens once and keeps, it has by then
