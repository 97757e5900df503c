"""A folder of recordings is a list of voices, each described, licensed and agreed to."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from inzwa_rtc.engines.contracts import SpeechRequest, Voice
from inzwa_rtc.engines.tts.apart.contents import fingerprint
from inzwa_rtc.engines.tts.apart.voices import choose, recorded_voices, with_default
from inzwa_rtc.errors import EngineError, EngineUnavailable
from tests.engines.apart.sounds import add_voice

VOICES = [Voice("ada", "Ada", "en"), Voice("ben", "Ben", "fr"), Voice("any", "Any", "")]


def refusal(folder: Path) -> str:
    with pytest.raises(EngineUnavailable) as refused:
        recorded_voices(folder)
    assert refused.value.action
    return refused.value.message


def test_each_recording_is_a_voice_with_what_is_told_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    add_voice(folder, "tariro", language="sn")
    add_voice(folder, "ben")
    (folder / "ben.toml").unlink()
    told = {"name": "Ben", "licence": "CC0-1.0", "consent": "his own letter"}
    (folder / "ben.json").write_text(json.dumps(told))
    ben, tariro = recorded_voices(folder)
    assert asdict(tariro.voice) == {
        "id": "tariro", "name": "Tariro", "language": "sn", "gender": "female", "engine": "",
        "licence": "CC0-1.0", "preview": "",
    }  # fmt: skip
    assert tariro.text == "what is said there"
    assert len(tariro.recording(16_000).samples) == pytest.approx(24_000, abs=200)
    assert (ben.voice.id, ben.voice.language, ben.text) == ("ben", "", "")


@pytest.mark.parametrize("name", ["tariro.wav", "tariro.toml"])
def test_a_voice_whose_files_are_links_or_pipes_is_refused(tmp_path: Path, name: str) -> None:
    add_voice(tmp_path / "there", "tariro")
    add_voice(tmp_path / "voices", "tariro")
    file = tmp_path / "voices" / name
    file.unlink()
    file.symlink_to(tmp_path / "there" / name)
    assert name in refusal(tmp_path / "voices")
    file.unlink()
    os.mkfifo(file)
    assert "no plain file" in refusal(tmp_path / "voices")


def test_another_recording_or_other_words_in_it_are_another_fingerprint(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.write_bytes(b"weights")
    add_voice(tmp_path / "voices", "tariro")
    made = [fingerprint([model], {"seed": 1}, recorded_voices(tmp_path / "voices"))]
    described = tmp_path / "voices" / "tariro.toml"
    described.write_text(described.read_text().replace("what is said", "what was said"))
    made.append(fingerprint([model], {"seed": 1}, recorded_voices(tmp_path / "voices")))
    recording = tmp_path / "voices" / "tariro.wav"
    recording.write_bytes(recording.read_bytes() + b"\0\0")
    made.append(fingerprint([model], {"seed": 1}, recorded_voices(tmp_path / "voices")))
    made.append(fingerprint([model], {"seed": 1}))
    assert len(set(made)) == 4


def test_without_a_folder_there_are_none() -> None:
    assert recorded_voices(None) == ()


@pytest.mark.parametrize("lacking", ["name", "licence", "consent"])
def test_a_voice_without_a_name_a_licence_or_consent_is_refused(
    tmp_path: Path, lacking: str
) -> None:
    add_voice(tmp_path, "tariro")
    description = tmp_path / "tariro.toml"
    lines = description.read_text().splitlines()
    description.write_text("\n".join(line for line in lines if not line.startswith(lacking)))
    message = refusal(tmp_path)
    assert lacking in message
    assert "tariro.toml" in message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name = ",
        'name = "A"\nlicence = "B"\nconsent = " "',
        'name = "A"\nlicence = "B"\nconsent = "C"\nage = 3',
        'name = "A"\nlicence = "B"\nconsent = "C"\ngender = "robot"',
        "name = 7",
        "#" * 70_000,
    ],
)
def test_a_description_that_is_not_as_it_must_be_is_refused(tmp_path: Path, text: str) -> None:
    add_voice(tmp_path, "tariro")
    (tmp_path / "tariro.toml").write_text(text)
    assert "tariro.toml" in refusal(tmp_path)


@pytest.mark.parametrize("text", ["[]", "[" * 100_000, '{"name": 1}', "\ud800"])
def test_json_that_is_no_description_is_refused(tmp_path: Path, text: str) -> None:
    add_voice(tmp_path, "tariro")
    (tmp_path / "tariro.toml").unlink()
    (tmp_path / "tariro.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert "tariro.json" in refusal(tmp_path)


def test_a_folder_without_voices_or_with_an_undescribed_one_is_refused(tmp_path: Path) -> None:
    assert "There is no folder" in refusal(tmp_path / "nowhere")
    assert "no WAV file" in refusal(tmp_path)
    add_voice(tmp_path, "tariro")
    (tmp_path / "tariro.toml").unlink()
    assert "no description" in refusal(tmp_path)


def test_a_name_that_cannot_be_an_id_is_refused(tmp_path: Path) -> None:
    add_voice(tmp_path, "two words")
    assert "two words.wav" in refusal(tmp_path)


def test_the_voice_asked_for_is_taken_else_one_of_the_language_else_the_first() -> None:
    assert choose(VOICES, SpeechRequest("x", voice="any"), "It").id == "any"
    assert choose(VOICES, SpeechRequest("x", language="fr-CA"), "It").id == "ben"
    assert choose(VOICES, SpeechRequest("x", language="sn"), "It").id == "ada"
    with pytest.raises(EngineError) as refused:
        choose(VOICES, SpeechRequest("x", voice="eve"), "It")
    assert refused.value.code == "unknown_voice"
    assert "ada, ben, any" in refused.value.action


def test_the_default_voice_stands_first_and_must_be_there() -> None:
    assert [one.id for one in with_default(VOICES, "ben", "It")] == ["ben", "ada", "any"]
    assert with_default(VOICES, None, "It") == VOICES
    with pytest.raises(EngineError):
        with_default(VOICES, "eve", "It")
