"""Every engine says what it can do, and `inzwa-rtc engines` says the same without loading it."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import pytest

from inzwa_rtc.engines import registry
from inzwa_rtc.engines.contracts import Ability
from inzwa_rtc.engines.routes import describe
from inzwa_rtc.engines.shipped import SHIPPED, Shipped
from inzwa_rtc.errors import EngineUnavailable
from models.tiny import gguf_llama, kokoro_onnx, vits_voices, whisper_ct2, whisper_ggml
from models.tiny.vits_onnx import Kind
from tests.cli.command import run

INSTALLED = [one for one in SHIPPED if find_spec(one.module)]
SERVER = {"model": "x", "base_url": "http://127.0.0.1:9/v1", "check_at_start": False}


def named(one: Shipped) -> str:
    return f"{one.kind} {one.name}"


def engine_class(one: Shipped) -> Any:
    return registry.imported(registry.find(one.kind, one.name))


def abilities(kind: Any, name: str, **options: Any) -> set[str]:
    """What the engine tells once it is loaded with these options."""
    spec = registry.find(kind, name)
    with closing(registry.load(spec, options)) as engine:
        told = describe(spec, engine)
    assert all(isinstance(value, str) for value in told["details"].values())
    assert told["details"]["model"]
    json.dumps(told)
    return set(told["abilities"])


@pytest.mark.parametrize("one", INSTALLED, ids=named)
def test_an_engine_s_own_report_agrees_with_the_list(one: Shipped) -> None:
    assert engine_class(one).abilities == one.abilities
    assert set(one.abilities) <= set(get_args(Ability))


@pytest.mark.parametrize("one", INSTALLED, ids=named)
def test_what_it_says_it_can_do_is_there_to_be_used(one: Shipped) -> None:
    made = engine_class(one)
    assert ("hotwords" in one.abilities) == ("hotwords" in made.Options.model_fields)
    assert ("reads ahead" in one.abilities) == hasattr(made, "prepare")
    assert one.languages


def test_the_command_prints_the_abilities_and_languages_of_every_engine(tmp_path: Path) -> None:
    result = run(tmp_path, "engines", "--json")
    rows = {(row["kind"], row["name"]): row for row in json.loads(result.stdout)}
    for one in SHIPPED:
        row = rows[one.kind, one.name]
        assert (tuple(row["abilities"]), row["languages"]) == (one.abilities, one.languages)
    shown = run(tmp_path, "engines").stdout
    assert "can: adapters, reads ahead, probabilities" in shown
    assert "languages: those of the model" in shown


def test_an_engine_for_an_environment_of_its_own_comes_with_the_commands_that_make_one(
    tmp_path: Path,
) -> None:
    spec = registry.find("asr", "openai-whisper")
    make, install = registry.install_commands(spec)
    python = registry.engine_python(spec)
    assert python is not None
    assert make == f"{sys.executable} -m venv {Path(python).parents[1]}"
    assert install.startswith(f"{python} -m pip install ")
    assert "[openai-whisper]" in install
    assert not Path(python).is_relative_to(sys.prefix)
    rows = {
        (row["kind"], row["name"]): row
        for row in json.loads(run(tmp_path, "engines", "--json").stdout)
    }
    apart = {name: row["engine_python"] for name, row in rows.items() if row["engine_python"]}
    own = {(one.kind, one.name) for one in SHIPPED if one.environment == "its own"}
    assert set(apart) == own >= {("tts", "coqui"), ("tts", "qwen3"), ("tts", "chatterbox")}
    assert apart["asr", "openai-whisper"] == python
    assert len(set(apart.values())) == len(apart), "one would break the pins of another"
    assert rows["asr", "openai-whisper"]["install"] == [make, install]


@pytest.mark.skipif(find_spec("whisper") is not None, reason="it is installed here")
def test_who_lacks_it_is_told_to_install_it_apart(tmp_path: Path) -> None:
    spec = registry.find("asr", "openai-whisper")
    assert (
        f"asr: {{engine_python: {registry.engine_python(spec)}}}" in run(tmp_path, "engines").stdout
    )
    with pytest.raises(EngineUnavailable) as missing:
        registry.load(spec, {"model": "x.pt"})
    for part in (
        *registry.install_commands(spec),
        f"asr.engine_python: {registry.engine_python(spec)}",
    ):
        assert part in missing.value.action


@pytest.mark.parametrize(
    ("kind", "name", "can"),
    [
        ("asr", "pocketsphinx", {"partials"}),
        ("llm", "scripted", {"hangs up", "tools"}),
        ("tts", "espeak", {"word times", "streams"}),
    ],
)
def test_embedded_engines_report_once_loaded(kind: str, name: str, can: set[str]) -> None:
    assert abilities(kind, name) == can


@pytest.mark.parametrize("name", ["faster-whisper", "whisper.cpp"])
def test_a_whisper_reports_what_its_model_and_its_options_leave(tmp_path: Path, name: str) -> None:
    maker: Any = whisper_ct2 if name == "faster-whisper" else whisper_ggml
    maker.make(tmp_path / "model.bin")
    maker.make(tmp_path / "model.en.bin", is_multilingual=False)
    options = {"device": "cpu", "threads": 1}
    can = {"partials", "detects language", "translates", "hotwords", "word times"}
    assert abilities("asr", name, model=f"{tmp_path}/model.bin", **options) == can
    less = {"partial_ms": 0, "word_times": False, **options}
    assert abilities("asr", name, model=f"{tmp_path}/model.en.bin", **less) == {"hotwords"}


def test_a_llama_reports_the_adapters_that_it_was_given(tmp_path: Path) -> None:
    model = gguf_llama.make(tmp_path / "model.gguf")
    adapter = gguf_llama.make_lora(tmp_path / "lora.gguf")
    options = {"model": str(model), "context": 256, "slots": 1, "backend": "xllamacpp"}
    assert abilities("llm", "llama-cpp", **options) == {"reads ahead"}
    assert "probabilities" in abilities("llm", "llama-cpp", **options, logprobs=True)
    can = abilities("llm", "llama-cpp", **options, adapters={"a": str(adapter)})
    assert "adapters" in can


def test_a_vits_voice_reports_what_its_model_leaves(tmp_path: Path) -> None:
    options = {"device": "cpu", "threads": 1}
    voice = vits_voices.piper(tmp_path / "piper")
    assert abilities("tts", "piper", model=str(voice), **options) == {"word times", "streams"}
    folder = vits_voices.mms(tmp_path / "mms", Kind(told=False))
    assert abilities("tts", "vits", model=str(folder), **options) == {"streams"}


def test_a_kokoro_reports_word_times_where_the_model_has_them(tmp_path: Path) -> None:
    options = {"device": "cpu", "threads": 1}
    for told, can in ((True, {"word times", "mixes voices"}), (False, {"mixes voices"})):
        folder = kokoro_onnx.make(tmp_path / str(told), told=told)
        assert abilities("tts", "kokoro", model=str(folder), **options) == can


def test_engines_on_servers_report_what_they_will_ask_for() -> None:
    assert abilities("llm", "openai", **SERVER, tools=False) == {"adapters"}
    can = {"adapters", "probabilities", "tools"}
    assert abilities("llm", "openai", **SERVER, logprobs=True) == can
    assert abilities("llm", "ollama", **SERVER, logprobs=True) == {"probabilities", "tools"}
    assert abilities("llm", "ollama", **SERVER, tools=False) == set()
    can = {"word times", "detects language", "translates", "hotwords"}
    assert abilities("asr", "openai", **SERVER) == can
    assert abilities("asr", "openai", **SERVER, partial_ms=500) == {"partials", *can}
    json_only = abilities("asr", "openai", **SERVER, response_format="json")
    assert "word times" not in json_only


def test_speech_engines_on_servers_report_what_they_will_ask_for() -> None:
    assert abilities("tts", "openai", **SERVER) == {"streams"}
    alltalk = {"base_url": "http://127.0.0.1:9", "check_at_start": False}
    assert abilities("tts", "alltalk", **alltalk) == {"streams"}
    elevenlabs = {**alltalk, "api_key": "key", "voice": "21m00Tcm4TlvDq8ikWAM"}
    assert abilities("tts", "elevenlabs", **elevenlabs) == {"word times", "streams"}
    assert abilities("tts", "elevenlabs", **elevenlabs, word_times=False) == {"streams"}


def languages(name: str, **options: Any) -> list[str]:
    spec = registry.find("asr", name)
    with closing(registry.load(spec, options)) as engine:
        told: list[str] = describe(spec, engine)["languages"]
    return told


def test_a_recogniser_tells_the_languages_that_it_understands() -> None:
    assert languages("pocketsphinx") == ["en"]


@pytest.mark.parametrize("name", ["faster-whisper", "whisper.cpp"])
def test_a_whisper_tells_the_languages_of_its_model(tmp_path: Path, name: str) -> None:
    maker: Any = whisper_ct2 if name == "faster-whisper" else whisper_ggml
    maker.make(tmp_path / "model.bin")
    maker.make(tmp_path / "model.en.bin", is_multilingual=False)
    options = {"device": "cpu", "threads": 1}
    assert "en" in languages(name, model=f"{tmp_path}/model.bin", **options)
    assert len(languages(name, model=f"{tmp_path}/model.bin", **options)) > 1
    assert languages(name, model=f"{tmp_path}/model.en.bin", **options) == ["en"]
