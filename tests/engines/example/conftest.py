"""The example package, installed by pip into an environment made for it."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "docs/examples/inzwa-rtc-example"


@dataclass(frozen=True, slots=True)
class Installed:
    """A Python with this project, its dependencies, and the example in it."""

    python: Path
    packages: Path
    """Where the example lies: nothing else does."""

    @property
    def command(self) -> tuple[str, ...]:
        """The `inzwa-rtc` command there."""
        return str(self.python), "-c", "from inzwa_rtc.cli.main import main; main()"

    def run(self, *arguments: str) -> str:
        """What the command prints."""
        return subprocess.run(
            [*self.command, *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout

    def listed(self) -> dict[tuple[str, str], Any]:
        """The engines that it knows."""
        rows = json.loads(self.run("engines", "--json"))
        return {(row["kind"], row["name"]): row for row in rows}


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """`pip install` needs no network: what the package is built with is here already."""
    folder = tmp_path_factory.mktemp("example") / "venv"
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    paths = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", paths))
    # What this Python can import, that one can; its own packages come first.
    ours = sysconfig.get_path("purelib")
    (packages / "ours.pth").write_text(f"{ROOT}\nimport site; site.addsitedir({ours!r})\n")
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index")
    subprocess.run(
        [python, *pip, "--no-deps", "--no-build-isolation", str(PACKAGE)], check=True, timeout=100
    )
    return Installed(python, packages)


@pytest.fixture
def imported(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lets a test import the installed package itself."""
    monkeypatch.syspath_prepend(installed.packages)
    yield
    for name in [name for name in sys.modules if name.startswith("inzwa_rtc_example")]:
        del sys.modules[name]
