"""What a place that has models can do, and which place an address means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import ValidationError

from inzwa_rtc.catalogue.entries import MAX_FILES, Entry, File
from inzwa_rtc.catalogue.errors import DownloadFailed, Refused

Progress = Callable[[int, int | None], None]
"""Told how many bytes of a file are here now, of how many (None: nobody knows)."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files that a source has of a model, and what it says of them."""

    files: Sequence[File]
    revision: str | None = None
    """The version that these are of, where the source keeps several."""
    licence: str | None = None


class Source(Protocol):
    """A place that has one model."""

    def listing(self, entry: Entry, revision: str | None) -> Listing:
        """The entry's files, or all where it names none.

        `revision` is the version that was used before; None: the one that the address
        means now. Raises `DownloadFailed`.
        """

    def fetch(self, file: File, revision: str | None, into: Path, progress: Progress) -> Path:
        """Bring a file into the folder `into`, going on where an earlier attempt stopped.

        Returns the path of the whole file; nothing is known of its content yet. Raises
        `DownloadFailed`, and `ModelError` when the disk is full.
        """


def source_of(address: str) -> Source:
    """The source that an address means; its client is imported only now."""
    try:
        scheme = urlsplit(address).scheme
    except ValueError:
        scheme = ""
    match scheme:
        case "hf":
            from inzwa_rtc.catalogue.sources.hub import Hub

            return Hub(address)
        case "mlflow":
            from inzwa_rtc.catalogue.sources.registry import ModelRegistry

            return ModelRegistry(address)
        case "file":
            from inzwa_rtc.catalogue.sources.local import LocalFiles

            return LocalFiles(address)
        case "http" | "https":
            from inzwa_rtc.catalogue.sources.web import WebServer

            return WebServer(address)
    raise DownloadFailed(
        f"{address} is not a place that models come from.",
        action="Give hf://ORG/REPO, https://..., file:///PATH or mlflow://models/NAME/VERSION.",
    )


def listed(address: str, path: str, size: int | None, sha256: str | None = None) -> File:
    """A file as a source names it; `Refused` for a name that is no path within a model."""
    try:
        return File(path=path, size=size, sha256=sha256)
    except ValidationError:
        raise Refused(
            f"{address} has a file that cannot be stored: {path!r}.",
            action="Name the file or folder that you need in the address.",
        ) from None


def bounded(address: str, files: Sequence[File]) -> Sequence[File]:
    """`files`, unless there are none, or more than any model has."""
    if not files:
        raise DownloadFailed(
            f"{address} has no files.", action="Check the address, and the version in it."
        )
    if len(files) > MAX_FILES:
        raise DownloadFailed(
            f"{address} has {len(files)} files, more than any model needs.",
            action="Name one file or one folder of it.",
        )
    return files


def offered(address: str, entry: Entry, files: Sequence[File]) -> Sequence[File]:
    """The entry's files as the source has them; all when the entry names none."""
    if not entry.files:
        return bounded(address, files)
    by_path = {file.path: file for file in files}
    missing = [file.path for file in entry.files if file.path not in by_path]
    if missing:
        raise DownloadFailed(
            f"{address} has no {', '.join(missing)}.",
            action="The catalogue of this version may be outdated: update inzwa-rtc.",
        )
    return [by_path[file.path] for file in entry.files]
