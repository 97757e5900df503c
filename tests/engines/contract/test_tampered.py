"""A model of the catalogue in which one byte was changed is refused before anything parses it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import psutil
import pytest

from inzwa_rtc.catalogue.errors import Tampered
from inzwa_rtc.catalogue.store import Store
from inzwa_rtc.engines import registry
from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.errors import EngineUnavailable
from models.tiny import gguf_llama, kokoro_onnx, vits_voices, whisper_ct2, whisper_ggml
from tests.catalogue.models import entry, fetch

Model = tuple[EngineKind, str, Callable[[Path], Path], str]
MODELS: tuple[Model, ...] = (
    ("asr", "faster-whisper", lambda folder: whisper_ct2.make(folder / "ct2"), "model.bin"),
    ("asr", "whisper.cpp", lambda folder: whisper_ggml.make(folder / "ggml.bin"), "ggml.bin"),
    ("llm", "llama-cpp", lambda folder: gguf_llama.make(folder / "tiny.gguf"), "tiny.gguf"),
    ("tts", "vits", lambda folder: vits_voices.mms(folder / "mms"), "model.onnx"),
    ("tts", "kokoro", lambda folder: kokoro_onnx.make(folder / "kokoro"), "voices.bin"),
    ("tts", "piper", lambda folder: vits_voices.piper(folder / "piper").parent, "voice.onnx"),
)


@pytest.mark.parametrize(("kind", "name", "make", "file"), MODELS, ids=[one[1] for one in MODELS])
def test_a_changed_byte_is_noticed_before_anything_parses_the_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: EngineKind,
    name: str,
    make: Callable[[Path], Path],
    file: str,
) -> None:
    store = Store(tmp_path / "models")
    fetch(entry("tiny", make(tmp_path).as_uri()), store)
    found = registry.find(kind, name)
    spec = registry.EngineSpec(kind, name, found.import_path, models_dir=str(store.folder))
    registry.load(spec, {"model": "tiny", "device": "cpu"}).close()

    module, _, name_of_class = found.import_path.partition(":")
    parsed: list[object] = []
    monkeypatch.setattr(
        getattr(import_module(module), name_of_class), "__init__", lambda *given: parsed.append(1)
    )
    flip_a_byte(store.folder / "tiny" / file)
    for _ in range(2):  # it stays refused
        with pytest.raises(Tampered, match=f"{file} was changed since it was pulled") as refused:
            registry.load(spec, {"model": "tiny", "device": "cpu"})
        assert "models pull tiny" in refused.value.action
    assert parsed == []


@pytest.mark.parametrize("name", ["faster-whisper", "whisper.cpp"])
def test_models_that_were_refused_leave_nothing_behind(tmp_path: Path, name: str) -> None:
    model = whisper_ct2.make(tmp_path / "ct2")
    if name == "whisper.cpp":
        model = whisper_ggml.make(tmp_path / "model.bin")
    weights = model / "model.bin" if model.is_dir() else model
    weights.write_bytes(weights.read_bytes()[:-1000])
    process = psutil.Process()
    held: list[tuple[int, int]] = []
    for _ in range(5):
        with pytest.raises(EngineUnavailable):
            registry.load(registry.find("asr", name), {"model": str(model), "device": "cpu"})
        held.append((process.num_fds(), process.num_threads()))
    assert held[-1] == held[1]  # what the library opens once and keeps, it has by then


def flip_a_byte(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-100, 2)
        byte = file.read(1)[0]
        file.seek(-100, 2)
        file.write(bytes([byte ^ 1]))
