"""A Coqui model's files on this machine, and its configuration, which is not trusted.

A `config.json` may name files anywhere, addresses on the network included, and classes to
import. Only files beside it are used, and only classes of the library itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inzwa_rtc.errors import EngineUnavailable

_FILES = (
    "speakers_file",
    "speaker_file",
    "language_ids_file",
    "d_vector_file",
    "tokenizer_file",
)
_FOR_TRAINING = (
    "speaker_encoder_model_path",
    "speaker_encoder_config_path",
    "gpt_checkpoint",
    "clvp_checkpoint",
    "decoder_checkpoint",
)
_CHECKPOINTS = ("model.pth", "model_file.pth", "model_file.pth.tar", "best_model.pth")
_LARGEST_CONFIG = 16_000_000
_REMEDY = "Set `tts_model` to the folder of a Coqui VITS or XTTS model: config.json and a .pth file"


@dataclass(frozen=True, slots=True)
class CoquiFiles:
    """`kind` is `vits` or `xtts`; `config` is what config.json says, made safe."""

    kind: str
    checkpoint: Path
    config: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Where all of them are."""
        return self.checkpoint.parent

    @property
    def vocabulary(self) -> Path:
        """The tokens of XTTS."""
        return self.folder / "vocab.json"

    @property
    def speakers(self) -> Path:
        """The voices that come with XTTS, which need not be there."""
        return self.folder / "speakers_xtts.pth"

    def all(self) -> list[Path]:
        """Every file that the sound depends on."""
        named = [self.folder / "config.json", self.checkpoint]
        for group in (self.config, self.config.get("model_args", {})):
            for name in _FILES:
                value = group.get(name)
                named += [Path(one) for one in ([value] if isinstance(value, str) else value or [])]
        if self.kind == "xtts":
            named += [self.vocabulary, self.speakers]
        return sorted({file for file in named if file.is_file()})


def coqui_files(model: Path) -> CoquiFiles:
    """The files of a model. Raises `EngineUnavailable` when some are lacking, or when it is of
    another architecture."""
    folder = model if model.is_dir() else model.parent
    config = _read_config(folder / "config.json")
    kind = config.get("model")
    if kind not in ("vits", "xtts"):
        raise EngineUnavailable(
            f"The model {model} is no VITS or XTTS: its config.json says {str(kind)[:40]!r}.",
            action=f"{_REMEDY}.",
        )
    files = CoquiFiles(kind, _checkpoint(model), _made_safe(config, folder))
    if kind == "xtts" and not files.vocabulary.is_file():
        raise EngineUnavailable(
            f"The XTTS model {folder} has no vocab.json.",
            action="Fetch it from where the model came from, and put it beside config.json.",
        )
    return files


def _read_config(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise EngineUnavailable(f"There is no {file}.", action=f"{_REMEDY}.")
    try:
        if file.stat().st_size > _LARGEST_CONFIG:
            raise ValueError("it is too large")
        config = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it holds no object")
    except (OSError, ValueError, RecursionError) as error:
        raise EngineUnavailable(
            f"The file {file} cannot be read: {error}.",
            action="Fetch the model again.",
        ) from error
    return config


def _checkpoint(model: Path) -> Path:
    if model.is_file():
        return model
    for name in _CHECKPOINTS:
        if (model / name).is_file():
            return model / name
    aside = ("speakers", "language_ids", "d_vector", "dvae", "mel_stats")
    others = [one for one in sorted(model.glob("*.pth")) if not one.name.startswith(aside)]
    if len(others) != 1:
        found = ", ".join(one.name for one in others) or "none"
        raise EngineUnavailable(
            f"The folder {model} has not one checkpoint (.pth): {found}.",
            action="Set `tts_model` to the checkpoint itself, with config.json beside it.",
        )
    return others[0]


def _made_safe(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    safe = dict(config)
    arguments = safe.get("model_args")
    safe["model_args"] = dict(arguments) if isinstance(arguments, dict) else {}
    for group in (safe, safe["model_args"]):
        for name in _FILES:
            if value := group.get(name):
                group[name] = _beside(value, folder)
        for name in _FOR_TRAINING:
            if name in group:
                group[name] = ""
        if "use_speaker_encoder_as_loss" in group:
            group["use_speaker_encoder_as_loss"] = False
    characters = safe.get("characters")
    asked = characters.get("characters_class") if isinstance(characters, dict) else None
    if asked and not str(asked).startswith("TTS.tts."):
        raise EngineUnavailable(
            f"The model {folder} asks for code that is not Coqui's (`characters_class`).",
            action="Use a model from a source that you trust.",
        )
    return safe


def _beside(value: object, folder: Path) -> str | list[str]:
    """Where a file of this name would be in the folder, whatever folder or host it names."""
    if isinstance(value, list):
        return [str(folder / Path(str(one)).name) for one in value]
    return str(folder / Path(str(value)).name)
