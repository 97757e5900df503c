"""What this machine gives an engine to compute with, and which model that is enough for.

Each engine asks its own library for GPUs, since it is the library that must be able to use
them; what follows from the answer is decided here, alike for all.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from inzwa_rtc.errors import EngineUnavailable
from inzwa_rtc.machine.processors import usable_processors


def cpus() -> int:
    """Whole processors that this process may use: more threads would only wait."""
    return max(1, int(usable_processors()))


if sys.platform != "win32":
    import resource


def may_lock(size: int) -> bool:
    """Whether this process may keep so many bytes out of swap. llama.cpp itself goes on in
    silence where it may not."""
    if sys.platform == "win32":
        return True  # there it grows the working set, and asks nobody
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return limit == resource.RLIM_INFINITY or size <= limit or os.geteuid() == 0


@dataclass(frozen=True, slots=True)
class Device:
    """Where an engine computes: `name` is `cpu`, `cuda` or a numbered one such as `cuda:1`.

    `lacks` says why it is the CPU, where a GPU would have been taken.
    """

    name: str
    lacks: str = ""

    @property
    def is_cpu(self) -> bool:
        """Whether it is the CPU."""
        return self.name == "cpu"

    @property
    def number(self) -> int:
        """The GPU's."""
        return int(self.name.partition(":")[2] or 0)

    def __str__(self) -> str:
        return f"{self.name} ({self.lacks})" if self.lacks else self.name


def device_of(asked: str, gpus: int, *, library: str, setting: str, remedy: str) -> Device:
    """The device for `auto`, `cpu`, `cuda` or a numbered GPU, where `library` sees so many GPUs.

    Raises `EngineUnavailable` for a GPU that is asked for and not there: `remedy` says how
    the library is given one, `setting` where the CPU is chosen.
    """
    if asked == "cpu":
        return Device("cpu")
    if asked == "auto":
        return Device("cuda") if gpus else Device("cpu", "no GPU found")
    device = Device(asked)
    if device.number >= gpus:
        raise EngineUnavailable(
            f"There is no GPU `{asked}` that {library} can use: it sees {gpus}.",
            action=f"{remedy}, or set `{setting}: cpu`.",
        )
    return device


def model_on(device: Device, model: Path, cpu_model: Path | None) -> Path:
    """The model to load: the smaller one, if there is one, where a GPU is lacking."""
    return cpu_model if device.lacks and cpu_model else model


def described(device: Device, used: Path, named: Path) -> dict[str, str]:
    """What an engine tells of its device and of its model."""
    instead = {} if used == named else {"instead_of": named.name}
    return {"model": used.name, **instead, "device": str(device)}
