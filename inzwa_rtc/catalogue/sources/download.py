"""One file over HTTP, resumed where it was cut.

Written here because no kept library does this: pooch and requests start over, fsspec too,
and huggingface_hub gave up partial files in version 2 (it downloads to a name that no
other process knows, and deletes it on failure). RFC 9110 has what it takes: `Range` asks
for the rest, and `If-Range` for the whole, should the file have changed meanwhile.

Beside `NAME.part` lies `NAME.part.json` with the validator of what it holds. A part
without a validator is resumed only where its hash is known, which then tells.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from multidict import CIMultiDict
from yarl import URL

from inzwa_rtc import __version__
from inzwa_rtc.catalogue.errors import DownloadFailed
from inzwa_rtc.catalogue.files import write_whole
from inzwa_rtc.catalogue.sources import space
from inzwa_rtc.catalogue.sources.redirects import follow, shown
from inzwa_rtc.catalogue.sources.source import Progress

WAITS_S = (1.0, 2.0, 4.0, 8.0)
"""Before each further attempt; a new series begins whenever an attempt brought something."""
_LEAST_GAIN = 1024 * 1024  # what counts as something: a server that drips is given up
_MOST_ATTEMPTS = 200  # however much each brings: a server without ranges may go back each time
_LONGEST_WAIT_S = 60.0  # however long `Retry-After` asks for
_PIECE = 256 * 1024
_CHECK_SPACE_EVERY = 64 * _PIECE
_TIMEOUT = ClientTimeout(total=None, connect=20.0, sock_read=60.0)
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known of a file before it is downloaded: bytes, and whether its hash is."""

    url: URL
    size: int | None = None
    is_hashed: bool = False
    headers: Mapping[str, str] | None = None
    """A token among them is sent to the host of `url` only."""


async def download(
    wanted: Wanted, target: Path, progress: Progress, waits_s: Sequence[float] = WAITS_S
) -> None:
    """Bring the file to `target`. What came stays in `target.part` when this fails or is
    cancelled. Raises `DownloadFailed`, and `ModelError` when the disk is full."""
    part = _Part(target, wanted)
    # The proxies and .netrc of the environment, as other tools use them. Bytes as they are
    # stored: a coding would make lengths and offsets mean something else.
    async with ClientSession(timeout=_TIMEOUT, trust_env=True, auto_decompress=False) as session:
        failures, attempts = 0, 0
        while not part.is_whole():
            before, attempts = part.size, attempts + 1
            try:
                await _attempt(session, wanted, part, progress)
            except _Interrupted as interrupted:
                failures = 0 if part.size >= before + _LEAST_GAIN else failures + 1
                if failures > len(waits_s) or attempts >= _MOST_ATTEMPTS:
                    raise DownloadFailed(
                        f"{shown(wanted.url)} cannot be downloaded: {interrupted}.",
                        action="Run the same command again: it goes on where it stopped.",
                    ) from None
                wait_s = waits_s[max(failures - 1, 0)] if waits_s else 0.0
                await asyncio.sleep(max(wait_s, interrupted.wait_s))
    part.finish()


class _Interrupted(Exception):
    """An attempt failed in a way that another one may not."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class _Part:
    """The file as far as it is here."""

    def __init__(self, target: Path, wanted: Wanted) -> None:
        self.folder = target.parent
        self._target = target
        self._path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")
        self._url = shown(wanted.url)  # the rest may be a signature, new each time
        self._is_hashed = wanted.is_hashed
        self.total = wanted.size
        self.validator: str | None = None
        with suppress(OSError, ValueError, TypeError, KeyError):
            note = json.loads(self._note.read_text(encoding="utf-8"))
            if note["url"] == self._url and isinstance(note["validator"], str | None):
                self.validator = note["validator"]
                return
        self._path.unlink(missing_ok=True)

    @property
    def size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    def is_whole(self) -> bool:
        return self.total is not None and self._path.exists() and self.size == self.total

    def resumes_at(self) -> int:
        """How much of it need not be asked for again."""
        if self.validator is None and not self._is_hashed:
            return 0
        return self.size if self.total is None or self.size <= self.total else 0

    def opened(self, at: int, response: ClientResponse) -> IO[bytes]:
        """To be written from byte `at`."""
        self.validator = _strong(response) or (self.validator if at else None)
        note = {"url": self._url, "validator": self.validator}
        write_whole(self._note, json.dumps(note))
        file = self._path.open("r+b" if at else "wb")
        file.seek(at)
        file.truncate()
        return file

    def restart(self) -> None:
        """Forget what is here: it is of another file."""
        self._path.unlink(missing_ok=True)

    def finish(self) -> None:
        self._path.replace(self._target)
        self._note.unlink(missing_ok=True)


async def _attempt(session: ClientSession, wanted: Wanted, part: _Part, progress: Progress) -> None:
    at = part.resumes_at()
    headers = CIMultiDict({"User-Agent": f"inzwa-rtc/{__version__}"})
    headers.update(wanted.headers or {})
    headers["Accept-Encoding"] = "identity"
    if at:
        headers["Range"] = f"bytes={at}-"
        if part.validator:
            headers["If-Range"] = part.validator
    try:
        async with follow(session, wanted.url, headers) as response:
            at = _offset(response, at, part, wanted)
            left = response.content_length
            _agree_on_size(response, at, left, part, wanted)
            await _receive(response, part, at, left, progress)
    except (ClientError, TimeoutError, ConnectionError) as error:
        raise _Interrupted(str(error) or type(error).__name__) from None


def _offset(response: ClientResponse, at: int, part: _Part, wanted: Wanted) -> int:
    """Where the body begins; raises for answers without one."""
    if response.status == 206 and at:
        given = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if not given or int(given[1]) != at:
            raise _fault(wanted, "the server answers with another part than it was asked for")
        if part.validator and _strong(response) not in (None, part.validator):
            part.restart()
            raise _Interrupted("the file has changed meanwhile")
        if given[2] != "*" and part.total is None:
            part.total = int(given[2])
        return at
    if response.status == 200:
        return 0  # it knows no ranges, or the file has changed: all of it comes
    if response.status == 416 and at:
        part.restart()
        raise _Interrupted("what was here is longer than the file")
    why = f"the server answers {response.status} {response.reason or ''}".rstrip()
    if response.status in _TRANSIENT:
        raise _Interrupted(why, _retry_after_s(response))
    raise DownloadFailed(
        f"{shown(wanted.url)} cannot be downloaded: {why}.",
        action="Check the address; where it needs a password, put that into ~/.netrc."
        if response.status in (401, 403)
        else "Check the address.",
    )


def _agree_on_size(
    response: ClientResponse, at: int, left: int | None, part: _Part, wanted: Wanted
) -> None:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _fault(wanted, "the server sends it compressed, though asked not to")
    if left is not None:
        if wanted.size is not None and at + left != wanted.size:
            raise _fault(wanted, f"it has {at + left} bytes, where {wanted.size} are expected")
        part.total = at + left
    elif wanted.size is None:
        part.total = None


async def _receive(
    response: ClientResponse, part: _Part, at: int, left: int | None, progress: Progress
) -> None:
    space.require(part.folder, left or 0)
    unchecked, limit = 0, part.total
    with part.opened(at, response) as file:
        progress(at, limit)
        async for piece in response.content.iter_chunked(_PIECE):
            if limit is not None and file.tell() + len(piece) > limit:
                raise DownloadFailed(
                    f"{shown(response.url)} sends more than it should.", action="Try again later."
                )
            file.write(piece)
            progress(file.tell(), limit)
            if left is None and (unchecked := unchecked + len(piece)) > _CHECK_SPACE_EVERY:
                space.require(part.folder, 0)
                unchecked = 0
        if limit is None:
            part.total = file.tell()  # the end of the body is all there is to go by
        elif file.tell() < limit:
            raise _Interrupted("it ended early")


def _strong(response: ClientResponse) -> str | None:
    """A validator that `If-Range` may use: it changes with every byte."""
    etag = response.headers.get("ETag")
    if etag and etag.startswith('"'):
        return etag
    return None if etag else response.headers.get("Last-Modified")


def _retry_after_s(response: ClientResponse) -> float:
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT_S) if asked.isascii() and asked.isdigit() else 0.0


def _fault(wanted: Wanted, what: str) -> DownloadFailed:
    return DownloadFailed(
        f"{shown(wanted.url)} cannot be downloaded: {what}.",
        action="Check the address, or take the model from another place.",
    )
