"""Voices that are none, or no whole ones: a reason, a remedy, and nothing outside is touched."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest

from inzwa_rtc.engines import registry
from inzwa_rtc.engines.tts.vits.engine import Vits
from inzwa_rtc.engines.tts.vits.piper import Piper
from inzwa_rtc.errors import ConfigError, EngineUnavailable
from models.tiny import vits_voices
from models.tiny.vits_onnx import Kind, make
from tests.support.pickled import Touching

Damage = Callable[[Path], object]


def cut(share: float) -> Damage:
    def damage(model: Path) -> None:
        data = model.read_bytes()
        model.write_bytes(data[: int(share * len(data))])

    return damage


def told(name: str, **values: object) -> Damage:
    """Other values in the JSON file that is named so; None takes a member out."""

    def damage(model: Path) -> None:
        file = model.with_name(name)
        members = {**json.loads(file.read_text()), **values}
        file.write_text(json.dumps({k: v for k, v in members.items() if v is not None}))

    return damage


def written(name: str, data: bytes) -> Damage:
    return lambda model: model.with_name(name).write_bytes(data)


def without(name: str) -> Damage:
    return lambda model: model.with_name(name).unlink()


def pickled(model: Path) -> None:
    model.write_bytes(pickle.dumps(Touching(model.parent / "touched")))


def another(kind: Kind) -> Damage:
    return lambda model: make(model, kind)


def outside(location: str) -> Damage:
    """Weights said to be in a file which, where it is there, has them."""

    def damage(model: Path) -> None:
        graph = onnx.load(model)
        tensor = max(graph.graph.initializer, key=lambda one: len(one.raw_data))
        (model.parent.parent / "secret.bin").write_bytes(tensor.raw_data)
        link = model.with_name("link.bin")
        link.symlink_to(model.parent.parent / "secret.bin")
        model.with_name("folder").symlink_to(model.parent.parent, target_is_directory=True)
        model.with_name("short.bin").write_bytes(b"1234")
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", location.format(folder=model.parent.parent)
        model.write_bytes(graph.SerializeToString())

    return damage


def outside_of_a_function(model: Path) -> None:
    """The same, of a constant within a function."""
    graph = onnx.load(model)
    constant = onnx.helper.make_node("Constant", [], ["one"], value=onnx.TensorProto(dims=[1]))
    tensor = constant.attribute[0].t
    tensor.data_type = onnx.TensorProto.FLOAT
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret.bin")
    graph.functions.append(
        onnx.helper.make_function(
            "own", "One", [], ["one"], [constant], [onnx.helper.make_opsetid("", 17)]
        )
    )
    model.write_bytes(graph.SerializeToString())


def no_numbers(model: Path) -> None:
    graph = onnx.load(model)
    for tensor in graph.graph.initializer:
        if tensor.name.endswith("conv_post.weight"):
            tensor.raw_data = np.full(len(tensor.raw_data) // 4, np.nan, "<f4").tobytes()
    onnx.save(graph, model)


def unlinked(model: Path) -> None:
    """A node that wants what nothing makes."""
    graph = onnx.load(model)
    graph.graph.node[0].input[0] = "nothing"
    model.write_bytes(graph.SerializeToString())


def foreign(model: Path) -> None:
    """Another kind of model altogether."""
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["audio"], ["probability"])],
        "vad",
        [onnx.helper.make_tensor_value_info("audio", onnx.TensorProto.FLOAT, [1, 512])],
        [onnx.helper.make_tensor_value_info("probability", onnx.TensorProto.FLOAT, [1, 512])],
    )
    onnx.save(onnx.helper.make_model(graph), model)


FILES: dict[str, tuple[Damage, str]] = {
    "no file": (Path.unlink, "no ONNX"),
    "empty": (cut(0), "no ONNX file, or empty"),
    "cut early": (cut(0.01), "cannot be used"),
    "cut in the middle": (cut(0.5), "cannot be used"),
    "cut at the end": (cut(0.999), "cannot be used"),
    "garbage": (written("voice.onnx", bytes(range(256)) * 40), "no ONNX file"),
    "pickle": (pickled, "no ONNX file"),
    "another kind of model": (foreign, "no VITS voice"),
    "an edge to nothing": (unlinked, "ONNX Runtime refuses it"),
    "weights that are no numbers": (no_numbers, "no numbers"),
    "weights above": (outside("../secret.bin"), "outside its folder"),
    "weights above, hidden": (outside("x/../../secret.bin"), "outside its folder"),
    "weights at a full path": (outside("{folder}/secret.bin"), "outside its folder"),
    "weights of a function above": (outside_of_a_function, "outside its folder"),
    "weights nowhere": (outside(""), "outside its folder"),
    "weights behind a link": (outside("link.bin"), "is a link"),
    "weights in a linked folder": (outside("folder/secret.bin"), "is a link"),
    "weights in a folder": (outside("."), "outside its folder"),
    "weights missing": (outside("gone.bin"), "missing"),
    "weights cut off": (outside("short.bin"), "ONNX Runtime refuses it"),
}
JSON = "voice.onnx.json"
PIPER: dict[str, tuple[Damage, str]] = {
    "no JSON": (without(JSON), "has no voice.onnx.json beside it"),
    "JSON garbage": (written(JSON, b"{]"), "no JSON"),
    "JSON binary": (written(JSON, b"\xff\xfe\x00"), "no JSON"),
    "JSON a list": (written(JSON, b"[1]"), "does not describe a voice"),
    "JSON deep": (written(JSON, b"[" * 100_000), "does not describe a voice"),
    "no audio": (told(JSON, audio=None), "`audio`"),
    "no rate": (told(JSON, audio={}), "`audio.sample_rate`"),
    "a rate of 0": (told(JSON, audio={"sample_rate": 0}), "`audio.sample_rate`"),
    "a rate of 1 MHz": (told(JSON, audio={"sample_rate": 10**6}), "`audio.sample_rate`"),
    "no map": (told(JSON, phoneme_id_map=None), "`phoneme_id_map`"),
    "an empty map": (told(JSON, phoneme_id_map={}), "`phoneme_id_map` has no `\\^`"),
    "negative ids": (told(JSON, phoneme_id_map={"a": [-1]}), "`phoneme_id_map.a.0`"),
    "ids beyond the number": (told(JSON, num_symbols=9), "`num_symbols` is 9"),
    "ids beyond the table": (another(Kind(symbols=20)), "are of another voice"),
    "no eSpeak voice": (told(JSON, espeak=None), "`espeak.voice` is missing"),
    "an unknown eSpeak voice": (told(JSON, espeak={"voice": "tlh-x"}), "no language `tlh-x`"),
    "a path as eSpeak voice": (told(JSON, espeak={"voice": "../../x"}), "`espeak.voice`"),
    "other phonemes": (told(JSON, phoneme_type="pinyin"), "`phoneme_type`"),
    "more speakers": (told(JSON, num_speakers=3, speaker_id_map={"a": 0, "b": 2}), "speakers"),
    "speakers beyond": (told(JSON, num_speakers=2, speaker_id_map={"a": 9}), "speaker_id_map"),
    "another hop": (told(JSON, hop_length=256), "frames of 256 samples"),
    "no length": (told(JSON, inference={"length_scale": 0}), "`inference.length_scale`"),
}
MMS: dict[str, tuple[Damage, str]] = {
    "no config": (without("config.json"), "no config.json beside it"),
    "no vocabulary": (without("vocab.json"), "vocab.json"),
    "no tokenizer": (without("tokenizer_config.json"), "tokenizer_config.json"),
    "of another maker": (written("config.json", b'{"model": "tacotron2"}'), "neither that of"),
    "another vocabulary": (told("config.json", vocab_size=9), "other numbers than the 9"),
    "another table": (another(Kind(symbols=20, naming="decoder")), "are of another voice"),
    "no rate": (told("config.json", sampling_rate=None), "`sampling_rate`"),
    "Roman letters": (told("tokenizer_config.json", is_uroman=True), "uroman"),
    "several models": (lambda model: make(model.with_name("b.onnx")), "several ONNX files"),
}
COQUI: dict[str, tuple[Damage, str]] = {
    "no characters": (told("config.json", characters={}), "`characters` "),
    "no audio": (told("config.json", audio=None), "`audio`"),
    "another hop": (told("config.json", audio={"sample_rate": 16000, "hop_length": 9}), "of 9"),
    "no phoneme language": (told("config.json", use_phonemes=True), "`phoneme_language`"),
    "another phonemizer": (
        told("config.json", use_phonemes=True, phonemizer="gruut"),
        "phonemizer `gruut`",
    ),
    "speakers that it has not": (written("speakers.json", b'{"a": 5}'), "more speakers"),
    "languages that it has not": (written("language_ids.json", b'{"en": 5}'), "more languages"),
}


def refused(engine: Any, model: Path, damage: Damage, reason: str) -> None:
    damage(model)
    given = model if engine is Piper else model.parent
    with pytest.raises(EngineUnavailable, match=reason) as caught:
        engine(engine.Options(model=given, device="cpu"))
    assert str(model.parent) in caught.value.message or "language" in caught.value.message
    assert caught.value.action
    assert not (model.parent / "touched").exists()


@pytest.mark.parametrize("name", [*FILES, *PIPER])
def test_piper_refuses_what_is_no_whole_voice(tmp_path: Path, name: str) -> None:
    refused(Piper, vits_voices.piper(tmp_path / "voice"), *{**FILES, **PIPER}[name])


@pytest.mark.parametrize("name", MMS)
def test_vits_refuses_what_is_no_whole_voice_of_mms(tmp_path: Path, name: str) -> None:
    refused(Vits, vits_voices.mms(tmp_path / "voice") / "model.onnx", *MMS[name])


@pytest.mark.parametrize("name", COQUI)
def test_vits_refuses_what_is_no_whole_voice_of_coquis(tmp_path: Path, name: str) -> None:
    refused(Vits, vits_voices.coqui(tmp_path / "voice") / "model.onnx", *COQUI[name])


def test_vits_tells_of_a_model_that_is_not_exported_yet(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(EngineUnavailable, match="not exported") as caught:
        Vits(Vits.Options(model=tmp_path))
    assert "export" in caught.value.action


def test_vits_tells_a_piper_voice(tmp_path: Path) -> None:
    voice = vits_voices.piper(tmp_path)
    with pytest.raises(EngineUnavailable, match="is a Piper voice") as caught:
        Vits(Vits.Options(model=voice))
    assert "tts_engine: piper" in caught.value.action


def test_an_unknown_speaker_and_a_gpu_that_is_not_there_are_named(tmp_path: Path) -> None:
    voice = vits_voices.piper(tmp_path, Kind(speakers=2))
    with pytest.raises(ConfigError, match="no speaker `me`") as wrong:
        Piper(Piper.Options(model=voice, speaker="me"))
    assert "p0, p1" in wrong.value.action
    with pytest.raises(EngineUnavailable, match="no GPU `cuda`") as missed:
        Piper(Piper.Options(model=voice, device="cuda"))
    assert "onnxruntime-gpu" in missed.value.action


def test_weights_in_a_file_of_the_models_folder_are_taken(tmp_path: Path) -> None:
    voice = vits_voices.piper(tmp_path)
    whole = Piper(Piper.Options(model=voice))
    onnx.save(
        onnx.load(voice),
        voice,
        save_as_external_data=True,
        location="voice.data",
        size_threshold=0,
    )
    apart = Piper(Piper.Options(model=voice))
    before = apart.fingerprint
    with voice.with_name("voice.data").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\1\2\3\4")
    assert len({whole.fingerprint, before, Piper(Piper.Options(model=voice)).fingerprint}) == 3


def test_voices_that_were_refused_leave_nothing_behind(tmp_path: Path) -> None:
    voice = vits_voices.piper(tmp_path)
    no_numbers(voice)  # found out last
    process, held = psutil.Process(), []
    spec = registry.EngineSpec("tts", "piper", "inzwa_rtc.engines.tts.vits.piper:Piper")
    for _ in range(5):
        with pytest.raises(EngineUnavailable):
            registry.load(spec, {"model": str(voice), "device": "cpu", "threads": 2})
        held.append((process.num_fds(), process.num_threads()))
    assert held[-1] == held[1]
