"""A starter set from end to end: pulled, looked at, served, and kept at a reload.

Its models are tiny ones of random weights, so the command runs from a copy of the package whose
catalogue names these in place of the real ones.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.request import urlopen

import pytest

from models.tiny import gguf_llama, whisper_ct2
from tests.cli.command import COMMAND, ended, environment, logged, run

ROOT = Path(__file__).parents[2]
CATALOGUE = """
[models.tiny-ear]
kind = "asr"
engine = "faster-whisper"
languages = ["*"]
summary = "Whisper of random weights"
source = "{ear}"
licence = "MIT"
memory_mb = 10

[models.tiny-mind]
kind = "llm"
engine = "llama-cpp"
languages = ["en"]
summary = "Llama of random weights"
source = "{mind}"
licence = "MIT"
memory_mb = 10

[sets.starter-tiny]
summary = "A call with tiny models"
models = ["tiny-ear", "tiny-mind"]
extras = ["embedded", "whisper", "llama"]

[sets.starter-tiny.settings]
asr_engine = "faster-whisper"
asr_model = "tiny-ear"
llm_engine = "llama-cpp"
llm_model = "tiny-mind"
"""


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The variables with which the command knows the starter set; its models are pulled."""
    place = tmp_path_factory.mktemp("profile")
    for package in ("inzwa_rtc", "signaling"):
        shutil.copytree(ROOT / package, place / package)
    (place / "web").symlink_to(ROOT / "web")
    ear, mind = place / "ear", place / "mind.gguf"
    whisper_ct2.make(ear)
    gguf_llama.make(mind)
    (place / "inzwa_rtc/catalogue/catalogue.toml").write_text(
        CATALOGUE.format(ear=ear.as_uri(), mind=mind.as_uri())
    )
    settings = {"PYTHONPATH": str(place), "INZWA_MODELS_DIR": str(place / "models")}
    pulled = run(place, "models", "pull", "starter-tiny", "--yes", **settings)
    assert pulled.returncode == 0, pulled.stderr
    assert "inzwa-rtc serve --profile starter-tiny" in pulled.stdout
    return settings


@pytest.fixture
def served(tmp_path: Path, surroundings: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [COMMAND, "serve", "--profile", "starter-tiny", "--port", "0"],
        cwd=tmp_path,
        env=environment(**surroundings, INZWA_LOG_JSON="true"),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with ended(process):
        yield process


def test_a_starter_set_is_served_and_stays_at_a_reload(
    served: subprocess.Popen[str], tmp_path: Path
) -> None:
    url = logged(served, "server.ready")["url"].rstrip("/")
    with urlopen(f"{url}/readyz") as response:
        ready = json.load(response)
    engines = {kind: engine["name"] for kind, engine in ready["engines"].items()}
    assert engines == {"asr": "faster-whisper", "llm": "llama-cpp", "tts": "espeak"}

    (tmp_path / "inzwa.yaml").write_text("llm: {temperature: 0}\n")
    served.send_signal(signal.SIGHUP)
    assert logged(served, "settings.reloaded")["kinds"] == ["llm"]
    with urlopen(f"{url}/readyz") as response:
        assert json.load(response)["engines"]["llm"]["name"] == "llama-cpp"
    served.terminate()
    served.communicate(timeout=60)
    assert served.returncode == 0


def test_a_file_that_is_gone_at_a_reload_does_not_mean_that_all_is_default(
    served: subprocess.Popen[str], tmp_path: Path
) -> None:
    logged(served, "server.ready")
    file = tmp_path / "inzwa.yaml"
    file.write_text("llm: {temperature: 0}\n")
    served.send_signal(signal.SIGHUP)
    logged(served, "settings.reloaded")
    file.unlink()
    served.send_signal(signal.SIGHUP)
    reason = logged(served, "settings.not_reloaded")["reason"]
    assert f"{file} was read before and is gone" in reason


def test_it_may_be_named_wherever_settings_are(
    tmp_path: Path, surroundings: Mapping[str, str]
) -> None:
    shown = run(tmp_path, "config", "show", "--json", **surroundings, INZWA_PROFILE="starter-tiny")
    table = json.loads(shown.stdout)["settings"]
    assert table["profile"] == {"value": "starter-tiny", "origin": "environment"}
    assert table["llm_engine"] == {"value": "llama-cpp", "origin": "profile"}
    shown = run(
        tmp_path, "config", "show", "--json", "--profile", "starter-tiny", **surroundings,
        INZWA_LLM_ENGINE="scripted",
    )  # fmt: skip
    table = json.loads(shown.stdout)["settings"]
    assert table["profile"]["origin"] == "command line"
    assert table["llm_engine"] == {"value": "scripted", "origin": "environment"}


def test_the_doctor_tries_its_engines(tmp_path: Path, surroundings: Mapping[str, str]) -> None:
    (tmp_path / "inzwa.yaml").write_text("profile: starter-tiny\nport: 0\n")
    looked = run(tmp_path, "doctor", "--json", **surroundings)
    findings = {finding["name"]: finding for finding in json.loads(looked.stdout)}
    for model in ("tiny-ear", "tiny-mind"):
        assert findings[f"model {model}"]["status"] == "ok", findings
    for name, engine in (("recognition", "faster-whisper"), ("replies", "llama-cpp")):
        assert findings[name]["what"].startswith(f"{engine} ("), findings[name]
