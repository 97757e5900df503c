"""Names and options of engines are checked, and each complaint says what would be right."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc import installation
from inzwa_rtc.engines.registry import EngineSpec, chosen, find, known, load, models_named
from inzwa_rtc.errors import ConfigError, EngineUnavailable
from inzwa_rtc.settings import Settings

ROOT = Path(__file__).parents[3]


@pytest.fixture
def talker(monkeypatch: pytest.MonkeyPatch) -> EngineSpec:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return EngineSpec("llm", "talker", "boundary_engines:Talker")


def test_engines_of_the_default_settings_are_known() -> None:
    engines = chosen(Settings())
    assert {kind: engine.spec.name for kind, (engine,) in engines.items()} == {
        "asr": "pocketsphinx",
        "llm": "scripted",
        "tts": "espeak",
    }


def test_unknown_engine_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no tts engine named `espeek`; known: .*espeak"):
        find("tts", "espeek")
    assert "espeak" in known("tts")


def test_options_get_their_defaults(talker: EngineSpec) -> None:
    assert load(talker, {"volume": 2}).options.volume == 2
    assert load(talker, {}).options.volume == 3


def test_unknown_option_is_answered_with_the_known_ones(talker: EngineSpec) -> None:
    with pytest.raises(ConfigError, match=r"`llm.volum` is not an option.*fail,.*volume"):
        load(talker, {"volum": 2})


def test_wrong_option_is_named_without_its_value(talker: EngineSpec) -> None:
    with pytest.raises(ConfigError, match=r"`llm.volume`: .*integer") as error:
        load(talker, {"volume": "secret"})
    assert "secret" not in str(error.value)


def test_engine_of_ours_that_is_not_installed_is_answered_with_a_command_that_installs_it() -> None:
    requirement = find("tts", "espeak").requirement
    missing = EngineSpec("tts", "espeak", "no_such_module:ESpeak", requirement)
    checkout = re.escape(str(ROOT))
    command = rf"{re.escape(sys.executable)} -m pip install -e '{checkout}\[embedded\]'"
    with pytest.raises(EngineUnavailable, match=command):
        load(missing, {})


def test_outside_a_checkout_the_command_names_where_to_put_its_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(installation, "_CHECKOUT", tmp_path)
    missing = EngineSpec("tts", "espeak", "no_such_module:ESpeak", "inzwa-rtc[embedded]")
    with pytest.raises(EngineUnavailable, match=r"pip install '/path/to/checkout\[embedded\]'"):
        load(missing, {})


def test_engine_of_another_package_is_installed_by_that_package_s_name() -> None:
    missing = EngineSpec("llm", "parrot", "no_such_module:Parrot", "inzwa-rtc-parrot")
    with pytest.raises(EngineUnavailable, match=r"pip install 'inzwa-rtc-parrot'"):
        load(missing, {})


def test_model_and_device_are_options_unless_left_to_the_engine() -> None:
    settings = Settings(asr_model="tiny", tts_model="a", tts={"model": "b"}, tts_device="cpu")
    engines = chosen(settings)
    assert engines["asr"][0].options == {"model": "tiny"}
    assert engines["tts"][0].options == {"model": "b", "device": "cpu"}
    assert engines["llm"][0].options == {}


def test_every_option_that_names_a_model_is_resolved(
    talker: EngineSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def resolve(model: str, engine: str, folder: Path) -> str:
        asked.append((engine, folder))
        return f"{folder}/{model}"

    monkeypatch.setattr("inzwa_rtc.catalogue.resolve.resolve", resolve)
    spec = replace(talker, import_path="boundary_engines:Modelled", models_dir=str(tmp_path))
    options = {"model": "m", "cpu_model": "c", "adapters": {"a.b": "x"}, "word": "m"}
    assert load(spec, options).options.model_dump() == {
        "model": f"{tmp_path}/m",
        "cpu_model": f"{tmp_path}/c",
        "adapters": {"a.b": f"{tmp_path}/x"},
        "word": "m",
    }
    assert set(asked) == {("talker", tmp_path)}


@pytest.mark.parametrize(
    "options", [{}, {"model": None}, {"adapters": "x"}, {"adapters": {"a": 1}}, {"word": "m"}]
)
def test_what_names_no_model_is_left_to_the_engine(options: dict[str, Any]) -> None:
    assert models_named(options) == {}


def test_several_engines_have_a_group_of_options_each() -> None:
    settings = Settings(
        llm_engine=("ollama", "scripted"),
        llm={"ollama": {"model": "tiny", "engine_python": "/opt/o/bin/python"}},
        asr={"script": "own.yaml"},
    )
    engines = chosen(settings)
    first, second = engines["llm"]
    assert (first.spec.name, second.spec.name) == ("ollama", "scripted")
    assert (first.options, first.python) == ({"model": "tiny"}, "/opt/o/bin/python")
    assert (second.options, second.python) == ({}, None)


@pytest.mark.parametrize("group", [{"model": "tiny"}, {"ollama": "tiny"}, {"vllm": {}}])
def test_options_that_belong_to_none_of_several_engines_are_refused(group: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="llm"):
        chosen(Settings(llm_engine=("ollama", "scripted"), llm=group))


def test_recogniser_learns_the_script_that_the_replies_follow() -> None:
    engines = chosen(Settings(llm={"script": "a.yaml", "extra": ["b"]}, asr={"extra": []}))
    assert engines["asr"][0].options == {"script": "a.yaml", "extra": []}


@pytest.mark.parametrize("python", [5, "", "a\0b", ["python"], True])
def test_an_interpreter_that_is_no_path_is_refused_by_name(python: Any) -> None:
    with pytest.raises(ConfigError, match=r"`asr\.engine_python` must be the path"):
        chosen(Settings(asr={"engine_python": python}))
    several = {"ollama": {"model": "tiny", "engine_python": python}}
    with pytest.raises(ConfigError, match=r"`llm\.ollama\.engine_python` must be the path"):
        chosen(Settings(llm_engine=("ollama", "scripted"), llm=several))
