"""`https://...`: a file of any web server; with a final slash, the files of an entry below it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

from yarl import URL

from inzwa_rtc.catalogue.entries import Entry, File
from inzwa_rtc.catalogue.errors import DownloadFailed
from inzwa_rtc.catalogue.sources.download import WAITS_S, Wanted, download
from inzwa_rtc.catalogue.sources.redirects import allowed, shown
from inzwa_rtc.catalogue.sources.source import Listing, Progress, listed


class WebServer:
    """Files under an address. Nothing is known of them but what the entry says."""

    def __init__(self, address: str, waits_s: Sequence[float] = WAITS_S) -> None:
        try:
            self._url = URL(address)
            allowed(self._url)
        except ValueError as error:
            raise DownloadFailed(
                f"{address} is not an address: {error}.", action="Correct it."
            ) from None
        self._waits_s = waits_s

    def listing(self, entry: Entry, revision: str | None) -> Listing:
        if entry.files:
            return Listing(entry.files)
        if not self._url.name:
            raise DownloadFailed(
                f"{shown(self._url)} is a folder; a web server does not tell what is in it.",
                action="Give the address of a file.",
            )
        return Listing([listed(shown(self._url), self._url.name, None)])

    def fetch(self, file: File, revision: str | None, into: Path, progress: Progress) -> Path:
        url = self._url if self._url.name else self._url.joinpath(file.path)
        wanted = Wanted(url, file.size, is_hashed=file.sha256 is not None)
        target = into / part_name(file)
        asyncio.run(download(wanted, target, progress, self._waits_s))
        return target


def part_name(file: File) -> str:
    """A name for a file that is on its way, without the folders of its path."""
    return hashlib.sha256(file.path.encode()).hexdigest()[:16]
