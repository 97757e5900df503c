"""The scripts behind `make`: they parse, can be run, and hold for any machine."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inzwa_rtc.cli.main import Failure
from inzwa_rtc.errors import (
    ConfigError,
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    ListenError,
)
from inzwa_rtc.settings import TimeoutSettings

ROOT = Path(__file__).parent.parent.parent
TARGETS = ("install", "serve", "test", "acceptance", "sbom")
SCRIPTS = [*(ROOT / "scripts" / name for name in (*TARGETS, "test-apart")), ROOT / ".ci/run"]
SHELL_FILES = [*SCRIPTS, ROOT / "scripts/lib.sh"]


@pytest.mark.parametrize("script", SHELL_FILES, ids=lambda script: script.name)
def test_a_plain_posix_shell_can_read_it(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True, timeout=10)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_it_can_be_run_by_its_name(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n")


@pytest.mark.parametrize(
    "file", [*SHELL_FILES, ROOT / "Makefile", ROOT / "Dockerfile"], ids=lambda file: file.name
)
def test_it_names_no_registry_and_no_place_of_one_machine(file: Path) -> None:
    text = file.read_text()
    hosts = set(re.findall(r"https?://([^/\s:'\"]+)", text))
    assert hosts <= {"127.0.0.1"}
    assert not re.search(r"--(extra-)?index-url|--registry|/home/|/root/", text)


def made(*arguments: str) -> str:
    """What make would run."""
    # These tests may themselves run below make, which leaves its options to its children.
    surroundings = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    shown = subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=ROOT,
        env={**surroundings, "MODELS": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return shown.stdout.strip()


@pytest.mark.parametrize("target", ["install", "serve", "test", "sbom"])
def test_make_only_calls_the_script_of_that_name(target: str) -> None:
    assert made(target) == f"scripts/{target}"


def test_make_names_the_folder_whose_models_are_tried() -> None:
    assert made("acceptance", "MODELS=my models", "ARGS=-x") == 'scripts/acceptance "my models" -x'
    assert made("acceptance") == 'scripts/acceptance ""'


@pytest.mark.parametrize("arguments", [[], [""]])
def test_without_a_folder_of_models_it_is_said_what_to_name(arguments: list[str]) -> None:
    refused = subprocess.run(
        [ROOT / "scripts/acceptance", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "make acceptance MODELS=DIR" in refused.stderr


def test_a_folder_of_models_that_is_not_there_ends_it_before_anything_is_installed() -> None:
    refused = subprocess.run(
        [ROOT / "scripts/acceptance", "/nowhere/models"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert refused.returncode != 0
    assert "/nowhere/models" in refused.stderr
    assert "Installing" not in refused.stdout


@pytest.mark.parametrize("arguments", [[], ["espeak"], ["../x"]])
def test_tests_of_an_engine_that_has_no_environment_of_its_own_are_refused(
    arguments: list[str],
) -> None:
    refused = subprocess.run(
        [ROOT / "scripts/test-apart", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert refused.returncode == 2
    assert "scripts/test-apart ENGINE" in refused.stderr
    assert "coqui" in refused.stderr


@pytest.fixture
def with_pythons(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `find_python` on a machine that has these commands: `python3=3.14`."""

    def find(*commands: str, **settings: str) -> subprocess.CompletedProcess[str]:
        for command in commands:
            name, _, version = command.partition("=")
            numbers = ", ".join(version.split("."))
            fake = tmp_path / name
            fake.write_text(
                f"#!/bin/sh\n[ $1 = --version ] && echo Python {version} && exit\n"
                f'exec "{sys.executable}" -c "import sys; sys.version_info = ({numbers})\n$2"\n'
            )
            fake.chmod(0o755)
        return subprocess.run(
            ["/bin/sh", "-c", f'. "{ROOT}/scripts/lib.sh"; find_python'],
            env={"PATH": str(tmp_path), **settings},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return find


@pytest.mark.parametrize(
    ("commands", "chosen"),
    [
        (["python3=3.12"], "python3"),
        (["python3=3.11", "python3.13=3.13"], "python3"),
        (["python3=3.14", "python3.13=3.13", "python3.12=3.12"], "python3.13"),
        (["python3=3.14", "python3.11=3.11"], "python3.11"),
        (["python3=3.9", "python3.12=3.12", "python3.14=3.14"], "python3.12"),
    ],
)
def test_the_python_chosen_is_one_that_all_packages_have_wheels_for(
    with_pythons: Callable[..., subprocess.CompletedProcess[str]], commands: list[str], chosen: str
) -> None:
    found = with_pythons(*commands)
    assert (Path(found.stdout.strip()).name, found.stderr) == (chosen, "")


def test_a_newer_python_is_taken_where_there_is_no_other_and_said_to_be_so(
    with_pythons: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    found = with_pythons("python3=3.9", "python3.14=3.14")
    assert Path(found.stdout.strip()).name == "python3.14"
    assert "C compiler" in found.stderr


def test_a_python_that_is_named_is_taken_or_refused(
    with_pythons: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    found = with_pythons("python3=3.12", "mine=3.14", PYTHON="mine")
    assert Path(found.stdout.strip()).name == "mine"
    refused = with_pythons("python3=3.12", "mine=3.10", PYTHON="mine")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "PYTHON=mine" in refused.stderr


def test_a_machine_without_a_python_that_is_new_enough_is_told_what_to_do(
    with_pythons: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    refused = with_pythons("python3=3.9")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "PYTHON=/path/to/python3" in refused.stderr


def test_the_service_is_started_again_but_for_faults_that_do_not_pass() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "packaging/inzwa-rtc.service")
    service = unit["Service"]
    codes = {Failure([kind("")]).exit_code for kind in (ConfigError, EngineUnavailable)}
    assert {int(code) for code in service["RestartPreventExitStatus"].split()} == codes
    passing = {Failure([kind("")]).exit_code for kind in (ListenError, EngineTimeout, EngineError)}
    assert not passing & codes
    assert unit["Unit"]["StartLimitIntervalSec"] == "0", "or systemd gives up after five tries"
    assert service["OOMPolicy"] == "continue", "or one engine's end would end all calls"
    assert int(service["TimeoutStopSec"]) > TimeoutSettings().drain


def test_the_service_sees_the_gpus_of_the_machine() -> None:
    """Each of these hides /dev/nvidia*, and `device: auto` would take the CPU in silence."""
    unit = (ROOT / "packaging/inzwa-rtc.service").read_text()
    assert not re.search(r"^(PrivateDevices|DevicePolicy|DeviceAllow)=", unit, re.M)
