"""Where models lie: one folder for each, named after it.

    whisper-base/         the files and `.inzwa.json`: a model, whole or not there at all
    .partial/NAME/        a pull under way, kept so that it can be resumed
    .pins/NAME.json       hashes trusted on first use; they stay when the model is removed
    .locks/NAME.lock      held by whoever writes one of the above

A model is verified each time that an engine is given it: every file must be a plain file
below its folder, of the recorded hash, and there must be no other. A file whose stamp is
the recorded one is not hashed again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import filelock
import platformdirs

from inzwa_rtc.catalogue import manifest
from inzwa_rtc.catalogue.entries import Entry, checked_name
from inzwa_rtc.catalogue.errors import ModelError, Tampered
from inzwa_rtc.catalogue.files import Stamp, digest, opened, plain, settle, write_whole
from inzwa_rtc.catalogue.manifest import Kept, Manifest, Pins

State = Literal["present", "absent", "unfinished", "damaged"]


def default_folder() -> Path:
    """The user's own place for data: `~/.local/share/inzwa-rtc/models` on Linux.

    Not beside the configuration: gigabytes would be pulled again for every working
    directory, and `pull` would fill a folder that `serve`, started elsewhere, never reads.
    """
    return platformdirs.user_data_path("inzwa-rtc", appauthor=False) / "models"


class Store:
    """The models in `folder`, which may not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Every model that is here, whole."""
        return sorted(path.parent.name for path in self.folder.glob(f"[!.]*/{manifest.FILE}"))

    def state(self, entry: Entry) -> State:
        """How a model stands, without hashing it."""
        if not os.path.lexists(self.folder / entry.name):
            return "unfinished" if self.partial(entry.name).exists() else "absent"
        try:
            found = self._read(entry.name)
            _agree(found, entry)
            for file in found.files:
                if plain(self.folder, f"{entry.name}/{file.path}").st_size != file.size:
                    return "damaged"
        except ModelError:
            return "damaged"
        return "present"

    def read(self, name: str) -> Manifest | None:
        """What was recorded of a model; None for one that is not here."""
        return self._read(name) if os.path.lexists(self.folder / checked_name(name)) else None

    def verify(self, name: str, entry: Entry | None = None, *, afresh: bool = False) -> Path:
        """The file or folder of a model that an engine may be given; see the module.

        `entry` is what the catalogue says of it; `afresh` hashes every file, whatever its
        stamp. Raises `Tampered`, and `ModelError` for a model that is not here.
        """
        folder = self.folder / checked_name(name)
        recorded = self.read(name)
        if recorded is None:
            raise ModelError(
                f"The model `{name}` is not in {self.folder}.",
                action=f"Run: inzwa-rtc models pull {name}",
                code="model_missing",
            )
        if entry is not None:
            _agree(recorded, entry)
        _refuse_strangers(folder, recorded)
        checked = tuple(self._checked(name, file, afresh=afresh) for file in recorded.files)
        if checked != recorded.files:
            self._restamp(recorded.model_copy(update={"files": checked}))
        return folder / recorded.given if recorded.given else folder

    def remove(self, name: str, *, forget: bool = False) -> bool:
        """Delete a model and what was pulled of it; `forget` what was trusted as well.

        Returns whether there was anything.
        """
        with self.lock(name):
            places = [self.folder / name, self.partial(name)]
            if forget:
                places.append(self._pins(name))
            found = [place for place in places if os.path.lexists(place)]
            for place in found:
                if place.is_dir() and not place.is_symlink():
                    # Out of sight first: what is half deleted must not look like a model.
                    gone = self.partial(f"{name}~removed")
                    shutil.rmtree(gone, ignore_errors=True)
                    gone.parent.mkdir(parents=True, exist_ok=True)
                    place.replace(gone)
                    shutil.rmtree(gone)
                else:
                    place.unlink()
            return bool(found)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Be the only one who writes this model; `ModelError` while another process is."""
        path = self.folder / ".locks" / f"{checked_name(name)}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held = filelock.FileLock(path, timeout=0)
            held.acquire()
        except filelock.Timeout:
            raise ModelError(
                f"Another command is at work on the model `{name}`.",
                action="Wait until it is done, then try again.",
                code="model_busy",
            ) from None
        except OSError as error:
            raise ModelError(
                f"{self.folder} cannot be written: {error.strerror}.",
                action="Set `models_dir` to a folder of yours, or run this as its owner.",
                code="model_busy",
            ) from None
        try:
            yield
        finally:
            held.release()

    def partial(self, name: str) -> Path:
        """Where a pull of this model is under way."""
        return self.folder / ".partial" / name

    def pins(self, entry: Entry) -> Pins:
        """What this entry's source gave when it was first used; nothing for another source."""
        path = self._pins(entry.name)
        if os.path.lexists(path):
            found = manifest.read(path.parent, Pins, path.name)
            if found.source == entry.source:
                return found
        return Pins(source=entry.source)

    def publish(self, folder: Path, record: Manifest, pins: Pins) -> None:
        """Make a pulled folder the model, in one step. The lock must be held."""
        write_whole(folder / manifest.FILE, record.model_dump_json(indent=1))
        self._pins(record.name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._pins(record.name), pins.model_dump_json(indent=1))
        target = self.folder / record.name
        if os.path.lexists(target):
            old = self.partial(f"{record.name}~replaced")
            shutil.rmtree(old, ignore_errors=True)
            target.replace(old)  # an engine that has its files open goes on with them
            folder.replace(target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            folder.replace(target)
        settle(self.folder)

    def _pins(self, name: str) -> Path:
        return self.folder / ".pins" / f"{checked_name(name)}.json"

    def _read(self, name: str) -> Manifest:
        found = manifest.read(self.folder, Manifest, f"{name}/{manifest.FILE}")
        if found.name != name:
            raise _replaced(name, "its record is another model's")
        return found

    def _checked(self, name: str, file: Kept, *, afresh: bool) -> Kept:
        """The file with its stamp of now; raises `Tampered` when it is another one."""
        with opened(self.folder, f"{name}/{file.path}") as content:
            if not afresh and file.stamp == Stamp.of(os.fstat(content.fileno())):
                return file
            sha256, stamp = digest(content)
        if sha256 != file.sha256:
            raise Tampered(
                f"{self.folder / name / file.path} was changed since it was pulled: "
                f"its SHA-256 is {sha256}, not {file.sha256}.",
                action=f"Find out by what, then run: inzwa-rtc models pull {name}",
            )
        return file.model_copy(update={"stamp": stamp})

    def _restamp(self, record: Manifest) -> None:
        """Remember what was hashed, where that is possible: a server may only read here."""
        with suppress(ModelError, OSError), self.lock(record.name):
            if self.read(record.name) is not None:
                write_whole(
                    self.folder / record.name / manifest.FILE, record.model_dump_json(indent=1)
                )


def _agree(recorded: Manifest, entry: Entry) -> None:
    """The record must say what the catalogue says, as far as that says anything."""
    known = {file.path: file.sha256 for file in recorded.files}
    for file in entry.files:
        if file.path not in known or (file.sha256 or known[file.path]) != known[file.path]:
            raise ModelError(
                f"The model `{entry.name}` is not the one that the catalogue names now.",
                action=f"Run: inzwa-rtc models pull {entry.name}",
                code="model_tampered",
            )


def _refuse_strangers(folder: Path, recorded: Manifest) -> None:
    """A file that was not pulled may be read in place of one that was."""
    expected = {file.path for file in recorded.files} | {manifest.FILE}
    for path in _paths(folder):
        if path not in expected:
            raise _replaced(recorded.name, f"{folder / path} was not pulled")


def _paths(folder: Path, below: str = "") -> Iterator[str]:
    with os.scandir(folder / below) as found:
        for item in found:
            path = f"{below}{item.name}"
            if item.is_dir(follow_symlinks=False):
                yield from _paths(folder, f"{path}/")
            else:
                yield path


def _replaced(name: str, what: str) -> Tampered:
    return Tampered(
        f"The model `{name}` cannot be used: {what}.",
        action=f"Remove what does not belong there, or run: inzwa-rtc models pull {name}",
    )
