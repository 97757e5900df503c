"""`make sbom`: the bill of materials names what an environment is made of."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from importlib.metadata import files, version
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.support.dockerfile import ROOT

# One that declares no licence, and ours, which is installed beside them.
PACKAGES = ("aiohttp", "aiortc", "espeakng-loader", "inzwa-rtc", "pydantic")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of a few packages: as much of each as tells what it is. The schema's check
    takes half a minute for all those that tests need."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    for name in PACKAGES:
        told = files(name)
        assert told is not None
        (metadata,) = (one.locate() for one in told if one.match("*.dist-info/METADATA"))
        shutil.copytree(Path(metadata).parent, packages / Path(metadata).parent.name)
    return folder


@pytest.fixture(scope="module")
def told(
    environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> subprocess.CompletedProcess[str]:
    """What the command prints on standard error, and the file that it writes."""
    out = tmp_path_factory.mktemp("sbom") / "bill.json"
    done = subprocess.run(
        [ROOT / "scripts/sbom", environment],
        env={**os.environ, "OUT": str(out), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return subprocess.CompletedProcess(done.args, 0, out.read_text(encoding="utf-8"), done.stderr)


@pytest.fixture(scope="module")
def bill(told: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_it_keeps_to_the_schema(told: subprocess.CompletedProcess[str]) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(told.stdout) is None


def test_it_is_of_this_project_and_names_every_package(bill: dict[str, Any]) -> None:
    assert bill["metadata"]["component"]["name"] == "inzwa-rtc"
    assert bill["metadata"]["component"]["licenses"][0]["license"]["id"] == "Apache-2.0"

    named = {one["name"]: one["version"] for one in bill["components"]}
    assert named == {name: version(name) for name in PACKAGES if name != "inzwa-rtc"}
    of_ours = {
        needed.partition("==")[0]
        for one in bill["dependencies"]
        if one["ref"] == "root-component"
        for needed in one["dependsOn"]
    }
    assert {"aiohttp", "aiortc", "pydantic"} <= of_ours


def test_a_licence_is_told_or_said_to_be_unknown(
    told: subprocess.CompletedProcess[str], bill: dict[str, Any]
) -> None:
    unknown = {
        one["name"]
        for one in bill["components"]
        for it in one.get("properties", ())
        if it["name"] == "inzwa-rtc:licence"
    }
    assert unknown == {one["name"] for one in bill["components"] if not one.get("licenses")}
    assert unknown == {"espeakng-loader"}
    assert "espeakng-loader" in told.stderr


def test_it_names_no_place_of_the_machine_that_made_it(
    told: subprocess.CompletedProcess[str], environment: Path
) -> None:
    assert "file:" not in told.stdout
    for place in (str(ROOT), str(environment), sys.prefix):
        assert place not in told.stdout
