"""Chatterbox keeps the contract with tiny models of random weights, where it is installed.

It needs an old PyTorch, which never enters the server's environment: `make test` skips this
file, and `scripts/test-apart chatterbox` runs it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="chatterbox-tts runs in an environment of its own")
pytest.importorskip("chatterbox", reason="chatterbox-tts runs in an environment of its own")

from inzwa_rtc.engines.contracts import SpeechRequest  # noqa: E402
from inzwa_rtc.engines.tts.chatterbox.engine import Chatterbox  # noqa: E402
from inzwa_rtc.engines.tts.chatterbox.takes import Judge  # noqa: E402
from inzwa_rtc.errors import EngineError, EngineUnavailable  # noqa: E402
from models.tiny import whisper_ct2  # noqa: E402
from tests.engines.apart.chatterbox_models import (  # noqa: E402
    SPOKEN,
    make_english,
    make_multilingual,
    small,
)
from tests.engines.apart.sounds import add_voice  # noqa: E402
from tests.engines.apart.stopping import stops_within_a_clause  # noqa: E402
from tests.engines.contract.isolation import at_home  # noqa: E402
from tests.engines.contract.tts import Subject, SynthesizerContract, sound, spoken  # noqa: E402


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        small(patch)
        make_english(folder / "english")
        make_multilingual(folder / "multilingual")
        add_voice(folder / "voices", "tariro")
        yield folder


def engine_of(model: Path, **options: Any) -> Chatterbox:
    values = {"model": model, "device": "cpu", "threads": 1, **options}
    return Chatterbox(Chatterbox.Options.model_validate(values))


class TestEnglish(SynthesizerContract):
    @pytest.fixture
    def subject(self, models: Path) -> Subject:
        voices = models / "voices"
        return Subject(
            make=lambda **options: engine_of(models / "english", voices=voices, **options)
        )


HELLO = SpeechRequest("Hello there.")


async def test_recorded_voices_and_its_own_sound_different(models: Path) -> None:
    with closing(engine_of(models / "english", voices=models / "voices")) as engine:
        assert [voice.id for voice in engine.voices] == ["tariro", "chatterbox"]
        made = [
            sound(await spoken(engine, SpeechRequest(HELLO.text, voice=voice.id)))
            for voice in engine.voices
        ]
        assert made[0] != made[1]
        # Nothing of a voice is left behind in another.
        again = await spoken(engine, SpeechRequest(HELLO.text, voice="tariro"))
        assert sound(again) == made[0]


@pytest.mark.parametrize("option", ["seed", "exaggeration", "cfg_weight", "temperature"])
async def test_what_shapes_the_sound_is_another_fingerprint(models: Path, option: str) -> None:
    values = {"seed": 5, "exaggeration": 1.0, "cfg_weight": 0.1, "temperature": 0.1}
    made = []
    for options in ({}, {option: values[option]}):
        with closing(engine_of(models / "english", **options)) as engine:
            assert sound(await spoken(engine, HELLO))
            made.append(engine.fingerprint)
    assert made[0] != made[1]


async def test_the_multilingual_model_speaks_its_languages_and_keeps_no_watchers(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_home(monkeypatch), closing(engine_of(models / "multilingual")) as engine:
        layers = engine._model._model.t3.tfmr.layers
        before = [len(layer.self_attn._forward_hooks) for layer in layers]
        for language in ("fr", "sw"):
            assert sound(await spoken(engine, SpeechRequest("Bonjour.", language=language)))
        assert [len(layer.self_attn._forward_hooks) for layer in layers] == before
        for language in ("sn", "zh"):
            with pytest.raises(EngineError) as refused:
                await spoken(engine, SpeechRequest("Mhoro.", language=language))
            assert refused.value.code == "unknown_language"


async def test_the_english_model_speaks_no_other_language(models: Path) -> None:
    with closing(engine_of(models / "english")) as engine:
        with pytest.raises(EngineError) as refused:
            await spoken(engine, SpeechRequest("Bonjour.", language="fr"))
    assert refused.value.code == "unknown_language"


async def test_a_model_that_falls_silent_at_once_is_asked_again_and_then_given_up(
    models: Path,
) -> None:
    with closing(engine_of(models / "english")) as engine:
        before = sound(await spoken(engine, HELLO))
        head = engine._model._model.t3.speech_head.weight
        with torch.no_grad():
            as_it_was = head.clone()
            head[:SPOKEN, 0] = -10.0  # nothing is left but the end
        with pytest.raises(EngineError, match="no sound"):
            await spoken(engine, HELLO)
        with torch.no_grad():
            head.copy_(as_it_was)
        assert sound(await spoken(engine, HELLO)) == before


async def test_speech_that_nobody_waits_for_ends_between_two_layers(models: Path) -> None:
    with closing(engine_of(models / "english")) as engine:
        await stops_within_a_clause(engine, engine._model._model.t3.tfmr.layers)


async def test_the_take_that_is_understood_best_is_spoken(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = []
    for seed in (7, 8, 9):
        with closing(engine_of(models / "english", seed=seed)) as engine:
            alone.append(sound(await spoken(engine, HELLO)))
    heard: list[str] = []

    def word_error(_judge: Judge, _take: Any, rate: int, text: str, language: str) -> float:
        assert (rate, language) == (24_000, "en")
        heard.append(text)
        return (0.5, 0.1, 0.3)[len(heard) - 1]

    monkeypatch.setattr(Judge, "__init__", lambda _judge, _options: None)
    monkeypatch.setattr(Judge, "close", lambda _judge: None)
    monkeypatch.setattr(Judge, "word_error", word_error)
    check = {"engine": "faster-whisper", "model": "x"}
    options: dict[str, Any] = {"seed": 7, "candidates": 3, "check": check}
    with closing(engine_of(models / "english", **options)) as engine:
        assert sound(await spoken(engine, HELLO)) == alone[1]
    assert heard == [HELLO.text] * 3


async def test_a_real_recogniser_listens_in_the_same_process(models: Path, tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    whisper_ct2.make(tmp_path / "whisper")
    check = {"engine": "faster-whisper", "model": str(tmp_path / "whisper"), "device": "cpu"}
    options: dict[str, Any] = {"candidates": 2, "check": check}
    with closing(engine_of(models / "english", **options)) as engine:
        assert sound(await spoken(engine, HELLO))


async def test_for_a_single_take_no_recogniser_is_loaded(models: Path) -> None:
    check = {"engine": "nothing of the kind"}
    with closing(engine_of(models / "english", check=check)) as engine:
        assert sound(await spoken(engine, HELLO))


async def test_what_it_says_goes_through_the_watermark(models: Path) -> None:
    with closing(engine_of(models / "english")) as engine:
        marked = sound(await spoken(engine, HELLO))
        model: Any = engine._model._model
        model.watermarker.apply_watermark = lambda wav, sample_rate: wav
        assert sound(await spoken(engine, HELLO)) != marked


@pytest.mark.parametrize("lacking", ["t3_cfg.safetensors", "ve.safetensors", "tokenizer.json"])
def test_a_file_that_is_lacking_is_named(models: Path, tmp_path: Path, lacking: str) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for file in (models / "english").iterdir():
        if file.name != lacking:
            (model / file.name).symlink_to(file)
    with pytest.raises(EngineUnavailable) as refused:
        engine_of(model)
    assert lacking in refused.value.message
    assert refused.value.action


@pytest.mark.parametrize("damage", ["cut", "garbage", "pickle"])
def test_a_file_that_is_broken_or_holds_code_is_refused(
    models: Path, tmp_path: Path, damage: str
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    name = "conds.pt" if damage == "pickle" else "t3_cfg.safetensors"
    for file in (models / "english").iterdir():
        if file.name != name:
            (model / file.name).symlink_to(file)
    match damage:
        case "cut":
            data = (models / "english" / name).read_bytes()
            (model / name).write_bytes(data[: len(data) // 2])
        case "garbage":
            (model / name).write_bytes(bytes(range(256)) * 40)
        case "pickle":
            torch.save({"t3": Touching(tmp_path / "touched")}, model / name)
    with pytest.raises(EngineUnavailable) as refused:
        engine_of(model)
    assert str(model) in refused.value.message
    assert not (tmp_path / "touched").exists()


def test_the_library_has_the_parameters_that_are_given() -> None:
    from chatterbox.mtl_tts import ChatterboxMultilingualTTS
    from chatterbox.tts import ChatterboxTTS

    shaping = {"text", "exaggeration", "cfg_weight", "temperature"}
    assert shaping <= set(inspect.signature(ChatterboxTTS.generate).parameters)
    several = inspect.signature(ChatterboxMultilingualTTS.generate).parameters
    assert shaping | {"language_id"} <= set(several)
    for made in (ChatterboxTTS, ChatterboxMultilingualTTS):
        assert {"ckpt_dir", "device"} <= set(inspect.signature(made.from_local).parameters)
        prepare = inspect.signature(made.prepare_conditionals).parameters
        assert {"wav_fpath", "exaggeration"} <= set(prepare)


class Touching:
    """Makes a file when it is read as a pickle."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)
