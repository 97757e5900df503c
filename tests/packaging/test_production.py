"""The configuration for production, and the systemd unit that runs with it."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from inzwa_rtc.settings import flatten, load
from inzwa_rtc.store import place_of
from tests.cli.command import COMMAND, run
from tests.support.configuration import empty_surroundings
from tests.support.dockerfile import ROOT, lineage

END_S = 10  # the most that a server takes after its drain
FILE = ROOT / "config.prod.yaml"
UNIT = ROOT / "packaging/inzwa-rtc.service"


def service() -> configparser.SectionProxy:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    return unit["Service"]


def test_it_is_taken_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_surroundings(tmp_path, monkeypatch)
    settings = load(FILE).settings
    assert settings.environment == "production"
    assert settings.log_json
    assert settings.tts_max_concurrent == 8
    assert settings.host == "0.0.0.0"
    assert settings.access.open is None, "nobody gets in without a key unless the operator says so"


def test_what_is_commented_out_in_it_is_right_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_surroundings(tmp_path, monkeypatch)
    text = FILE.read_text(encoding="utf-8")
    offered = re.findall(r"^# ([a-z_]+: .*)$", text, re.M)
    assert len(offered) >= 6
    for line in offered:
        other = tmp_path / "other.yaml"
        other.write_text(line, encoding="utf-8")
        given = {name for name, _ in flatten(yaml.safe_load(line))}
        assert load(other).origins.keys() >= given


def test_config_show_tells_what_it_gives(tmp_path: Path) -> None:
    result = run(tmp_path, "config", "show", "--json", "--config", str(FILE))
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)["settings"]
    assert told["host"] == {"value": "0.0.0.0", "origin": "file"}
    assert told["log_json"] == {"value": True, "origin": "profile"}


def test_what_it_keeps_lies_where_the_unit_and_the_image_may_write() -> None:
    settings = load(FILE).settings
    folder = f"/var/lib/{service()['StateDirectory']}"
    assert place_of(settings) == Path(folder, "inzwa.db")
    assert str(settings.models_dir) == f"{folder}/models"
    homes = [step.text for stage in lineage("embedded") for step in stage.steps]
    assert any(f"--home-dir {folder} " in text for text in homes)


def test_both_read_it_where_it_is_put() -> None:
    unit = UNIT.read_text(encoding="utf-8")
    (place,) = re.findall(r"INZWA_CONFIG=(\S+)", unit)
    assert re.findall(r"INZWA_(?!CONFIG)\w+=", unit) == [], "it would win over the file"
    steps = [step for stage in lineage("embedded") for step in stage.steps]
    copies = [step.copied() for step in steps if step.instruction == "COPY"]
    assert (None, ["config.prod.yaml"], place) in copies


def test_both_wait_longer_than_calls_may_take_to_finish() -> None:
    drain = load(FILE).settings.timeouts.drain
    assert int(service()["TimeoutStopSec"]) >= drain + END_S
    (waits,) = set(re.findall(r"--stop-timeout (\d+)", (ROOT / "docs/install.md").read_text()))
    assert int(waits) >= drain + END_S


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="takes systemd")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8")
    installed = "/opt/inzwa-rtc/bin/inzwa-rtc"
    assert f"ExecStart={installed} serve" in text
    unit = tmp_path / UNIT.name
    for text_, is_right in (
        (text, True),
        (text.replace("Restart=on-failure", "Restart=maybe"), False),
    ):
        unit.write_text(text_.replace(installed, str(COMMAND)), encoding="utf-8")
        told = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", unit],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        # It also looks through the units that this one names, and warns of what is theirs.
        assert (UNIT.name in told.stderr) != is_right, told.stderr
        assert told.returncode == 0 or not is_right, told.stderr
