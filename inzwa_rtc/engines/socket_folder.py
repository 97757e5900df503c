"""Where an engine's process listens: a socket in a folder that only this user can enter."""

from __future__ import annotations

from typing import Self

from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.engines.run_folder import RunFolder


class SocketFolder:
    """A new folder, and the place of the `socket` in it."""

    def __init__(self, folder: RunFolder) -> None:
        self.socket = folder.path / "socket"
        self._folder = folder

    @classmethod
    def create(cls, kind: EngineKind) -> Self:
        """Make one for an engine of this kind. Raises `OSError`, and `ConfigError` where no
        path is short enough."""
        return cls(RunFolder.create(kind))

    def remove(self) -> None:
        """Remove the folder and what is in it, whatever state it is in."""
        self._folder.remove()
