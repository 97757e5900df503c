"""A Coqui model's configuration is read without trusting it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines.tts.coqui.files import coqui_files
from inzwa_rtc.errors import EngineUnavailable


def make(folder: Path, *files: str, **config: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for name in files:
        (folder / name).write_bytes(b"x")
    (folder / "config.json").write_text(json.dumps({"model": "vits", **config}))
    return folder


def refusal(model: Path) -> str:
    with pytest.raises(EngineUnavailable) as refused:
        coqui_files(model)
    assert refused.value.action
    return refused.value.message


@pytest.mark.parametrize("name", ["model.pth", "model_file.pth", "best_model.pth", "other.pth"])
def test_the_checkpoint_is_found_in_the_folder_or_named(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path / "m", name, "speakers.pth")
    assert coqui_files(folder).checkpoint == folder / name
    assert coqui_files(folder / name).checkpoint == folder / name


def test_files_of_the_configuration_are_those_beside_it_wherever_it_says_they_are(
    tmp_path: Path,
) -> None:
    arguments = {
        "speakers_file": "https://example.org/speakers.pth",
        "d_vector_file": ["/etc/vectors.pth"],
        "speaker_encoder_model_path": "s3://bucket/encoder.pth",
        "use_speaker_encoder_as_loss": True,
    }
    folder = make(tmp_path / "m", "model.pth", "speakers.pth", model_args=arguments)
    files = coqui_files(folder)
    safe = files.config["model_args"]
    assert safe["speakers_file"] == str(folder / "speakers.pth")
    assert safe["d_vector_file"] == [str(folder / "vectors.pth")]
    assert safe["speaker_encoder_model_path"] == ""
    assert safe["use_speaker_encoder_as_loss"] is False
    assert {file.name for file in files.all()} == {"config.json", "model.pth", "speakers.pth"}


def test_a_class_that_is_not_the_library_s_is_not_imported(tmp_path: Path) -> None:
    characters = {"characters_class": "os.system"}
    folder = make(tmp_path / "m", "model.pth", characters=characters)
    assert "code that is not Coqui's" in refusal(folder)


def test_what_is_lacking_or_of_another_kind_is_named(tmp_path: Path) -> None:
    assert "config.json" in refusal(tmp_path / "nowhere")
    assert "not one checkpoint" in refusal(make(tmp_path / "none"))
    assert "a.pth, b.pth" in refusal(make(tmp_path / "two", "a.pth", "b.pth"))
    assert "tacotron" in refusal(make(tmp_path / "other", "model.pth", model="tacotron"))
    assert "vocab.json" in refusal(make(tmp_path / "xtts", "model.pth", model="xtts"))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    folder = make(tmp_path / "m", "model.pth")
    (folder / "config.json").write_text(text)
    assert "cannot be read" in refusal(folder)
