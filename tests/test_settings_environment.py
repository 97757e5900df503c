"""Settings from the environment: switches, lists, groups, and names that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from inzwa_rtc.settings import Settings, load
from tests.support.configuration import empty_surroundings, refusal


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_surroundings(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("1", True),
        ("yes", True),
        ("False", False),
        ("0", False),
        ("off", False),
    ],
)
def test_switches_read_as_people_write_them(
    monkeypatch: pytest.MonkeyPatch, text: str, value: bool
) -> None:
    monkeypatch.setenv("INZWA_VOICE_ENABLED", text)
    assert load().settings.voice_enabled is value


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INZWA_PUBLIC_ADDRESS", "")
    monkeypatch.setenv("INZWA_PORT", "")
    assert load().settings == Settings()


def test_null_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INZWA_ASR_LANGUAGE", "null")
    assert load().settings.asr_language is None


def test_an_engine_is_named_by_itself_or_several_in_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INZWA_LLM_ENGINE", "openai, llama-cpp")
    monkeypatch.setenv("INZWA_ASR_ENGINE", '["whisper.cpp", "pocketsphinx"]')
    monkeypatch.setenv("INZWA_TTS_ENGINE", "espeak")
    monkeypatch.setenv("INZWA_LLM__SOME_ENGINE", "a,b")
    settings = load().settings
    assert settings.llm_engine == ("openai", "llama-cpp")
    assert settings.asr_engine == ("whisper.cpp", "pocketsphinx")
    assert settings.tts_engine == "espeak"
    assert settings.llm == {"some_engine": "a,b"}


@pytest.mark.parametrize(
    "text",
    ['["https://a.example", "http://b:8080"]', "https://a.example, http://b:8080"],
)
def test_lists_are_json_or_separated_by_commas(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("INZWA_ALLOWED_ORIGINS", text)
    assert load().settings.allowed_origins == ("https://a.example", "http://b:8080")


def test_engine_options_are_json_or_one_variable_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INZWA_LLM", '{"url": "http://localhost", "retry": {"times": 3}}')
    monkeypatch.setenv("INZWA_LLM__API_KEY", "secret")
    monkeypatch.setenv("INZWA_LLM__RETRY__FIRST_S", "1")
    loaded = load()
    assert loaded.settings.llm == {
        "url": "http://localhost",
        "api_key": "secret",
        "retry": {"times": 3, "first_s": "1"},
    }
    assert loaded.origins["llm.retry.first_s"] == "environment"


@pytest.mark.parametrize(
    "variable",
    ["INZWA_PROT", "INZWA_TURN__SILENCE", "INZWA_PORT__X", "INZWA_TURN__", "INZWA___"],
)
def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    assert variable in refusal()


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("INZWA_PROT", "INZWA_PORT"),
        ("INZWA_TURN__SILENCE", "INZWA_TURN__SILENCE_MS"),
        ("INZWA_TURN_SILENCE_MS", "INZWA_TURN__SILENCE_MS"),
        ("INZWA_SILENCE_MS", "INZWA_TURN__SILENCE_MS"),
        ("INZWA_SAFETY__ENABLD", "INZWA_SAFETY__ENABLED"),
    ],
)
def test_the_one_that_was_probably_meant_is_told(
    monkeypatch: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    monkeypatch.setenv(variable, "1")
    assert f"{variable} is not a setting; {meant} is." in refusal()


def test_a_list_within_a_group_is_a_list_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INZWA_SPEECH__LEXICON", "a.yaml, b.yaml")
    assert load().settings.speech.lexicon == (Path("a.yaml"), Path("b.yaml"))


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("INZWA_ASR", "fast"),
        ("INZWA_ASR", "[1]"),
        ("INZWA_TURN", "[" * 50_000),
        ("INZWA_ALLOWED_ORIGINS", '["https://a"'),
        ("INZWA_ALLOWED_ORIGINS", "[" * 50_000),
    ],
)
def test_broken_json_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    monkeypatch.setenv(variable, text)
    assert variable in refusal()


def test_a_group_set_to_null_beside_its_member_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INZWA_ASR", "null")
    monkeypatch.setenv("INZWA_ASR__MODEL", "x")
    assert "INZWA_ASR__MODEL" in refusal()
