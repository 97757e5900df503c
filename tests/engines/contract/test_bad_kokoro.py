"""Files that are no Kokoro, or no voices of it: a reason, a remedy, and nothing outside touched."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest
from onnx import numpy_helper

from inzwa_rtc.engines.tts.kokoro.engine import Kokoro
from inzwa_rtc.errors import EngineUnavailable
from models.tiny import kokoro_onnx
from tests.support.pickled import Touching

Damage = Callable[[Path], object]


def cut(name: str, share: float) -> Damage:
    def damage(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(share * len(data))])

    return damage


def written(name: str, data: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(data)


def pickled(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(pickle.dumps(Touching(folder / "touched")))

    return damage


def changed(change: Callable[[Any], object]) -> Damage:
    """Another graph in the model."""

    def damage(folder: Path) -> None:
        model = onnx.load(folder / "kokoro.onnx")
        change(model)
        onnx.save(model, folder / "kokoro.onnx")

    return damage


def outside(location: str) -> Damage:
    """Weights that are said to lie elsewhere."""

    def change(model: Any) -> None:
        weights = model.graph.initializer[0]
        weights.ClearField("raw_data")
        weights.data_location = onnx.TensorProto.EXTERNAL
        weights.external_data.add(key="location", value=location)

    return changed(change)


def no_numbers(model: Any) -> None:
    (sounds,) = [one for one in model.graph.initializer if one.name == "sounds"]
    wrong = np.full(tuple(sounds.dims), np.nan, np.float32)
    sounds.CopyFrom(numpy_helper.from_array(wrong, "sounds"))


def with_symbols(text: str) -> Damage:
    return changed(lambda model: model.metadata_props.add(key="kokoro_config", value=text))


def arrays(**styles: Any) -> Damage:
    def damage(folder: Path) -> None:
        with (folder / "voices.bin").open("wb") as file:
            np.savez(file, **styles)

    return damage


def array(folder: Path) -> None:
    with (folder / "voices.bin").open("wb") as file:
        np.save(file, np.zeros((510, 1, 256), np.float32))


def huge(folder: Path) -> None:
    """A few kilobytes that would be gigabytes."""
    with zipfile.ZipFile(folder / "voices.bin", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("af_bella.npy", bytes(50_000_000))


def many(folder: Path) -> None:
    with zipfile.ZipFile(folder / "voices.bin", "w") as archive:
        for number in range(1001):
            archive.writestr(f"af_{number}.npy", b"")


def style(*shape: int, value: Any = 0.5, kind: str = "f4") -> Any:
    return np.full(shape, value, kind)


DAMAGES: dict[str, tuple[Damage, str]] = {
    "empty": (cut("kokoro.onnx", 0), "no ONNX file"),
    "cut early": (cut("kokoro.onnx", 0.01), "no ONNX file|cut off|refuses"),
    "cut in the middle": (cut("kokoro.onnx", 0.5), "no ONNX file|cut off|refuses"),
    "garbage": (written("kokoro.onnx", b"GGUF" + bytes(4000)), "no ONNX file"),
    "pickle": (pickled("kokoro.onnx"), "no ONNX file"),
    "weights above": (outside("../weights.bin"), "outside its folder"),
    "weights of the system": (outside("/etc/passwd"), "outside its folder"),
    "weights missing": (outside("weights.bin"), "missing"),
    "no style": (changed(lambda model: model.graph.input.pop(1)), "refuses|no Kokoro"),
    "no numbers": (changed(no_numbers), "no sound"),
    "symbols garbage": (with_symbols("{]"), "symbols that it carries"),
    "symbols deep": (with_symbols("[" * 100_000), "symbols that it carries"),
    "symbols none": (with_symbols('{"vocab": {}}'), "symbols that it carries"),
    "symbols of several letters": (with_symbols('{"vocab": {"ab": 1}}'), "symbols that it"),
    "symbols beyond the model": (with_symbols('{"vocab": {"a": 5000}}'), "another model's"),
    "voices empty": (cut("voices.bin", 0), "no archive of arrays"),
    "voices cut": (cut("voices.bin", 0.5), "no archive of arrays"),
    "voices garbage": (written("voices.bin", bytes(range(256)) * 40), "no archive of arrays"),
    "voices pickle": (pickled("voices.bin"), "no archive of arrays"),
    "voices with a pickle in them": (
        arrays(af_bella=np.array([Touching(Path("touched"))], dtype=object)),
        "no archive of arrays",
    ),
    "one array": (array, "no archive of arrays"),
    "no voices": (arrays(), "no voice in it|no archive"),
    "voices without a middle": (arrays(af_bella=style(510, 256)), "`af_bella` is no voice"),
    "voices of no length": (arrays(af_bella=style(0, 1, 256)), "`af_bella` is no voice"),
    "voices of whole numbers": (arrays(af_bella=style(9, 1, 256, kind="i4")), "is no voice"),
    "voices of text": (arrays(af_bella=np.array(["a"])), "is no voice"),
    "voices of no numbers": (arrays(af_bella=style(9, 1, 256, value=np.nan)), "that are none"),
    "narrow voices": (arrays(af_bella=style(9, 1, 128)), "another model's"),
    "uneven voices": (
        arrays(af_bella=style(9, 1, 256), af_sarah=style(9, 1, 128)),
        "several widths",
    ),
    "huge voices": (huge, "larger than any voice"),
    "many voices": (many, "1001 entries"),
    "voices for nobody": (arrays(jf_alpha=style(9, 1, 256), x=style(9, 1, 256)), "None of the"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_kokoro_refuses_what_is_no_whole_model(tmp_path: Path, name: str) -> None:
    folder = kokoro_onnx.make(tmp_path / "model")
    damage, reason = DAMAGES[name]
    damage(folder)
    with pytest.raises(EngineUnavailable, match=reason) as refused:
        Kokoro(Kokoro.Options(model=folder, device="cpu"))
    assert str(folder) in refused.value.message or "None of the voices" in refused.value.message
    assert refused.value.action
    assert not (folder / "touched").exists()
    assert not Path("touched").exists()


def test_a_gpu_that_is_not_there_and_a_second_model_are_named(
    tmp_path: Path,
) -> None:
    folder = kokoro_onnx.make(tmp_path / "model")
    with pytest.raises(EngineUnavailable, match="no GPU `cuda`") as missed:
        Kokoro(Kokoro.Options(model=folder, device="cuda"))
    assert "onnxruntime-gpu" in missed.value.action
    (folder / "other.onnx").write_bytes(b"")
    with pytest.raises(EngineUnavailable, match=r"kokoro\.onnx, other\.onnx"):
        Kokoro(Kokoro.Options(model=folder, device="cpu"))


def test_what_was_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = kokoro_onnx.make(tmp_path / "model")
    changed(no_numbers)(folder)  # found out last
    process, held = psutil.Process(), []
    for _ in range(5):
        with pytest.raises(EngineUnavailable):
            Kokoro(Kokoro.Options(model=folder, device="cpu", threads=2))
        held.append((process.num_fds(), process.num_threads()))
    assert held[-1] == held[1]
