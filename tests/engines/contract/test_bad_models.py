"""Files that are no models, or no whole ones: a reason, a remedy, and the process lives."""

from __future__ import annotations

import json
import pickle
import shutil
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inzwa_rtc.engines.asr.whisper.cpp import WhisperCpp
from inzwa_rtc.engines.asr.whisper.faster import FasterWhisper
from inzwa_rtc.engines.contracts import RecognizeRequest
from inzwa_rtc.errors import EngineUnavailable
from models.tiny import whisper_ct2, whisper_ggml
from tests.engines.contract.asr import check, heard, noise
from tests.support.pickled import Touching

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    whisper_ct2.make(folder / "ct2")
    whisper_ggml.make(folder / "ggml.bin")
    return folder


def cut(name: str, share: float) -> Damage:
    def damage(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(share * len(data))])

    return damage


def written(name: str, data: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(data)


def without(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def pickled(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(pickle.dumps(Touching(folder.parent / "touched")))

    return damage


def configured(**values: object) -> Damage:
    def damage(folder: Path) -> None:
        file = folder / "config.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}))

    return damage


def spelt(change: Callable[[list[str]], list[str]]) -> Damage:
    def damage(folder: Path) -> None:
        file = folder / "vocabulary.json"
        file.write_text(json.dumps(change(json.loads(file.read_text()))))

    return damage


CT2_DAMAGES: dict[str, tuple[Damage, str]] = {
    "no folder": (shutil.rmtree, "incomplete: model.bin"),
    "no tokenizer": (without("tokenizer.json"), "tokenizer.json missing"),
    "no vocabulary": (without("vocabulary.json"), "vocabulary.json missing"),
    "no config": (without("config.json"), "config.json missing"),
    "empty": (cut("model.bin", 0), "damaged"),
    "cut early": (cut("model.bin", 0.01), "damaged|payload|incomplete"),
    "cut in the middle": (cut("model.bin", 0.5), "damaged|payload|incomplete"),
    "cut at the end": (cut("model.bin", 0.9999), "damaged|payload|incomplete"),
    "garbage": (written("model.bin", bytes(range(256)) * 40), "damaged"),
    "pickle": (pickled("model.bin"), "damaged"),
    "another library's": (written("model.bin", b"GGUF" + bytes(400)), "damaged"),
    "config garbage": (written("config.json", b"{]"), "damaged"),
    "config no object": (written("config.json", b"[1]"), "no object"),
    "config deep": (written("config.json", b"[" * 100_000), "damaged"),
    "heads": (configured(alignment_heads=[[99, 99]]), "attention heads"),
    "negative heads": (configured(alignment_heads=[[-1, 0]]), "attention heads"),
    "languages": (configured(lang_ids=[10**8]), "lang_ids"),
    "no numbers": (configured(suppress_ids="all"), "suppress_ids"),
    "tokenizer garbage": (written("tokenizer.json", b"garbage"), "tokenizer.json is damaged"),
    "tokenizer none": (written("tokenizer.json", b"{}"), "tokenizer.json is damaged"),
    "another vocabulary": (spelt(lambda words: words[1:]), "of another model"),
    "short vocabulary": (spelt(lambda words: words[:10]), "of another model"),
    "vocabulary garbage": (written("vocabulary.json", b"{]"), "vocabulary.json is damaged"),
}


@pytest.mark.parametrize("name", CT2_DAMAGES)
def test_faster_whisper_refuses_a_folder_that_is_no_whole_model(
    whole: Path, tmp_path: Path, name: str
) -> None:
    damage, reason = CT2_DAMAGES[name]
    folder = shutil.copytree(whole / "ct2", tmp_path / "model")
    damage(folder)
    with pytest.raises(EngineUnavailable, match=reason) as refused:
        FasterWhisper(FasterWhisper.Options(model=folder, device="cpu"))
    assert str(folder) in refused.value.message
    assert refused.value.action
    assert not (tmp_path / "touched").exists()


def overwritten(place: int, number: int) -> Damage:
    """Another number in the place of one of the header's."""

    def damage(folder: Path) -> None:
        data = bytearray((folder / "model.bin").read_bytes())
        struct.pack_into("<i", data, 4 * place, number)
        (folder / "model.bin").write_bytes(data)

    return damage


def longer(folder: Path) -> None:
    with (folder / "model.bin").open("ab") as file:
        file.write(bytes(12))


def replaced(old: bytes, new: bytes) -> Damage:
    def damage(folder: Path) -> None:
        data = (folder / "model.bin").read_bytes()
        assert old in data
        (folder / "model.bin").write_bytes(data.replace(old, new, 1))

    return damage


_PLACES = ("tokens", "frames", "width", "heads", "layers", "context", "text width", "text heads")
_SIZES = {
    f"{number} {name}": (overwritten(place, number), "measures|cut off|tensor|wrong")
    for place, name in enumerate(_PLACES, start=1)
    for number in (0, -1, 7, 2**31 - 1)
}
GGML_DAMAGES: dict[str, tuple[Damage, str]] = {
    **_SIZES,
    "no file": (without("model.bin"), "There is no Whisper model"),
    "empty": (cut("model.bin", 0), "cut off"),
    "cut early": (cut("model.bin", 0.01), "cut off"),
    "cut in the middle": (cut("model.bin", 0.5), "cut off"),
    "cut at the end": (cut("model.bin", 0.9999), "cut off"),
    "garbage": (written("model.bin", bytes(range(256)) * 40), "no ggml file"),
    "pickle": (pickled("model.bin"), "no ggml file"),
    "GGUF": (written("model.bin", b"GGUF" + bytes(400)), "GGUF"),
    "float32": (lambda folder: whisper_ggml.make(folder / "model.bin", like="f32"), "32 bits"),
    "unknown weights": (overwritten(11, 999), "unknown type"),
    "other weights than it has": (overwritten(11, 7), "wrong size"),
    "a tensor of 2^60": (
        replaced(struct.pack("<ii", 32, 1500), struct.pack("<ii", 2**30, 2**30)),
        "cut off",
    ),
    "an unknown tensor": (replaced(b"encoder.pos", b"encoder.pas"), "unknown tensor"),
    "more than there should be": (longer, "more tensors"),
}


@pytest.mark.parametrize("name", GGML_DAMAGES)
def test_whisper_cpp_refuses_a_file_that_is_no_whole_model(
    whole: Path, tmp_path: Path, name: str
) -> None:
    damage, reason = GGML_DAMAGES[name]
    folder = tmp_path / "model"
    folder.mkdir()
    file = shutil.copyfile(whole / "ggml.bin", folder / "model.bin")
    damage(folder)
    with pytest.raises(EngineUnavailable, match=reason) as refused:
        WhisperCpp(WhisperCpp.Options(model=file, device="cpu"))
    assert str(file) in refused.value.message
    assert refused.value.action
    assert not (tmp_path / "touched").exists()


def test_whisper_cpp_misses_a_gpu_by_name_where_the_library_has_none_built_in(whole: Path) -> None:
    with pytest.raises(EngineUnavailable, match="no GPU `cuda` that this build") as missed:
        WhisperCpp(WhisperCpp.Options(model=whole / "ggml.bin", device="cuda"))
    assert "GGML_CUDA=1" in missed.value.action


@pytest.mark.parametrize(
    ("engine", "file", "tensor", "number"),
    [  # in the one format its shape, type and size come after its name, in the other before
        (FasterWhisper, "ct2/model.bin", b"decoder/layer_0/ffn/linear_0/weight\0", "<f4"),
        (WhisperCpp, "ggml.bin", b"decoder.blocks.0.mlp.0.weight", "<f2"),
    ],
)
async def test_a_model_with_weights_that_are_no_numbers_hears_nothing(
    whole: Path, tmp_path: Path, engine: Any, file: str, tensor: bytes, number: str
) -> None:
    folder = shutil.copytree(whole, tmp_path / "models")
    data = (folder / file).read_bytes()
    start = data.index(tensor) + len(tensor) + (14 if engine is FasterWhisper else 0)
    wrong = np.full(1000, np.nan, number).tobytes()
    (folder / file).write_bytes(data[:start] + wrong + data[start + len(wrong) :])
    model = (folder / file).parent if engine is FasterWhisper else folder / file
    with closing(engine(engine.Options(model=model, device="cpu"))) as built:
        chunks = await heard(built, noise(1), RecognizeRequest(None))
    check(chunks, audio_ms=1000)
    assert (chunks[-1].text, chunks[-1].confidence) == ("", 0.0)
