"""The files of a Whisper model converted for CTranslate2, checked before it takes them.

CTranslate2 refuses a broken `model.bin` in good order. But it believes `config.json`: a number
there that is out of range ends the process. And faster-whisper asks a hub for a tokenizer that
is missing.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from inzwa_rtc.errors import EngineUnavailable

_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|notimestamps|>",
)
_NO_SPEECH = ("<|nospeech|>", "<|nocaptions|>")  # either: the name depends on the model's age
_MAX_VARIABLES = 100_000


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the files of a model allow."""

    detects_language: bool
    has_word_times: bool


def check_folder(folder: Path) -> Abilities:
    """Raises `EngineUnavailable` for a folder that holds no whole Whisper model."""
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        missing.append(_VOCABULARIES[0])
    if missing:
        raise EngineUnavailable(
            f"The Whisper model {folder} is incomplete: {', '.join(missing)} missing.",
            action="Set `asr_model` to a folder converted for CTranslate2: "
            "`inzwa-rtc models list` names some.",
        )
    words = _vocabulary(folder)
    _check_tokenizer(folder, words)
    return _check_config(folder, words)


def broken(folder: Path, reason: object) -> EngineUnavailable:
    """What to raise for a model that cannot be used for this reason."""
    return EngineUnavailable(
        f"The Whisper model {folder} cannot be loaded: {str(reason).rstrip('.')}.",
        action="Convert or download it again; `inzwa-rtc models verify` checks known ones.",
    )


def _vocabulary(folder: Path) -> list[Any]:
    file = next(folder / name for name in _VOCABULARIES if (folder / name).is_file())
    try:
        text = file.read_text(encoding="utf-8")
        words = json.loads(text) if file.suffix == ".json" else text.split("\n")
    except (ValueError, RecursionError) as error:
        raise broken(folder, f"{file.name} is damaged ({error})") from None
    if not isinstance(words, list):
        raise broken(folder, f"{file.name} holds no list of words")
    return words


def _check_tokenizer(folder: Path, words: list[Any]) -> None:
    # Comes with faster-whisper, which whoever reads this file has.
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
        raise broken(folder, f"tokenizer.json is damaged ({error})") from None
    places = {token: tokenizer.token_to_id(token) for token in (*_SPECIAL, *_NO_SPEECH)}
    lost = [
        token
        for token, place in places.items()
        if place is None or place >= len(words) or words[place] != token
    ]
    if set(lost) & set(_SPECIAL) or set(_NO_SPEECH) <= set(lost):
        raise broken(folder, f"tokenizer.json is of another model: {lost[0]} is elsewhere")


def _check_config(folder: Path, words: list[Any]) -> Abilities:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        layers, heads = _decoder(folder / "model.bin")
    except (ValueError, RecursionError, struct.error) as error:
        raise broken(folder, f"config.json or model.bin is damaged ({error})") from None
    if not isinstance(config, dict):
        raise broken(folder, "config.json is no object")
    pairs = config.get("alignment_heads") or []
    if not isinstance(pairs, list) or not all(_is_head(pair, layers, heads) for pair in pairs):
        raise broken(folder, "config.json names attention heads that it does not have")
    for name in ("lang_ids", "suppress_ids", "suppress_ids_begin"):
        ids = config.get(name) or []
        if not isinstance(ids, list) or not all(_is_below(number, len(words)) for number in ids):
            raise broken(folder, f"config.json names tokens in `{name}` that it does not have")
    return Abilities(bool(config.get("lang_ids")), bool(pairs))


def _is_head(pair: object, layers: int, heads: int) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and _is_below(pair[0], layers)
        and _is_below(pair[1], heads)
    )


def _is_below(number: object, limit: int) -> bool:
    return type(number) is int and 0 <= number < limit


def _decoder(model: Path) -> tuple[int, int]:
    """Layers and heads of the decoder, as `model.bin` has them."""
    layers, heads = 0, 0
    with model.open("rb") as file:
        for name, payload in _variables(file):
            parts = name.split("/")
            if parts[0] == "decoder" and parts[1].startswith("layer_") and parts[1][6:].isdigit():
                layers = max(layers, int(parts[1][6:]) + 1)
            if name == "decoder/num_heads":
                heads = int.from_bytes(payload, "little")
    if not layers or not heads:
        raise ValueError("not a Whisper model")
    return layers, heads


def _variables(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """The name of each variable, and what short ones hold."""
    _version, kind = _number(file), _text(file)
    if kind != "WhisperSpec":
        raise ValueError("not a Whisper model")
    _revision, count = _number(file), _number(file)
    for _ in range(min(count, _MAX_VARIABLES)):
        name = _text(file)
        (rank,) = struct.unpack("<B", file.read(1))
        file.seek(4 * rank + 1, 1)  # its shape and type
        size = _number(file)
        payload = file.read(size) if size <= 8 else b""
        file.seek(size - len(payload), 1)
        yield name, payload


def _number(file: BinaryIO) -> int:
    number: int = struct.unpack("<I", file.read(4))[0]
    return number


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<H", file.read(2))
    return file.read(length).rstrip(b"\0").decode()
