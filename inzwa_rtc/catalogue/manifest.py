"""What was pulled, written beside it: `.inzwa.json` in the model's folder.

It is written last and moves into place with the folder, so that a folder without one is
never a model. `Pins` outlive the model: the hashes and the revision that were trusted on
first use, with which a later pull of the same source has to agree.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inzwa_rtc.catalogue.entries import MAX_FILES, FilePath, Name, Sha256, Size
from inzwa_rtc.catalogue.errors import Tampered
from inzwa_rtc.catalogue.files import Stamp, opened

FILE = ".inzwa.json"
_MAX_BYTES = 1024 * 1024

_Record = TypeVar("_Record", bound=BaseModel)


class Kept(BaseModel):
    """A file of a model in the store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: FilePath
    size: Size
    sha256: Sha256
    stamp: Stamp | None = None
    """The file when it was last hashed; None: hash it again."""


class Manifest(BaseModel):
    """A model in the store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    source: str
    revision: str | None = None
    licence: str | None = None
    opens: FilePath | None = None
    files: Annotated[tuple[Kept, ...], Field(min_length=1, max_length=MAX_FILES)]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def given(self) -> str | None:
        """The file that an engine is given; None: the folder."""
        return self.opens or (self.files[0].path if len(self.files) == 1 else None)


class Pins(BaseModel):
    """What a source gave when it was first used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    revision: str | None = None
    files: dict[FilePath, Sha256] = {}


def read(folder: Path, record: type[_Record], path: str = FILE) -> _Record:
    """A record in `folder`; `Tampered` where it is not one that was written here."""
    with opened(folder, path) as file:
        text = file.read(_MAX_BYTES + 1)
    try:
        if len(text) > _MAX_BYTES:
            raise ValueError
        return record.model_validate_json(text)
    except ValueError as error:  # pydantic's ValidationError is one
        what = error.title if isinstance(error, ValidationError) else "too long"
        raise Tampered(
            f"{folder / path} is not what `inzwa-rtc models` writes ({what}).",
            action="Run: inzwa-rtc models remove --forget NAME, then pull it again.",
        ) from None
