"""A first look at a GGUF file, before llama.cpp parses it: a broken one can kill the process."""

from __future__ import annotations

import struct
from pathlib import Path

from inzwa_rtc.errors import EngineUnavailable

_HEADER = struct.Struct("<4sIQQ")  # magic, version, tensors, key-value pairs
_VERSIONS = (2, 3)
_MOST = 100_000  # of tensors or pairs: the largest models have a few thousand


def check_gguf(path: Path) -> None:
    """Raise `EngineUnavailable`, saying what is wrong, for a file that cannot be a model."""
    wrong = _wrong_with(path)
    if wrong:
        raise EngineUnavailable(
            f"{path} is no GGUF model: {wrong}.",
            action="Set it to a `.gguf` file; `inzwa-rtc models list` names some.",
        )


def _wrong_with(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
    except OSError as error:
        return str(error.strerror or type(error).__name__)
    if len(header) < _HEADER.size:
        return "it is too short"
    magic, version, tensors, pairs = _HEADER.unpack(header)
    if magic != b"GGUF":
        return "it does not begin with GGUF"
    if version not in _VERSIONS:
        return f"its version is {version}, known are {_VERSIONS}"
    if max(tensors, pairs) > _MOST:
        return "it counts more tensors than any model has"
    return None
