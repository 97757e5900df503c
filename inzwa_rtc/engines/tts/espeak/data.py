"""eSpeak's data with a language of ours added: links to what is shipped, and our own files.

eSpeak reads one data folder, and writes the dictionaries that it compiles into it. The shipped
one belongs to another package, so each process has a folder of its own for as long as it uses
the library.
"""

from __future__ import annotations

import ctypes
import hashlib
from pathlib import Path
from typing import Any, Self

from inzwa_rtc.engines.run_folder import RunFolder
from inzwa_rtc.errors import EngineUnavailable

_SHONA = Path(__file__).parent / "shona"  # `sn`, `sn_rules` and `sn_list`, as eSpeak wants them
_SAME_SOUNDS = b"bnt/sw"  # the rules are compiled with the phoneme table of the chosen voice


class DataFolder:
    """A data folder with Shona in it; `path` is what eSpeak is started with.

    Raises `EngineUnavailable` where it cannot be written.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self.path = folder.path / "espeak-ng-data"

    @classmethod
    def create(cls, shipped: Path) -> Self:
        """Make one around the data that the library came with."""
        try:
            self = cls(RunFolder.create("espeak"))
        except OSError as error:
            raise _unwritten(error) from error
        try:
            (self.path / "voices").mkdir(parents=True)
            _link(shipped, self.path)
            _link(shipped / "voices", self.path / "voices")
            # eSpeak looks there before it looks among the shipped languages.
            (self.path / "voices" / "sn").symlink_to(_SHONA / "sn")
        except OSError as error:
            self.remove()
            raise _unwritten(error) from error
        return self

    def compile(self, library: Any) -> None:
        """Have the library, started with this folder, compile the dictionary of Shona."""
        log = self.path / "compile.log"
        file = _open(log)
        try:
            status = library.espeak_SetVoiceByName(_SAME_SOUNDS)
            if status == 0:
                sources, context = f"{_SHONA}/".encode(), ctypes.c_void_p()
                status = library.espeak_ng_CompileDictionary(
                    ctypes.c_char_p(sources),
                    ctypes.c_char_p(b"sn"),
                    ctypes.c_void_p(file),
                    0,
                    ctypes.byref(context),
                )
        finally:
            ctypes.CDLL(None).fclose(ctypes.c_void_p(file))
        if status != 0 or not (self.path / "sn_dict").is_file():
            raise EngineUnavailable(
                f"eSpeak NG could not compile the dictionary of Shona: {_last_line(log)}",
                action="Install espeakng-loader again.",
            )

    def remove(self) -> None:
        """Remove the folder; the library must not be in use any more."""
        self._folder.remove()


def rules_digest() -> str:
    """Another one wherever our own files are others."""
    files = sorted(_SHONA.iterdir())
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _link(source: Path, target: Path) -> None:
    for entry in source.iterdir():
        # Ours go first, should eSpeak come to have a Shona.
        if entry.name not in ("voices", "sn", "sn_dict"):
            (target / entry.name).symlink_to(entry)


def _open(log: Path) -> int:
    """A C `FILE` for what the compiler says: it would go to the standard error otherwise."""
    fopen = ctypes.CDLL(None).fopen
    fopen.restype = ctypes.c_void_p
    file = fopen(bytes(log), b"w")
    if not file:
        raise EngineUnavailable(
            f"{log} cannot be written.", action="Free space among the temporary files."
        )
    return int(file)


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").strip().splitlines() or ["it does not say why"])[-1]


def _unwritten(error: OSError) -> EngineUnavailable:
    return EngineUnavailable(
        f"A folder for eSpeak's data could not be made ({error.strerror}).",
        action="Free space among the temporary files, or set TMPDIR to a folder with room.",
    )
