"""The file of Kokoro's voices: one array for each, its name telling language and gender.

`voices-v1.0.bin` is an archive of NumPy's. A voice has a style (256 numbers) for each length of
text, in phonemes: `[510, 1, 256]`.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inzwa_rtc.engines.contracts import Voice
from inzwa_rtc.engines.tts.kokoro.phonemes import LANGUAGES
from inzwa_rtc.errors import EngineUnavailable

Style = npt.NDArray[np.float32]
"""`[lengths, 1, width]`."""

_MOST_VOICES = 1000
_LARGEST = 510 * 256 * 8 * 4  # bytes of one array: four times the true one in 64 bits
_PREFIXES = {
    "a": "en-US",
    "b": "en-GB",
    "e": "es",
    "f": "fr-FR",
    "h": "hi",
    "i": "it",
    "j": "ja",
    "p": "pt-BR",
    "z": "zh",
}
_GENDERS = {"f": "female", "m": "male"}


@dataclass(frozen=True, slots=True)
class VoicesFile:
    """The styles by voice, in the order of the file, and the SHA-256 of its bytes."""

    styles: Mapping[str, Style]
    digest: str


def read_voices(path: Path) -> VoicesFile:
    """Read the file. Raises `EngineUnavailable` where it is not one, or a voice in it is none."""
    if not path.is_file():
        raise EngineUnavailable(
            f"There is no file of voices {path}.",
            action="Set `tts.voices` to the voices-v1.0.bin that belongs to the model.",
        )
    styles: dict[str, Style] = {}
    try:
        _check_sizes(path)
        # Without pickle: such a file could run anything.
        with np.load(path, allow_pickle=False) as archive:
            for name in archive.files:
                styles[name] = _style(path, name, archive[name])
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, MemoryError) as error:
        raise _wrong(path, f"it is no archive of arrays ({type(error).__name__})") from None
    if not styles:
        raise _wrong(path, "there is no voice in it")
    if len({style.shape[2] for style in styles.values()}) > 1:
        raise _wrong(path, "its voices have styles of several widths")
    return VoicesFile(styles, hashlib.sha256(path.read_bytes()).hexdigest())


def voice_of(name: str) -> Voice | None:
    """What the name of a voice tells; None where its language cannot be read here."""
    language = _PREFIXES.get(name[:1], "")
    if name[2:3] != "_" or language not in LANGUAGES:
        return None
    person = name[3:].replace("_", " ").title() or name
    return Voice(name, person, language, _GENDERS.get(name[1:2], ""))


def _check_sizes(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        raise _wrong(path, "it is no archive of arrays")
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if len(entries) > _MOST_VOICES:
        raise _wrong(path, f"it has {len(entries)} entries")
    if any(entry.file_size > _LARGEST for entry in entries):
        raise _wrong(path, "it has an array that is larger than any voice")


def _style(path: Path, name: str, array: Any) -> Style:
    is_numbers = isinstance(array, np.ndarray) and array.dtype.kind == "f"
    if not is_numbers or array.ndim != 3 or array.shape[1] != 1 or 0 in array.shape:
        raise _wrong(path, f"`{name[:40]}` is no voice: an array [lengths, 1, width] is wanted")
    if not np.isfinite(array).all():
        raise _wrong(path, f"`{name[:40]}` has numbers that are none")
    return np.asarray(array, dtype=np.float32)


def _wrong(path: Path, reason: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"{path} is no file of Kokoro's voices: {reason}.",
        action="Take the voices-v1.0.bin that was published with the model; "
        "`inzwa-rtc models verify` checks it.",
    )
