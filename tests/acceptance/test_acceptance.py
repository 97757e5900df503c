"""`make acceptance` on tiny models: the arithmetic is right and all of it runs, whatever they
hear. Their weights are random, so nearly every word is wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.acceptance.accuracy import accuracy, normalized
from benchmarks.acceptance.folder import read
from benchmarks.acceptance.measure import Spread
from inzwa_rtc.errors import ConfigError
from models.tiny import gguf_llama, whisper_ct2

ROOT = Path(__file__).parents[2]
CONTENT = """
[[model]]
kind = "asr"
engine = "faster-whisper"
language = "sn"
options = {model = "ct2", device = "cpu", threads = 1, window_s = 5}

[[model]]
kind = "llm"
name = "tiny"
engine = "llama-cpp"
options = {model = "tiny.gguf", device = "cpu", threads = 1, context = 256}
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as it should be."""
    folder = tmp_path_factory.mktemp("own")
    whisper_ct2.make(folder / "ct2")
    gguf_llama.make(folder / "tiny.gguf")
    (folder / "acceptance.toml").write_text(CONTENT)
    (folder / "questions.txt").write_text("Mhoro\n\nWho are you?\n")
    (folder / "recordings").mkdir()
    for name, rate in (("first", 16_000), ("second", 44_100)):
        record(folder / "recordings" / f"{name}.wav", rate)
        (folder / "recordings" / f"{name}.txt").write_text("Mangwanani, makadii?\n")
    return folder


def record(file: Path, rate: int, *, channels: int = 1, width: int = 2) -> None:
    """A second of noise."""
    samples = np.random.default_rng(0).normal(0, 6000, rate * channels).astype("<i2")
    with wave.open(str(file), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(samples.tobytes()[: len(samples) * width])


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=110,
    )


def test_the_models_of_a_folder_are_measured(whole: Path) -> None:
    done = run("-m", "benchmarks.acceptance", str(whole), "--json")
    assert done.returncode == 0, done.stderr
    heard, replied = json.loads(done.stdout)
    assert heard["name"] == "faster-whisper ct2"
    assert heard["texts"].keys() == {"first", "second"}
    again = accuracy(["Mangwanani, makadii?"] * 2, list(heard["texts"].values()))
    assert heard["accuracy"] == {"wer": again.wer, "cer": again.cer, "words": 4}
    assert again.wer > 0.5
    assert heard["seconds"] == pytest.approx(2, abs=0.01)
    assert 0 < heard["latency"]["median"] <= heard["latency"]["p95"]
    assert replied["name"] == "tiny"
    assert replied["texts"].keys() == {"Mhoro", "Who are you?"}
    assert 0 < replied["first_token"]["median"] <= replied["first_token"]["p95"]


def test_what_is_printed_names_each_model(whole: Path) -> None:
    lines = run("-m", "benchmarks.acceptance", str(whole), "--texts").stdout.splitlines()
    assert lines[0].startswith("faster-whisper ct2: WER ")
    assert [line for line in lines if line.startswith("tiny: first token after ")]


def test_they_are_held_to_the_contract(whole: Path) -> None:
    """Two tests of it here; each passes for tiny models elsewhere."""
    chosen = "tells_what_it_runs or says_which_is_the_last"
    file = str(Path(__file__).with_name("test_contract.py"))
    done = run("-m", "pytest", "-q", "-k", chosen, file, ACCEPTANCE_MODELS=str(whole))
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


@pytest.mark.parametrize("python", [sys.executable, "/nowhere/bin/python"])
def test_a_model_of_another_environment_is_left_to_the_suite_there(
    tmp_path: Path, whole: Path, python: str
) -> None:
    folder = tmp_path / "own"
    shutil.copytree(whole, folder)
    file = folder / "acceptance.toml"
    file.write_text(file.read_text().replace("threads", f'engine_python = "{python}", threads'))
    contract = str(Path(__file__).with_name("test_contract.py"))
    chosen = ("-q", "-k", "tells_what_it_runs", contract)
    done = run("-m", "pytest", *chosen, ACCEPTANCE_MODELS=str(folder))
    assert done.returncode == 0, done.stdout
    if python == sys.executable:
        assert "2 passed" in done.stdout
    else:
        assert "2 skipped" in done.stdout
        assert f"ACCEPTANCE_MODELS={folder} {python} -m pytest" in done.stdout


def test_rates_count_the_errors_of_all_texts_together() -> None:
    found = accuracy(["one two three", "four"], ["one too three three", "four"])
    assert (found.wer, found.words) == (2 / 4, 4)  # one word replaced, one added
    assert accuracy(["abcd"], ["abce"]).cer == 1 / 4
    assert accuracy(["one two"], [""]).wer == 1


@pytest.mark.parametrize(
    ("text", "alike"),
    [
        ("Mangwanani, makadii?", "mangwanani makadii"),
        ("  N\u2019anga \u2014 n'anga ", "nanga nanga"),
        ("twenty-one", "twenty one"),
        ("\ufb01ne  \n day\u2026", "fine day"),
        ("7 seven", "7 seven"),
    ],
)
def test_texts_are_compared_as_they_are_spoken(text: str, alike: str) -> None:
    assert normalized(text) == alike


def test_a_spread_is_in_milliseconds() -> None:
    spread = Spread.of([0.1, 0.2, 0.3])
    assert (spread.median, spread.p95) == pytest.approx((200, 290))


def text_in(name: str, text: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_text(text)


WRONG: dict[str, tuple[Callable[[Path], Any], str]] = {
    "empty": (lambda folder: (folder / "acceptance.toml").unlink(), "no acceptance.toml"),
    "no TOML": (text_in("acceptance.toml", "[[model"), "is no TOML"),
    "no model": (text_in("acceptance.toml", ""), "model: Field required"),
    "speech": (text_in("acceptance.toml", '[[model]]\nkind="tts"\nengine="e"'), "'asr' or 'llm'"),
    "a typo": (text_in("acceptance.toml", CONTENT.replace("language", "lang")), r"0\.lang"),
    "no such engine": (text_in("acceptance.toml", CONTENT.replace("r-w", "rw")), "no asr engine"),
    "no recordings": (
        text_in("acceptance.toml", CONTENT.replace("language", 'material="x"\nlanguage')),
        r"no recordings .* in .*x",
    ),
    "no text": (lambda folder: (folder / "recordings/first.txt").unlink(), r"first\.wav is not"),
    "no words": (text_in("recordings/first.txt", " ... "), r"first\.wav is not written"),
    "no wave": (text_in("recordings/first.wav", "garbage"), r"first\.wav is no recording"),
    "cut": (text_in("recordings/first.wav", ""), "cut off"),
    "stereo": (
        lambda folder: record(folder / "recordings/first.wav", 16_000, channels=2),
        "2 channels of 16 bits",
    ),
    "8 bits": (
        lambda folder: record(folder / "recordings/first.wav", 16_000, width=1),
        "1 channels of 8 bits",
    ),
    "no questions": (text_in("questions.txt", "\n"), "no questions in"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "acceptance.toml").write_text(CONTENT)
    (tmp_path / "questions.txt").write_text("Who are you?")
    (tmp_path / "recordings").mkdir()
    record(tmp_path / "recordings/first.wav", 16_000)
    (tmp_path / "recordings/first.txt").write_text("Mhoro")
    read(tmp_path)
    spoil, reason = WRONG[name]
    spoil(tmp_path)
    with pytest.raises(ConfigError, match=reason) as wrong:
        read(tmp_path)
    assert wrong.value.action


def test_make_says_what_to_name(tmp_path: Path) -> None:
    script = ROOT / "scripts/acceptance"
    nothing = subprocess.run([script, ""], capture_output=True, text=True, timeout=30)
    assert nothing.returncode == 2
    assert "make acceptance MODELS=DIR" in nothing.stderr
    empty = run("-m", "benchmarks.acceptance", str(tmp_path))
    assert empty.returncode == 1
    assert empty.stderr.startswith("Error: There is no acceptance.toml in")
