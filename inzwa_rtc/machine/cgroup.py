"""The limits that a container or a service has: control groups of Linux, version 2.

What the system says of itself inside a container is the host's: its processors, its memory.
https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One group; its limits hold for all that run in it together."""

    folder: Path

    def processors(self) -> float | None:
        """How many processors its quota allows, None where there is no quota."""
        words = self._words("cpu.max")
        if len(words) != 2 or words[0] == "max":
            return None
        return int(words[0]) / int(words[1])

    def cpu_seconds(self) -> float:
        """Processor time that it has used so far."""
        return self._value_in("cpu.stat", "usage_usec") / 1e6

    def memory_percent(self) -> float | None:
        """How much of the memory that it may have is used, None where there is no limit."""
        memory = self._memory()
        return None if memory is None else 100 * memory[0] / max(1, memory[1])

    def memory_left(self) -> int | None:
        """Bytes that it may still take, None where there is no limit."""
        memory = self._memory()
        return None if memory is None else max(0, memory[1] - memory[0])

    def _memory(self) -> tuple[int, int] | None:
        """Bytes that are used, and the limit. Pages of files that the kernel would drop first
        do not count, as for Kubernetes."""
        limit, used = self._words("memory.max"), self._words("memory.current")
        if not limit or not used or limit[0] == "max":
            return None
        held = int(used[0]) - self._value_in("memory.stat", "inactive_file")
        return max(0, held), int(limit[0])

    def _value_in(self, file: str, name: str) -> int:
        words = self._words(file)
        return int(words[words.index(name) + 1]) if name in words else 0

    def _words(self, file: str) -> list[str]:
        try:
            return (self.folder / file).read_text(encoding="ascii").split()
        except OSError:  # the root has no limits, and not every group has every controller
            return []


def cgroups(root: Path = _ROOT, membership: Path = _MEMBERSHIP) -> tuple[Cgroup, ...]:
    """The groups that this process is in, the innermost first; none but on Linux."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), None)
    if own is None:
        return ()
    folder = root / own
    folders = [folder, *folder.parents]
    return tuple(Cgroup(one) for one in folders[: folders.index(root) + 1] if one.is_dir())
