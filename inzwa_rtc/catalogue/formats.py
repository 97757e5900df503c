"""Files that run code when they are loaded. They are refused by name and by content.

A pickle is a program for Python's unpickler. Model files need none: GGUF, ggml,
CTranslate2, ONNX and safetensors are data. Only the first bytes and a zip's list of names
are looked at; scanners such as picklescan tell harmless pickles from harmful ones, which
is a weaker promise than taking none.
"""

from __future__ import annotations

import io
import pickletools
import re
import zipfile
from pathlib import PurePosixPath
from typing import IO

from inzwa_rtc.catalogue.errors import Refused

_SUFFIXES = frozenset({".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill", ".mar"})
_HEAD = 4096
_CALLS = frozenset({"REDUCE", "BUILD", "OBJ", "NEWOBJ"})
_DOTTED = re.compile(r"[A-Za-z_][\w.]* [A-Za-z_][\w.]*", re.ASCII)
_OPCODES = frozenset(opcode.code for opcode in pickletools.opcodes)
_MOST_NAMES = 10_000


def refuse_name(path: str) -> None:
    """Raise `Refused` for a file whose name says that it is a pickle."""
    if PurePosixPath(path.lower()).suffix in _SUFFIXES:
        raise _refused(path)


def refuse_content(path: str, file: IO[bytes]) -> None:
    """Raise `Refused` for a pickle, or a zip archive of anything but plain arrays."""
    file.seek(0)
    head = file.read(_HEAD)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        if not _is_arrays(file):
            raise _refused(path)
    elif _is_pickle(head):
        raise _refused(path)


def _is_arrays(file: IO[bytes]) -> bool:
    """Whether a zip is NumPy's archive (`.npz`), such as Kokoro's voices, and nothing else.

    NumPy loads objects from one only when it is told to.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return False
    return 0 < len(names) <= _MOST_NAMES and all(name.endswith(".npy") for name in names)


def _is_pickle(head: bytes) -> bool:
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        # safetensors may start with these two bytes as well, but never goes on like one
        return head[2:3].decode("latin-1") in _OPCODES
    # Older protocols have no signature: look for a named import that is then called. An
    # unpickler runs what it has understood before it stumbles, so what follows is no excuse;
    # yet a list of words may start like an import, and is no pickle when nothing is called.
    stream, seen = io.BytesIO(head), set[str]()
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name in ("GLOBAL", "INST") and not _DOTTED.fullmatch(str(argument)):
                return False
            seen.add(opcode.name)
            if ("GLOBAL" in seen and seen & _CALLS) or {"MARK", "INST"} <= seen:
                return True
    except (ValueError, IndexError, UnicodeError):
        return "GLOBAL" in seen and stream.tell() == len(head)  # it goes on beyond the head
    return "GLOBAL" in seen


def _refused(path: str) -> Refused:
    return Refused(
        f"{path} is a pickle, or an archive that may hold one: loading it would run its code.",
        action="Take the model as GGUF, ggml, CTranslate2, ONNX or safetensors, or convert it.",
    )
