"""A first look at a GGUF file, before llama.cpp parses it: a broken one can kill the process.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from inzwa_rtc.errors import EngineUnavailable

_HEADER = struct.Struct("<4sIQQ")  # magic, version, tensors, key-value pairs
_LENGTH = struct.Struct("<Q")
_VERSIONS = (2, 3)
_MOST = 100_000  # of tensors or pairs: the largest models have a few thousand
_MOST_ITEMS = 10_000_000  # of an array: the largest vocabulary has 300,000
_MOST_BYTES = 1_000_000  # of a text that is read
_LONGEST_TOKEN = 1_000  # bytes; no control token is as long
_NUMBERS = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
_TEXT, _ARRAY = 8, 9
_GUESSED = 1024  # added where the converter inferred the type

_QUANTIZATIONS = {  # llama.cpp's numbers of file types
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4",
}


@dataclass(frozen=True, slots=True)
class Gguf:
    """What a file says of itself; None where it does not."""

    architecture: str | None
    """Such as `llama`, `qwen2`, `gemma3`."""
    kind: str = "model"
    """`model`, `adapter`, ..."""
    adapter: str | None = None
    """The kind of adapter, such as `lora`."""
    quantization: str | None = None
    """What most of its weights are in, such as `Q4_K_M`."""
    template: str = ""
    tool_template: str = ""
    """Chat templates: the one for all dialogues, and one for those with tools."""
    controls: tuple[str, ...] = ()
    """The tokens of its vocabulary that stand for no text, such as `<|im_end|>`."""

    @property
    def knows_tools(self) -> bool:
        """Whether a chat template has a place for tools: a model without was not made for them,
        and would never see any."""
        return _TOOLS.search(f"{self.template} {self.tool_template}") is not None

    @property
    def is_quick(self) -> bool:
        """Whether it has the four or five bits that a CPU computes best with."""
        return self.quantization is None or self.quantization.startswith(("Q4", "Q5"))


def read_model(path: Path) -> Gguf:
    """Raises `EngineUnavailable`, saying what is wrong, for a file that cannot be a model."""
    found = _read(path)
    if found.kind != "model":
        raise EngineUnavailable(
            f"{path} is no model but a GGUF file of the kind `{found.kind}`.",
            action="Set `llm_model` to a model; adapters stand under `llm.adapters`.",
        )
    return found


def check_adapter(path: Path, model: Gguf) -> None:
    """Raises `EngineUnavailable` for a file that is no LoRA adapter, or not for this model."""
    found = _read(path)
    if (found.kind, found.adapter) != ("adapter", "lora"):
        raise EngineUnavailable(
            f"{path} is no LoRA adapter but a GGUF file of the kind `{found.kind}`.",
            action="Convert the adapter with llama.cpp's convert_lora_to_gguf.py; "
            "whole models are named by `llm_model`.",
        )
    if None not in (found.architecture, model.architecture) and (
        found.architecture != model.architecture
    ):
        raise EngineUnavailable(
            f"The adapter {path} is made for a `{found.architecture}` model, and the model is a "
            f"`{model.architecture}`.",
            action="Take an adapter that was made for this very model.",
        )


def _read(path: Path) -> Gguf:
    try:
        with path.open("rb") as file:
            return _read_from(file, path.stat().st_size)
    except OSError as error:
        reason = str(error.strerror or type(error).__name__)
    except struct.error:
        reason = "it is too short"
    except ValueError as error:
        reason = str(error)
    raise EngineUnavailable(
        f"{path} is no GGUF model: {reason}.",
        action="Set it to a `.gguf` file; `inzwa-rtc models list` names some.",
    )


def _read_from(file: BinaryIO, size: int) -> Gguf:
    magic, version, tensors, pairs = _HEADER.unpack(file.read(_HEADER.size))
    if magic != b"GGUF":
        raise ValueError("it does not begin with GGUF")
    if version not in _VERSIONS:
        raise ValueError(f"its version is {version}, known are {_VERSIONS}")
    if max(tensors, pairs) > _MOST:
        raise ValueError("it counts more tensors than any model has")
    told: dict[str, Any] = {"general.architecture": None}
    rows: dict[str, Any] = {}
    for _ in range(pairs):
        key = _text(file)
        kind = _number(file, "I")
        keeps = key in (_ROWS if kind == _ARRAY else _TOLD)
        value = _value(file, kind, size, keeps=keeps)
        if value is not None:
            (rows if kind == _ARRAY else told)[key] = value
    tokens, kinds = rows.get(_TOKENS, ()), rows.get(_KINDS, ())
    told = {_TOLD[key]: value for key, value in told.items()}
    told["controls"] = tuple(
        token for token, kind in zip(tokens, kinds, strict=False) if _is_control(token, kind)
    )
    number = told.pop("file_type", None)
    if isinstance(number, int):
        number &= ~_GUESSED
        told["quantization"] = _QUANTIZATIONS.get(number, f"type {number}")
    return Gguf(**told)


_TOLD = {
    "general.architecture": "architecture",
    "general.type": "kind",
    "general.file_type": "file_type",
    "adapter.type": "adapter",
    "tokenizer.chat_template": "template",
    "tokenizer.chat_template.tool_use": "tool_template",
}
_TOKENS, _KINDS = _ROWS = ("tokenizer.ggml.tokens", "tokenizer.ggml.token_type")

_TOOLS = re.compile(r"\btools\b")
_UNKNOWN, _CONTROL, _ADDED = 2, 3, 4  # kinds of token
_MARK = re.compile(r"<[^\s<>]+>|\[/?[A-Z_]+\]")


def _is_control(token: str, kind: int) -> bool:
    """Whether llama.cpp takes it for more than its text. Of those that were added by hand most
    are text (runs of spaces), and some converters have put control tokens among them."""
    return kind in (_UNKNOWN, _CONTROL) or (kind == _ADDED and _MARK.fullmatch(token) is not None)


def _value(
    file: BinaryIO, kind: int, size: int, *, keeps: bool
) -> str | int | Sequence[str] | Sequence[int] | None:
    """The next value, if it is to be kept and is a text, a whole number or a row of either."""
    if kind == _TEXT:
        if keeps:
            return _text(file)
        _skip(file, _number(file, "Q"), size)
    elif kind == _ARRAY:
        return _array(file, size, keeps=keeps)
    elif kind in _NUMBERS:
        number = _number(file, _NUMBERS[kind])
        return int(number) if keeps else None
    else:
        raise ValueError("a value of it is of an unknown type")
    return None


def _array(file: BinaryIO, size: int, *, keeps: bool) -> Sequence[str] | Sequence[int] | None:
    kind, count = _number(file, "I"), _number(file, "Q")
    if count > _MOST_ITEMS or kind == _ARRAY:
        raise ValueError("an array of it is larger than any model's")
    if kind in _NUMBERS:
        form = f"<{count}{_NUMBERS[kind]}"
        if keeps and _NUMBERS[kind] in "iI" and struct.calcsize(form) <= size - file.tell():
            numbers: tuple[int, ...] = struct.unpack(form, file.read(struct.calcsize(form)))
            return numbers
        _skip(file, struct.calcsize(form), size)
    elif kind == _TEXT:
        texts: list[str] = []
        for _ in range(count):  # hundreds of thousands: the end is looked for by reading on
            (length,) = _LENGTH.unpack(file.read(8))
            if not keeps or length > _LONGEST_TOKEN:
                file.seek(min(length, size), 1)
            if keeps:
                is_long = length > _LONGEST_TOKEN
                texts.append("" if is_long else file.read(length).decode("utf-8", "replace"))
        return texts if keeps else None
    else:
        raise ValueError("an array of it is of an unknown type")
    return None


def _skip(file: BinaryIO, count: int, size: int) -> None:
    if count > size - file.tell():
        raise ValueError("it is cut off")
    file.seek(count, 1)


def _text(file: BinaryIO) -> str:
    length = _number(file, "Q")
    if length > _MOST_BYTES:
        raise ValueError("a text of it is longer than any model's")
    text = file.read(length)
    if len(text) < length:
        raise ValueError("it is cut off")
    return text.decode("utf-8")


def _number(file: BinaryIO, form: str) -> int:
    number: int = struct.unpack(f"<{form}", file.read(struct.calcsize(f"<{form}")))[0]
    return number
