"""Phrases on disk, found again after a restart: one file each, under a name that tells nothing.

Names are keyed digests (HMAC-SHA256), because the digest of a short text could be found by
trying texts. The same key seals each file: one that was damaged, or written by someone else,
is not taken. Only files named as ours are ever touched. All of it blocks: call it in a thread.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

import structlog

from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.speech.whole import PART, write_whole

_log = structlog.get_logger(__name__)

KEY_FILE = "key"
_KEY_BYTES = 32
_MAGIC = b"inzwa phrase 1\n"
_SUFFIX = ".phrase"
_NAME = re.compile(r"[0-9a-f]{64}\.phrase")
_SEAL_BYTES = 32
_MOST_BYTES = 2**22  # no phrase is nearly as long; anything larger is none
_STALE_S = 3600.0  # what was begun so long ago will not be finished
_FULL_TO = 0.9  # of the room, after making some: not at each new phrase anew
_LOOK_AGAIN = 16  # of these parts of the room, filled by us: others may have written as much


class PhraseFolder:
    """Keeps up to about `max_bytes` of phrases in `folder`; the least recently used go first.

    Several servers may share a folder. Files appear whole or not at all. An error of the disk
    is logged, once until it works again, and otherwise as if there were no folder. Phrases of
    another `variant` (encoding) are other phrases. Raises `ConfigError` where the folder cannot
    be used from the start.
    """

    def __init__(self, folder: Path, max_bytes: int, variant: str) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._variant = variant.encode()
        self._lock = threading.Lock()
        self._unseen_bytes = max_bytes  # written since the folder was looked through: look first
        self._is_failing = False
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._key = _key(folder)
        except OSError as error:
            raise ConfigError(
                f"Phrases cannot be kept in {folder}: {error.strerror or type(error).__name__}.",
                action="Set `phrase_cache.folder` to one that the server may write to, or "
                "`phrase_cache.disk_mb` to 0.",
            ) from None

    def read(self, digest: bytes) -> KeptPhrase | None:
        """The phrase kept under this digest, which counts as used now."""
        file = self._file(digest)
        try:
            with file.open("rb") as opened:
                phrase = self._opened(file, opened.read(_MOST_BYTES))
            if phrase is None:
                file.unlink(missing_ok=True)
            else:
                os.utime(file)
        except FileNotFoundError:  # not there, or deleted meanwhile by another server
            return None
        except OSError as error:
            self._failed(error)
            return None
        return phrase

    def write(self, digest: bytes, phrase: KeptPhrase) -> None:
        """Keep the phrase under this digest."""
        file = self._file(digest)
        data = self._sealed(file, phrase)
        try:
            self._make_room(len(data))
            write_whole(file, data)
        except OSError as error:
            self._failed(error)
        else:
            self._is_failing = False

    def _file(self, digest: bytes) -> Path:
        name = hmac.digest(self._key, self._variant + b"\n" + digest, "sha256")
        return self._folder / f"{name.hex()}{_SUFFIX}"

    def _sealed(self, file: Path, phrase: KeptPhrase) -> bytes:
        head = {
            "sizes": [len(packet) for packet in phrase.packets],
            "words": [astuple(word) for word in phrase.words],
        }
        told = json.dumps(head).encode()
        body = struct.pack("<I", len(told)) + told + b"".join(phrase.packets)
        return _MAGIC + self._seal(file, body) + body

    def _opened(self, file: Path, data: bytes) -> KeptPhrase | None:
        """The phrase in this file; None where it is not one of ours as we wrote it."""
        start = len(_MAGIC) + _SEAL_BYTES
        seal, body = data[len(_MAGIC) : start], data[start:]
        if not data.startswith(_MAGIC) or not hmac.compare_digest(seal, self._seal(file, body)):
            return None
        # From here on it is what `_sealed` made.
        (size,) = struct.unpack_from("<I", body)
        head = json.loads(body[4 : 4 + size])
        at = 4 + size
        packets: list[bytes] = []
        for length in head["sizes"]:
            packets.append(body[at : at + length])
            at += length
        return KeptPhrase(tuple(packets), tuple(WordTime(*word) for word in head["words"]))

    def _seal(self, file: Path, body: bytes) -> bytes:
        """With the name in it, so that no file passes for another."""
        return hmac.digest(self._key, file.name.encode() + body, "sha256")

    def _make_room(self, size: int) -> None:
        """Delete what was not used for longest, when it may have become too much."""
        with self._lock:
            self._unseen_bytes += size
            if self._unseen_bytes <= self._max_bytes // _LOOK_AGAIN:
                return
            self._unseen_bytes = size
            files = sorted(self._looked_through(), key=lambda file: file[1].st_mtime_ns)
            total = sum(told.st_size for _, told in files) + size
            if total <= self._max_bytes:
                return
            for file, told in files:
                if total <= self._max_bytes * _FULL_TO:
                    break
                file.unlink(missing_ok=True)
                total -= told.st_size

    def _looked_through(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Our files; what was begun long ago and never finished is deleted."""
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another server has deleted it
                    if _NAME.fullmatch(entry.name):
                        yield Path(entry.path), entry.stat(follow_symlinks=False)
                    elif entry.name.startswith(PART) and _is_stale(entry):
                        Path(entry.path).unlink(missing_ok=True)

    def _failed(self, error: OSError) -> None:
        if not self._is_failing:
            self._is_failing = True
            _log.warning(
                "phrase_cache.disk_failed",
                error=error.strerror or type(error).__name__,
                action="Free the disk of `phrase_cache.folder`; calls go on without it.",
            )


def _is_stale(entry: os.DirEntry[str]) -> bool:
    return time.time() - entry.stat(follow_symlinks=False).st_mtime > _STALE_S


def _key(folder: Path) -> bytes:
    """This folder's key, made by whoever comes first."""
    file = folder / KEY_FILE
    with suppress(FileNotFoundError):
        return _whole_key(file)
    handle, part = tempfile.mkstemp(dir=folder, prefix=PART, suffix=_SUFFIX)
    try:
        with open(handle, "wb") as opened:  # noqa: PTH123
            opened.write(secrets.token_bytes(_KEY_BYTES))
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):  # another server was quicker: its key holds
            os.link(part, file)
    finally:
        Path(part).unlink(missing_ok=True)
    return _whole_key(file)


def _whole_key(file: Path) -> bytes:
    key = file.read_bytes()
    if len(key) != _KEY_BYTES:
        raise ConfigError(
            f"{file} is not the key of kept phrases.",
            action="Delete it: a new one is made, and phrases are kept anew.",
        )
    return key
