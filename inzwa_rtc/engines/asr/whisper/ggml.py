"""The header of a ggml Whisper file, read before whisper.cpp parses it.

That library believes what a file says of itself: it reads over the end of a truncated one, and
ends the process on sizes or types that it cannot compute with.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

from inzwa_rtc.errors import EngineUnavailable

ENGLISH_TOKENS = 51_864  # of a model that knows English only
_BEFORE_LANGUAGES = 51_765  # so many tokens has a model beside those of its languages

_MAGIC = 0x67676D6C
_GGUF = 0x46554747
_SCALE = 1000  # a quantization's version is a multiple of this on top of the type
_FLOAT32 = 0
_TYPES = {  # of a file
    1: "f16",
    2: "q4_0",
    3: "q4_1",
    7: "q8_0",
    8: "q5_0",
    9: "q5_1",
    10: "q2_k",
    11: "q3_k",
    12: "q4_k",
    13: "q5_k",
    14: "q6_k",
}
_BLOCKS = {  # values and bytes of a block, by a tensor's type
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
}
_PIECES = re.compile(rb"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")


@dataclass(frozen=True, slots=True)
class GgmlWhisper:
    """What the header says. `words` are the tokens of text."""

    tokens: int
    frames: int
    """What the encoder takes at once, halved: 1500 for 30 s."""
    words: frozenset[bytes]
    weights: str
    """Their type, such as `q5_1`."""

    @property
    def languages(self) -> int:
        """How many languages it knows; one is English."""
        return max(1, self.tokens - _BEFORE_LANGUAGES - 1)

    def count(self, text: str) -> int:
        """How many tokens the library makes of a text: the longest that fit, one by one."""
        return sum(self._count(piece) for piece in _PIECES.findall(text.encode()))

    def _count(self, piece: bytes) -> int:
        tokens = 0
        while piece:
            length = len(piece)
            while length > 1 and piece[:length] not in self.words:
                length -= 1
            tokens += 1
            piece = piece[length:]
        return tokens


def read_ggml(path: Path) -> GgmlWhisper:
    """Raises `EngineUnavailable` for a file that is no whole ggml Whisper model."""
    if not path.is_file():
        raise EngineUnavailable(
            f"There is no Whisper model {path}.",
            action="Set `asr_model` to a ggml file of whisper.cpp: `inzwa-rtc models list` "
            "names some.",
        )
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size)
    except (ValueError, struct.error) as error:
        raise broken(path, error if isinstance(error, ValueError) else "it is cut off") from None


def broken(path: Path, reason: object) -> EngineUnavailable:
    """What to raise for a model that cannot be used for this reason."""
    return EngineUnavailable(
        f"The Whisper model {path} cannot be loaded: {str(reason).rstrip('.')}.",
        action="Convert or download it again; `inzwa-rtc models verify` checks known ones.",
    )


def _read(file: BinaryIO, size: int) -> GgmlWhisper:
    (magic,) = _numbers(file, 1)
    if magic == _GGUF:
        raise ValueError("it is in GGUF, and whisper.cpp takes its own ggml format only")
    if magic != _MAGIC:
        raise ValueError("it is no ggml file")
    tokens, frames, width, heads, layers, *text = _numbers(file, 9)
    bands, kind = _numbers(file, 2)
    is_sane = (
        ENGLISH_TOKENS <= tokens <= 60_000
        and 1 <= frames <= 1500
        and 1 <= layers <= 64
        and 1 <= heads <= width <= 4096
        and width % heads == 0
        and text[:3] == [448, width, heads]
        and 1 <= text[3] <= 64
        and bands in (80, 128)
    )
    if not is_sane:
        raise ValueError("its measures are not those of a Whisper model")
    if kind % _SCALE == _FLOAT32:
        # The library's convolutions would end the process.
        raise ValueError("its weights have 32 bits; convert it to f16, or quantize it")
    if kind % _SCALE not in _TYPES:
        raise ValueError("its weights are of an unknown type")
    if _numbers(file, 2) != [bands, 201]:
        raise ValueError("its filters are not those of a Whisper model")
    file.seek(4 * bands * 201, 1)
    words = _words(file, tokens)
    _check_tensors(file, size, 15 * layers + 24 * text[3] + 11)
    return GgmlWhisper(tokens, frames, words, _TYPES[kind % _SCALE])


def _words(file: BinaryIO, tokens: int) -> frozenset[bytes]:
    (count,) = _numbers(file, 1)
    if not 0 < count <= tokens:
        raise ValueError("its vocabulary has an impossible size")
    words = []
    for _ in range(count):
        (length,) = _numbers(file, 1)
        if not 0 <= length <= 1024:
            raise ValueError("its vocabulary is damaged")
        words.append(file.read(length))
    return frozenset(words)


def _check_tensors(file: BinaryIO, size: int, count: int) -> None:
    """Names and shapes the library compares itself."""
    for _ in range(count):
        dimensions, length, kind = _numbers(file, 3)
        if not (1 <= dimensions <= 3 and 1 <= length <= 128 and kind in _BLOCKS):
            raise ValueError("a tensor of it is damaged")
        shape = _numbers(file, dimensions)
        values, block = _BLOCKS[kind]
        if min(shape) < 1 or shape[0] % values:
            raise ValueError("a tensor of it has an impossible shape")
        end = file.tell() + length + prod(shape) // values * block
        if end > size:
            raise ValueError("it is cut off")
        file.seek(end)
    if file.tell() != size:
        raise ValueError("it has more tensors than its measures tell")


def _numbers(file: BinaryIO, count: int) -> list[int]:
    return list(struct.unpack(f"<{count}i", file.read(4 * count)))
