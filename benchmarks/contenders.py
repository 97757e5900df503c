"""The servers that `media.py` compares: how each is installed, started and called."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import platformdirs

from inzwa_rtc.bench.door import FASTRTC, INZWA, PIPECAT, Door
from inzwa_rtc.turntaking import weights

CACHE = Path(platformdirs.user_cache_dir("inzwa-rtc")) / "benchmark-peers"
CONFIG = Path(__file__).parent / "stub.yaml"
SILENCE_MS = 200
_MODEL = "silero_vad.onnx"


class NotInstalled(Exception):
    """A server that cannot take part, and why."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A server under its name. `packages` are installed into an environment of its own; where
    there are none it runs in this one."""

    name: str
    door: Door
    module: str = ""
    packages: tuple[str, ...] = ()

    def command(self, folder: Path, config: Path, silero: Path | None) -> list[str]:
        """What starts it, the port left out. Raises `NotInstalled`."""
        if not self.module:
            command = str(Path(sys.executable).with_name("inzwa-rtc"))
            return [command, "serve", "--config", str(config.absolute())]
        if silero is None:
            raise NotInstalled(f"no {_MODEL}: it is pipecat's; run with --install")
        python = self.python(folder)
        if not python.is_file():
            raise NotInstalled(f"not installed in {folder}: run with --install")
        return [
            *(str(python), "-m", self.module),
            *("--silence-ms", str(SILENCE_MS), "--silero", str(silero)),
        ]

    def python(self, folder: Path) -> Path:
        """The interpreter that runs it."""
        return folder / self.name / "bin/python" if self.packages else Path(sys.executable)

    def install(self, folder: Path) -> None:
        """Make its environment, unless there is one. Raises `NotInstalled`."""
        if not self.packages or self.python(folder).is_file():
            return
        place = folder / self.name
        try:
            _run([sys.executable, "-m", "venv", str(place)])
            _run([str(place / "bin/python"), "-m", "pip", "install", "--quiet", *self.packages])
        except subprocess.CalledProcessError as error:
            # Half an environment would be taken for a whole one.
            shutil.rmtree(place)
            raise NotInstalled(f"pip could not install it: {error.stderr[-500:]}") from None


_PIPECAT = Contender(
    "pipecat",
    PIPECAT,
    "benchmarks.peers.pipecat_server",
    ("pipecat-ai[webrtc,silero]==1.14.0",),
)
CONTENDERS = (
    Contender("inzwa", INZWA),
    Contender("aiortc", INZWA, "benchmarks.peers.stock_aiortc"),
    _PIPECAT,
    Contender(
        "fastrtc",
        FASTRTC,
        "benchmarks.peers.fastrtc_server",
        ("fastrtc==0.0.34", "onnxruntime>=1.23"),
    ),
)


def find_silero(folder: Path) -> Path | None:
    """The detector's model for all that are not ours: the one that pipecat brings, and uses."""
    return next(iter(sorted((folder / _PIPECAT.name).rglob(_MODEL))), None)


def install_silero(folder: Path) -> None:
    """Have it there. Raises `NotInstalled`."""
    if find_silero(folder) is None:
        _PIPECAT.install(folder)


def detectors(folder: Path) -> list[str]:
    """Which voice detectors are compared: their files, versions and digests."""
    told = [_told("inzwa's detector", weights.installed(), weights.PACKAGE, sys.path)]
    if (file := find_silero(folder)) is not None:
        told.append(_told("the others' detector", file, "pipecat-ai", [str(file.parents[4])]))
    return told


def _told(whose: str, file: Path, package: str, places: list[str]) -> str:
    found = metadata.distributions(name=package, path=places)
    version = next((one.version for one in found), "of no known version")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"{whose}: {file.name} of {package} {version}, SHA-256 {digest}"


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True)
