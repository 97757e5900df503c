"""The files of a voice: which they are, and reading those that are JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel, ValidationError

from inzwa_rtc.catalogue import manifest
from inzwa_rtc.engines.tts.vits.symbols import Speller
from inzwa_rtc.errors import EngineUnavailable

_MOST_BYTES = 16 * 1024 * 1024

_Record = TypeVar("_Record", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Described:
    """What the files beside a model tell of its voice.

    `speakers` and `languages` are names and the numbers that the model knows them by, the
    default one first; `language` is BCP 47, empty where it is not told. `hop` is the number of
    samples of a frame, where that is told.
    """

    speller: Speller
    sample_rate: int
    language: str
    noise: float
    length: float
    noise_w: float
    speakers: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    hop: int | None = None


def onnx_in(model: Path) -> Path:
    """The ONNX file that `model` names, or that lies in the folder which it names."""
    if not model.is_dir():
        return model
    found = sorted(model.glob("*.onnx"))
    if len(found) == 1:
        return found[0]
    if found:
        raise EngineUnavailable(
            f"The folder {model} has several ONNX files: "
            f"{', '.join(one.name for one in found[:5])}.",
            action="Set `tts_model` to one of them.",
        )
    if (model / "model.safetensors").is_file():
        raise EngineUnavailable(
            f"The model {model} is not exported to ONNX yet.",
            action="Export it as docs/models.md tells (`python -m models.recipes.export_mms`).",
        )
    raise EngineUnavailable(
        f"The folder {model} has no ONNX file.",
        action="Set `tts_model` to an `.onnx` file or a folder with one.",
    )


def read_json(path: Path, record: type[_Record]) -> _Record:
    """A file of the form of `record`; raises `EngineUnavailable` naming what is wrong in it."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise wrong(path, "it is too long")
        return record.model_validate(json.loads(data))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "it"
        raise wrong(path, f"`{place}`: {first['msg']}") from None
    except (ValueError, RecursionError) as error:  # of json, and of text that is no UTF-8
        raise wrong(path, f"it is no JSON ({error})") from None
    except OSError as error:
        raise wrong(path, error.strerror or type(error).__name__) from None


def wrong(path: Path, reason: str) -> EngineUnavailable:
    """What to raise for a file that cannot be used for this reason."""
    return EngineUnavailable(
        f"{path} does not describe a voice: {reason.rstrip('.')}.",
        action="Take the file that was published with the model; `inzwa-rtc models verify` "
        "checks those of the catalogue.",
    )


def licence_of(model: Path) -> str:
    """The licence under which a model of the catalogue was pulled; empty for any other."""
    if not (model.parent / manifest.FILE).is_file():
        return ""
    return manifest.read(model.parent, manifest.Manifest).licence or ""


def numbered(names: Mapping[str, Any], count: int) -> dict[str, int]:
    """Names of speakers with their numbers; the numbers are the names where there are none."""
    return dict(names) or ({str(one): one for one in range(count)} if count > 1 else {})


class Members(RootModel[dict[str, Any]]):
    """Any JSON object."""
