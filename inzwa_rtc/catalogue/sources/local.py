"""`file:///PATH`: a file or folder of this machine, copied."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from inzwa_rtc.catalogue.entries import MAX_FILES, Entry, File
from inzwa_rtc.catalogue.errors import DownloadFailed
from inzwa_rtc.catalogue.files import opened
from inzwa_rtc.catalogue.sources import space
from inzwa_rtc.catalogue.sources.source import Listing, Progress, listed, offered

_PIECE = 4 * 1024 * 1024


class LocalFiles:
    """The files below a path. Links are refused wherever they lead: copy what they mean."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.netloc not in ("", "localhost"):
            raise DownloadFailed(
                f"{address} names another machine.",
                action="Write file:///PATH, with three slashes.",
            )
        self._address = address
        self._path = Path(unquote(parts.path))

    def listing(self, entry: Entry, revision: str | None) -> Listing:
        if not os.path.lexists(self._path):
            raise DownloadFailed(f"{self._path} does not exist.", action="Correct the path.")
        return Listing(offered(self._address, entry, list(self._files())))

    def fetch(self, file: File, revision: str | None, into: Path, progress: Progress) -> Path:
        target = into / "copy"
        folder, path = self._place(file.path)
        with opened(folder, path) as source, target.open("wb") as copy:
            size = os.fstat(source.fileno()).st_size
            space.require(into, size)
            while piece := source.read(_PIECE):
                copy.write(piece)
                progress(copy.tell(), size)
        return target

    def _place(self, path: str) -> tuple[Path, str]:
        if self._path.is_dir():
            return self._path, path
        return self._path.parent, self._path.name

    def _files(self) -> Iterator[File]:
        if not self._path.is_dir():
            with opened(self._path.parent, self._path.name) as file:
                yield listed(self._address, self._path.name, os.fstat(file.fileno()).st_size)
            return
        for count, path in enumerate(_below(self._path, "")):
            with opened(self._path, path) as file:
                yield listed(self._address, path, os.fstat(file.fileno()).st_size)
            if count > MAX_FILES:
                return


def _below(folder: Path, path: str) -> Iterator[str]:
    """Paths of everything in `folder` that is not hidden, links among them, unfollowed."""
    with os.scandir(folder / path) as found:
        items = sorted(found, key=lambda item: item.name)
    for item in items:
        if item.name.startswith("."):
            continue
        if item.is_dir(follow_symlinks=False):
            yield from _below(folder, f"{path}{item.name}/")
        else:
            yield f"{path}{item.name}"
