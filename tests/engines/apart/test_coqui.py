"""Coqui's models keep the contract with tiny ones of random weights, where it is installed.

It needs PyTorch, which never enters the server's environment: `make test` skips this file, and
`scripts/test-apart coqui` runs it.
"""

from __future__ import annotations

import inspect
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="coqui-tts runs in an environment of its own")
pytest.importorskip("TTS", reason="coqui-tts runs in an environment of its own")

from inzwa_rtc.engines.contracts import SpeechRequest  # noqa: E402
from inzwa_rtc.engines.tts.coqui.engine import Coqui  # noqa: E402
from inzwa_rtc.errors import EngineError, EngineUnavailable  # noqa: E402
from tests.engines.apart.coqui_models import SPEAKERS, make_vits, make_xtts  # noqa: E402
from tests.engines.apart.sounds import add_voice  # noqa: E402
from tests.engines.apart.stopping import stops_within_a_clause  # noqa: E402
from tests.engines.contract.tts import Subject, SynthesizerContract, sound, spoken  # noqa: E402


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_vits(folder / "vits")
    make_vits(folder / "large_vits", width=256)
    make_xtts(folder / "xtts")
    add_voice(folder / "voices", "tariro")
    return folder


def engine_of(model: Path, **options: Any) -> Coqui:
    values = {"model": model, "device": "cpu", "threads": 1, **options}
    return Coqui(Coqui.Options.model_validate(values))


class TestVits(SynthesizerContract):
    @pytest.fixture
    def subject(self, models: Path) -> Subject:
        return Subject(
            make=lambda **options: engine_of(models / "vits", **options),
            larger=lambda: engine_of(models / "large_vits"),
        )


class TestXtts(SynthesizerContract):
    @pytest.fixture
    def subject(self, models: Path) -> Subject:
        values = {"voices": models / "voices", "stream_tokens": 6}
        return Subject(make=lambda **options: engine_of(models / "xtts", **{**values, **options}))


async def test_speakers_of_a_vits_are_voices_and_sound_different(models: Path) -> None:
    with closing(engine_of(models / "vits", voice="bob")) as engine:
        assert [voice.id for voice in engine.voices] == ["bob", *(set(SPEAKERS) - {"bob"})]
        assert engine.abilities == ()
        made = {
            voice.id: sound(await spoken(engine, SpeechRequest("Hello there.", voice=voice.id)))
            for voice in engine.voices
        }
    assert len(set(made.values())) == len(SPEAKERS)


async def test_a_vits_says_nothing_where_it_knows_no_sign(models: Path) -> None:
    with closing(engine_of(models / "vits")) as engine:
        assert await spoken(engine, SpeechRequest("漢字")) == []


async def test_languages_of_a_vits_that_has_several_are_told_apart(tmp_path: Path) -> None:
    model = make_vits(tmp_path / "model", use_language_embedding=True)
    config = (model / "config.json").read_text()
    config = config.replace('"languages": ["en"]', '"languages": ["en", "fr-fr"]')
    (model / "config.json").write_text(config)
    weights = torch.load(model / "model_file.pth")
    weights["model"]["emb_l.weight"] = torch.randn(2, 4)
    torch.save(weights, model / "model_file.pth")
    with closing(engine_of(model)) as engine:
        assert engine.details["languages"] == "en, fr"
        for language in ("en-GB", "fr"):
            assert sound(await spoken(engine, SpeechRequest("Hello.", language=language)))
        with pytest.raises(EngineError) as refused:
            await spoken(engine, SpeechRequest("Hello.", language="sn"))
    assert refused.value.code == "unknown_language"


async def test_xtts_has_its_own_voices_and_those_of_recordings(models: Path) -> None:
    with closing(engine_of(models / "xtts", voices=models / "voices")) as engine:
        tariro, own = engine.voices
        assert (tariro.id, tariro.licence) == ("tariro", "CC0-1.0")
        assert (own.id, own.licence) == ("Own Voice", "LicenseRef-CPML")
        made = [
            sound(await spoken(engine, SpeechRequest("Hello.", voice=voice.id)))
            for voice in engine.voices
        ]
        assert made[0] != made[1]
        assert set(engine.abilities) == {"streams", "clones voices"}
        assert engine.max_chars == 250  # English; Spanish takes 239, Chinese 82


async def test_a_language_that_xtts_does_not_speak_is_refused(models: Path) -> None:
    with closing(engine_of(models / "xtts")) as engine:
        with pytest.raises(EngineError) as refused:
            await spoken(engine, SpeechRequest("Mhoro.", language="sn"))
    assert refused.value.code == "unknown_language"
    assert "en, es, zh" in refused.value.action


@pytest.mark.parametrize("kind", ["vits", "xtts"])
async def test_speech_that_nobody_waits_for_ends_between_two_layers(
    models: Path, kind: str
) -> None:
    with closing(engine_of(models / kind)) as engine:
        model: Any = engine._model._model
        layers = model.gpt.gpt.h if kind == "xtts" else model.waveform_decoder.resblocks
        await stops_within_a_clause(engine, layers)


@pytest.mark.parametrize("lacking", ["config.json", "vocab.json", "model.pth"])
def test_a_file_that_is_lacking_is_named(tmp_path: Path, lacking: str) -> None:
    model = make_xtts(tmp_path / "model")
    (model / lacking).unlink()
    with pytest.raises(EngineUnavailable) as refused:
        engine_of(model)
    assert lacking in refused.value.message or "checkpoint" in refused.value.message
    assert refused.value.action


@pytest.mark.parametrize("kind", ["vits", "xtts"])
@pytest.mark.parametrize("damage", ["cut", "garbage", "pickle", "other"])
def test_a_checkpoint_that_is_broken_or_holds_code_is_refused(
    tmp_path: Path, kind: str, damage: str
) -> None:
    model = (make_vits if kind == "vits" else make_xtts)(tmp_path / "model")
    checkpoint = model / ("model_file.pth" if kind == "vits" else "model.pth")
    data = checkpoint.read_bytes()
    match damage:
        case "cut":
            checkpoint.write_bytes(data[: len(data) // 2])
        case "garbage":
            checkpoint.write_bytes(bytes(range(256)) * 40)
        case "pickle":
            torch.save({"model": Touching(tmp_path / "touched")}, checkpoint)
        case "other":
            torch.save({"weights": torch.zeros(3)}, checkpoint)
    with pytest.raises(EngineUnavailable) as refused:
        engine_of(model)
    assert str(model) in refused.value.message
    assert refused.value.action
    assert not (tmp_path / "touched").exists()


def test_the_speakers_of_xtts_are_no_place_for_code(tmp_path: Path) -> None:
    model = make_xtts(tmp_path / "model")
    torch.save({"x": Touching(tmp_path / "touched")}, model / "speakers_xtts.pth")
    with pytest.raises(EngineUnavailable):
        engine_of(model)
    assert not (tmp_path / "touched").exists()


def test_a_checkpoint_is_never_written_anew(tmp_path: Path) -> None:
    """The first ones hold the configuration as an object, and the library would convert them."""
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models.xtts import _legacy_safe_globals

    model = make_xtts(tmp_path / "model")
    weights = torch.load(model / "model.pth")
    with _legacy_safe_globals():  # classes where they were then
        torch.save({**weights, "config": XttsConfig()}, model / "model.pth")
    before = (model / "model.pth").read_bytes()
    engine_of(model).close()
    assert (model / "model.pth").read_bytes() == before


def test_voices_for_a_model_that_does_not_clone_are_refused(models: Path) -> None:
    with pytest.raises(EngineUnavailable, match="does not clone"):
        engine_of(models / "vits", voices=models / "voices")


def test_the_library_has_the_parameters_that_are_given() -> None:
    from TTS.tts.models.vits import Vits
    from TTS.tts.models.xtts import Xtts

    for method, wanted in (
        (Xtts.load_checkpoint, {"checkpoint_path", "vocab_path", "speaker_file_path", "eval"}),
        (Xtts._load_checkpoint, {"self", "model_path"}),
        (Xtts.inference_stream, {"stream_chunk_size", "temperature", "speed", "text", "language"}),
        (Xtts.get_gpt_cond_latents, {"audio", "sr", "length", "chunk_length"}),
        (Xtts.get_speaker_embedding, {"audio", "sr"}),
        (Vits.load_checkpoint, {"config", "checkpoint_path", "eval", "strict"}),
        (Vits.inference, {"x", "aux_input"}),
    ):
        assert wanted <= set(inspect.signature(method).parameters)


class Touching:
    """Makes a file when it is read as a pickle."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)
