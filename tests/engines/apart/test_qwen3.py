"""Qwen3-TTS keeps the contract with tiny models of random weights, where it is installed.

It needs PyTorch, which never enters the server's environment: `make test` skips this file, and
`scripts/test-apart qwen3` runs it.
"""

from __future__ import annotations

import inspect
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="qwen-tts runs in an environment of its own")
pytest.importorskip("qwen_tts", reason="qwen-tts runs in an environment of its own")

from inzwa_rtc.engines.contracts import SpeechRequest  # noqa: E402
from inzwa_rtc.engines.tts.qwen3.engine import Qwen3  # noqa: E402
from inzwa_rtc.errors import EngineError, EngineUnavailable  # noqa: E402
from tests.engines.apart.qwen3_models import make_qwen3  # noqa: E402
from tests.engines.apart.sounds import add_voice  # noqa: E402
from tests.engines.apart.stopping import stops_within_a_clause  # noqa: E402
from tests.engines.contract.tts import Subject, SynthesizerContract, sound, spoken  # noqa: E402


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for kind in ("custom_voice", "voice_design", "base"):
        make_qwen3(folder / kind, kind)
    add_voice(folder / "voices", "tariro")
    return folder


def engine_of(model: Path, **options: Any) -> Qwen3:
    values = {"model": model, "device": "cpu", "threads": 1, "max_tokens": 8, **options}
    return Qwen3(Qwen3.Options.model_validate(values))


class TestCustomVoice(SynthesizerContract):
    @pytest.fixture
    def subject(self, models: Path) -> Subject:
        return Subject(make=lambda **options: engine_of(models / "custom_voice", **options))


async def test_a_designed_voice_needs_a_description_and_follows_it(models: Path) -> None:
    with pytest.raises(EngineUnavailable, match="description"):
        engine_of(models / "voice_design")
    made = []
    for instruct in ("A calm woman", "An old man who whispers"):
        with closing(engine_of(models / "voice_design", instruct=instruct)) as engine:
            made.append((sound(await spoken(engine, SpeechRequest("Hello."))), engine.fingerprint))
    (one, its_print), (other, other_print) = made
    assert one and other
    assert one != other
    assert its_print != other_print


async def test_a_recorded_voice_is_cloned_with_and_without_its_text(
    models: Path, tmp_path: Path
) -> None:
    voices = tmp_path / "voices"
    add_voice(voices, "told")
    add_voice(voices, "untold")
    description = voices / "untold.toml"
    description.write_text(description.read_text().replace("what is said there", ""))
    with closing(engine_of(models / "base", voices=voices)) as engine:
        assert engine.abilities == ("clones voices",)
        assert [voice.id for voice in engine.voices] == ["told", "untold"]
        for voice in engine.voices:
            assert sound(await spoken(engine, SpeechRequest("Hello.", voice=voice.id)))


def test_voices_for_a_model_that_does_not_clone_are_refused(models: Path) -> None:
    with pytest.raises(EngineUnavailable, match="does not clone"):
        engine_of(models / "custom_voice", voices=models / "voices")
    with pytest.raises(EngineUnavailable, match="no voice of its own"):
        engine_of(models / "base")


async def test_shona_is_not_among_its_languages(models: Path) -> None:
    with closing(engine_of(models / "custom_voice")) as engine:
        with pytest.raises(EngineError) as refused:
            await spoken(engine, SpeechRequest("Mhoro.", language="sn"))
    assert refused.value.code == "unknown_language"


async def test_speech_that_nobody_waits_for_ends_between_two_layers(models: Path) -> None:
    with closing(engine_of(models / "custom_voice", max_tokens=2000)) as engine:
        await stops_within_a_clause(engine, engine._model._model.model.talker.model.layers)


@pytest.mark.parametrize(
    "lacking", ["config.json", "speech_tokenizer/config.json", "tokenizer_config.json"]
)
def test_a_file_that_is_lacking_is_named(models: Path, tmp_path: Path, lacking: str) -> None:
    model = make_qwen3(tmp_path / "model")
    (model / lacking).unlink()
    with pytest.raises(EngineUnavailable) as refused:
        engine_of(model)
    assert lacking in refused.value.message
    assert refused.value.action


@pytest.mark.parametrize("damage", ["cut", "garbage", "pickle"])
def test_weights_that_are_broken_or_pickled_are_refused(tmp_path: Path, damage: str) -> None:
    model = make_qwen3(tmp_path / "model")
    weights = model / "model.safetensors"
    data = weights.read_bytes()
    match damage:
        case "cut":
            weights.write_bytes(data[: len(data) // 2])
        case "garbage":
            weights.write_bytes(bytes(range(256)) * 40)
        case "pickle":
            weights.unlink()
            torch.save({"x": torch.zeros(1)}, model / "pytorch_model.bin")
    with pytest.raises(EngineUnavailable) as refused:
        engine_of(model)
    assert str(model) in refused.value.message


def test_the_library_has_the_parameters_that_are_given() -> None:
    from qwen_tts import Qwen3TTSModel

    for name, wanted in {
        "generate_custom_voice": {"text", "speaker", "language", "instruct"},
        "generate_voice_design": {"text", "instruct", "language"},
        "generate_voice_clone": {"text", "language", "voice_clone_prompt"},
        "create_voice_clone_prompt": {"ref_audio", "ref_text", "x_vector_only_mode"},
        "_merge_generate_kwargs": {"temperature", "max_new_tokens"},
    }.items():
        assert wanted <= set(inspect.signature(getattr(Qwen3TTSModel, name)).parameters)
