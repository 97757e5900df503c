"""Names and options of engines are checked, and each complaint says what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from inzwa_rtc.engines.registry import EngineSpec, find, known, specs, validate
from inzwa_rtc.errors import ConfigError, EngineUnavailable
from inzwa_rtc.settings import Settings


@pytest.fixture
def talker(monkeypatch: pytest.MonkeyPatch) -> EngineSpec:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return EngineSpec("llm", "talker", "boundary_engines:Talker")


def test_engines_of_the_default_settings_are_known() -> None:
    chosen = specs(Settings())
    assert {kind: spec.name for kind, (spec, _) in chosen.items()} == {
        "asr": "pocketsphinx",
        "llm": "scripted",
        "tts": "espeak",
    }


def test_unknown_engine_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no tts engine named `espeek`; known: .*espeak"):
        find("tts", "espeek")
    assert "espeak" in known("tts")


def test_options_get_their_defaults(talker: EngineSpec) -> None:
    assert validate(talker, {"fail": "x"})["volume"] == 3


def test_unknown_option_is_answered_with_the_known_ones(talker: EngineSpec) -> None:
    with pytest.raises(ConfigError, match=r"`llm.volum` is not an option.*fail,.*volume"):
        validate(talker, {"volum": 2})


def test_wrong_option_is_named_without_its_value(talker: EngineSpec) -> None:
    with pytest.raises(ConfigError, match=r"`llm.volume`: .*integer") as error:
        validate(talker, {"volume": "secret"})
    assert "secret" not in str(error.value)


def test_engine_that_is_not_installed_is_answered_with_the_command() -> None:
    requirement = find("tts", "espeak").requirement
    missing = EngineSpec("tts", "espeak", "no_such_module:ESpeak", requirement)
    with pytest.raises(EngineUnavailable, match=r"pip install 'inzwa-rtc\[embedded\]'"):
        validate(missing, {})


def test_model_and_device_are_options_unless_left_to_the_engine() -> None:
    chosen = specs(Settings(asr_model="tiny", tts_model="a", tts={"model": "b"}, tts_device="cpu"))
    assert chosen["asr"][1] == {"model": "tiny"}
    assert chosen["tts"][1] == {"model": "b", "device": "cpu"}
    assert chosen["llm"][1] == {}


def test_recogniser_learns_the_script_that_the_replies_follow() -> None:
    chosen = specs(Settings(llm={"script": "a.yaml", "extra": ["b"]}, asr={"extra": []}))
    assert chosen["asr"][1] == {"script": "a.yaml", "extra": []}
