"""What the catalogue says: models, their files, and the starter sets made of them.

The catalogue itself is data, `models/catalogue.toml`; these are its checks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Kind = Literal["asr", "llm", "tts"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_SCHEMES = ("hf://", "https://", "http://", "file://", "mlflow://")
MAX_FILES = 1000
"""Files of one model: many times what the largest has, and a bound on what a hub may list."""


def checked_name(name: str) -> str:
    """A model's name, which is also the name of its folder."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise ValueError("a name has small letters, digits, `.`, `_` and `-`, at most 64 of them")
    return name


def checked_path(path: str) -> str:
    """A file's path within its model: relative, downwards, nothing hidden.

    The same rule for every system, so that no path means another file elsewhere.
    """
    parts = path.split("/")
    plain = all(
        part and not part.startswith(".") and not part.endswith((".", " ")) for part in parts
    )
    if not plain or len(path) > 512 or re.search(r"[\x00-\x1f\x7f\\:*?\"<>|]", path):
        raise ValueError(f"{path!r} is not the path of a file within a model")
    return str(PurePosixPath(path))


def checked_source(source: str) -> str:
    """A place that some source knows."""
    if not source.startswith(_SCHEMES):
        raise ValueError(f"a source starts with one of {', '.join(_SCHEMES)}")
    return source


Name = Annotated[str, AfterValidator(checked_name)]
FilePath = Annotated[str, AfterValidator(checked_path)]
Source = Annotated[str, AfterValidator(checked_source)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class File(_Record):
    """One file of a model, as far as it is known: its size in bytes and its SHA-256."""

    path: FilePath
    size: Size | None = None
    sha256: Sha256 | None = None


class Entry(_Record):
    """What is needed to fetch a model; `files` are all that the source has where empty."""

    name: Name
    source: Source
    files: Annotated[tuple[File, ...], Field(max_length=MAX_FILES)] = ()
    opens: FilePath | None = None
    """The file that an engine is given; None: the only one, or else the folder."""
    licence: str | None = None
    """An SPDX identifier; None where nobody told."""
    non_commercial: bool = False

    @property
    def size(self) -> int | None:
        """Bytes of all files; None where the size of any is unknown."""
        sizes = [file.size for file in self.files]
        return (
            sum(size for size in sizes if size is not None) if sizes and None not in sizes else None
        )

    @model_validator(mode="after")
    def _opens_a_file_of_its_own(self) -> Self:
        paths = [file.path for file in self.files]
        if len(set(paths)) < len(paths):
            raise ValueError("a file is named twice")
        if self.opens and paths and self.opens not in paths:
            raise ValueError("`opens` names none of its files")
        return self


class Model(Entry):
    """A model of the catalogue."""

    kind: Kind
    engine: str
    """The engine that it is made for."""
    languages: tuple[str, ...]
    """BCP 47; `*` for the many of a multilingual model."""
    summary: str
    memory_mb: Annotated[int, Field(gt=0)]


class StarterSet(_Record):
    """Models that make a call together, and the settings that use them."""

    name: Name
    summary: str
    note: str = ""
    """What a user has to know before they rely on it."""
    models: tuple[Name, ...]
    extras: tuple[str, ...] = ()
    """Extras of this package that its engines need."""
    settings: dict[str, Any]


class Catalogue(_Record):
    """All models and starter sets, by name."""

    models: dict[str, Model]
    sets: dict[str, StarterSet]

    @model_validator(mode="before")
    @classmethod
    def _take_names_from_tables(cls, data: Any) -> Any:
        return {
            group: {name: {**table, "name": name} for name, table in data.get(group, {}).items()}
            for group in ("models", "sets")
        }

    @model_validator(mode="after")
    def _sets_use_their_own_models(self) -> Self:
        for starter in self.sets.values():
            used = {starter.settings.get(f"{kind}_model") for kind in ("asr", "llm", "tts")} - {
                None
            }
            if used != set(starter.models) or not used <= set(self.models):
                raise ValueError(f"the settings of `{starter.name}` do not use its models")
        if both := set(self.models) & set(self.sets):
            raise ValueError(f"both models and sets: {both}")
        return self


def read(text: str) -> Catalogue:
    """A catalogue from TOML; `ValueError` where it is wrong."""
    return Catalogue.model_validate(tomllib.loads(text))


@cache
def shipped() -> Catalogue:
    """The catalogue of this package."""
    installed = Path(__file__).parent / "catalogue.toml"
    checkout = Path(__file__).parents[2] / "models" / "catalogue.toml"
    return read((installed if installed.is_file() else checkout).read_text(encoding="utf-8"))


def by_engine(catalogue: Catalogue) -> Mapping[str, tuple[Model, ...]]:
    """The models of each engine that the catalogue knows any for."""
    engines = dict.fromkeys(model.engine for model in catalogue.models.values())
    return {
        engine: tuple(model for model in catalogue.models.values() if model.engine == engine)
        for engine in engines
    }
