"""The scripts behind `make`: they parse, can be run, and hold for any machine."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = [ROOT / "scripts" / name for name in ("install", "serve", "test")] + [ROOT / ".ci/run"]
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


@pytest.mark.parametrize("target", ["install", "serve", "test"])
def test_make_only_calls_the_script_of_that_name(target: str) -> None:
    # These tests may themselves run below make, which leaves its options to its children.
    surroundings = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    shown = subprocess.run(
        ["make", "--dry-run", target],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == f"scripts/{target}"
