"""The servers that are compared are started with the same times, or said to be left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.contenders import (
    CONFIG,
    CONTENDERS,
    SILENCE_MS,
    Contender,
    NotInstalled,
    find_silero,
)
from inzwa_rtc.engines.registry import chosen
from inzwa_rtc.settings import load
from tests.support.configuration import empty_surroundings

OURS, STOCK, *OTHERS = CONTENDERS


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_surroundings(tmp_path, monkeypatch)


def test_our_server_has_engines_that_cost_nothing_and_the_silence_of_the_others() -> None:
    settings = load(CONFIG).settings
    engines = {kind: (one.spec.name, one.runs) for kind, (one,) in chosen(settings).items()}
    assert engines == {
        "asr": ("fixed", "inline"),
        "llm": ("fixed", "inline"),
        "tts": ("tone", "inline"),
    }
    assert settings.turn.silence_ms == SILENCE_MS
    assert settings.call.greeting == ""
    assert settings.access.calls_per_minute == 0
    assert OURS.command(Path("/nowhere"), CONFIG, None)[1:] == ["serve", "--config", str(CONFIG)]


@pytest.mark.parametrize("contender", OTHERS, ids=lambda one: one.name)
def test_a_server_that_is_not_installed_is_said_not_to_be(
    tmp_path: Path, contender: Contender
) -> None:
    with pytest.raises(NotInstalled, match="--install"):
        contender.command(tmp_path, CONFIG, tmp_path / "silero_vad.onnx")
    with pytest.raises(NotInstalled, match="--silero"):
        contender.command(tmp_path, CONFIG, None)


def test_each_is_given_the_silence_and_the_detector(tmp_path: Path) -> None:
    model = tmp_path / "silero_vad.onnx"
    for one in OTHERS:
        python = one.python(tmp_path)
        python.parent.mkdir(parents=True)
        python.touch()
    for one in (STOCK, *OTHERS):
        command = one.command(tmp_path, CONFIG, model)
        assert command[-4:] == ["--silence-ms", str(SILENCE_MS), "--silero", str(model)]


def test_the_detector_is_found_where_pipecat_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path / "here"))
    assert find_silero(tmp_path) is None
    model = tmp_path / "pipecat/lib/silero_vad.onnx"
    model.parent.mkdir(parents=True)
    model.touch()
    assert find_silero(tmp_path) == model
