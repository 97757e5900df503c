"""How a model gets here: planned, so that a person can agree; then fetched, checked and
put in place.

What a file has to be is known, the first of these that there is: its hash in the
catalogue, the hash that was trusted when this source was first used, the hash that the
source states. Where none is known the file is trusted, said so, and remembered.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from inzwa_rtc.catalogue import formats
from inzwa_rtc.catalogue.entries import Entry, File
from inzwa_rtc.catalogue.errors import DownloadFailed, ModelError, Tampered
from inzwa_rtc.catalogue.files import TICK_S, digest, opened
from inzwa_rtc.catalogue.manifest import Kept, Manifest, Pins
from inzwa_rtc.catalogue.sources import space
from inzwa_rtc.catalogue.sources.source import Progress, Source, source_of
from inzwa_rtc.catalogue.store import Store

Report = Callable[[str], AbstractContextManager[Progress]]
"""Given a file's path, what to tell of its progress while it is fetched."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pull is going to do."""

    entry: Entry
    files: tuple[File, ...]
    revision: str | None
    licence: str | None
    non_commercial: bool
    source: Source

    @property
    def size(self) -> int | None:
        """Bytes to be stored; None where the source does not tell."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def trusted(self) -> tuple[str, ...]:
        """Files of which no hash is known: this pull decides what they have to be."""
        return tuple(file.path for file in self.files if file.sha256 is None)


def plan(entry: Entry, store: Store, *, update: bool = False, source: Source | None = None) -> Plan:
    """Ask the source what it has. `update` forgets what was trusted before.

    Raises `DownloadFailed`, `Refused` for files that run code, and `Tampered` when the
    source states another hash than the catalogue or an earlier pull.
    """
    pins = Pins(source=entry.source) if update else store.pins(entry)
    source = source or source_of(entry.source)
    listing = source.listing(entry, pins.revision)
    for file in listing.files:
        formats.refuse_name(file.path)
    known = {file.path: file for file in entry.files}
    licence = entry.licence or listing.licence
    return Plan(
        entry=entry,
        files=tuple(_expected(entry, known.get(file.path), file, pins) for file in listing.files),
        revision=listing.revision,
        licence=licence,
        non_commercial=entry.non_commercial or "-nc" in (licence or "").lower(),
        source=source,
    )


def pull(plan: Plan, store: Store, report: Report) -> Manifest:
    """Fetch what `plan` names and make it a model of the store.

    What was fetched stays when this fails or is interrupted, and is not fetched again.
    Raises what the source does, and `Tampered` for a file that is not what it has to be.
    """
    name = plan.entry.name
    with store.lock(name):
        files, parts = store.partial(name) / "files", store.partial(name) / "parts"
        files.mkdir(parents=True, exist_ok=True)
        _forget_strangers(files, plan)
        parts.mkdir(exist_ok=True)
        space.require(store.folder, _missing(plan, store.partial(name)))
        kept = tuple(_keep(plan, file, files, parts, report) for file in plan.files)
        record = Manifest(
            name=name,
            source=plan.entry.source,
            revision=plan.revision,
            licence=plan.licence,
            opens=plan.entry.opens,
            files=kept,
        )
        trusted = {file.path: file.sha256 for file in kept}
        store.publish(
            files, record, Pins(source=record.source, revision=record.revision, files=trusted)
        )
        shutil.rmtree(store.partial(name), ignore_errors=True)
    return record


def _expected(entry: Entry, known: File | None, offered: File, pins: Pins) -> File:
    """The file as it has to be."""
    sha256 = (known and known.sha256) or pins.files.get(offered.path)
    size = known.size if known and known.size is not None else offered.size
    if sha256 and offered.sha256 and sha256 != offered.sha256:
        raise _not_the_one(entry, offered.path, offered.sha256, sha256)
    if offered.size is not None and size != offered.size:
        raise Tampered(
            f"{entry.source} offers another {offered.path} than the catalogue names: "
            f"{offered.size} bytes, not {size}.",
            action=_OTHER_FILE.replace("NAME", entry.name),
        )
    return File(path=offered.path, size=size, sha256=sha256 or offered.sha256)


def _keep(plan: Plan, file: File, files: Path, parts: Path, report: Report) -> Kept:
    """The file among those of the model, fetched unless it is there already."""
    target = files / file.path
    if os.path.lexists(target) and file.sha256 is not None:
        with suppress(ModelError):
            return _checked(plan.entry, file, files)
    with report(file.path) as progress:
        came = plan.source.fetch(file, plan.revision, parts, progress)
    target.parent.mkdir(parents=True, exist_ok=True)
    came.replace(target)
    try:
        return _checked(plan.entry, file, files)
    except ModelError:
        target.unlink(missing_ok=True)  # going on with it would only fail again
        raise


def _checked(entry: Entry, file: File, folder: Path) -> Kept:
    """A file that came, if it is the one; it is looked into only after it was hashed."""
    time.sleep(TICK_S)  # so that its stamp may be relied on; see `files`
    with opened(folder, file.path) as content:
        sha256, stamp = digest(content)
        if file.sha256 not in (None, sha256):
            raise _not_the_one(entry, file.path, sha256, file.sha256)
        size = os.fstat(content.fileno()).st_size
        if file.size not in (None, size):
            raise DownloadFailed(
                f"{file.path} came with {size} bytes, where {file.size} were announced.",
                action="Run the same command again.",
            )
        formats.refuse_content(file.path, content)
        with suppress(OSError):  # not every system does this to a file that is only read
            os.fsync(content.fileno())
    return Kept(path=file.path, size=size, sha256=sha256, stamp=stamp)


def _forget_strangers(files: Path, plan: Plan) -> None:
    """Files of an earlier attempt that are no longer part of the model."""
    expected = {file.path for file in plan.files}
    for path in files.rglob("*"):
        if (path.is_symlink() or not path.is_dir()) and path.relative_to(
            files
        ).as_posix() not in expected:
            path.unlink()


def _missing(plan: Plan, partial: Path) -> int:
    """Bytes still to come, as far as sizes are known."""
    here = sum(path.lstat().st_size for path in partial.rglob("*") if path.is_file())
    return max(0, sum(file.size or 0 for file in plan.files) - here)


_OTHER_FILE = (
    "Do not use it until you know why. Was it meant to change, run: "
    "inzwa-rtc models pull --update NAME"
)


def _not_the_one(entry: Entry, path: str, found: str, expected: str | None) -> Tampered:
    return Tampered(
        f"{path} of {entry.source} is not the file that it has to be: "
        f"its SHA-256 is {found}, not {expected}.",
        action=_OTHER_FILE.replace("NAME", entry.name),
    )
