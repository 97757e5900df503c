"""Phrases that were spoken before: in memory, on disk where it is configured, found by key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
from cachetools import LRUCache

from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.cache.folder import PhraseFolder
from inzwa_rtc.speech.cache.key import PhraseKey
from inzwa_rtc.speech.cache.phrase import KeptPhrase, coding
from inzwa_rtc.speech.cache.recording import Recording

_MIB = 2**20
T = TypeVar("T")

_ONCE_SPOKEN = 4096  # phrases that may yet recur: 32 bytes each
LONGEST_PINNED_S = 120.0  # an operator's greeting may be long, but memory has an end
_MOST_KEEPING = 8  # phrases at the same time: a second of encoding for most
_WRITE_S = 5.0
_READ_S = 0.1  # a phrase is made sooner by most engines than by a disk that takes longer


@dataclass(slots=True)
class Counts:
    """What the cache was good for, since the server started."""

    hits: int = 0
    """Phrases found,"""
    disk_hits: int = 0
    """those among them that came from disk,"""
    misses: int = 0
    """and phrases not found."""
    encodes_saved: int = 0
    """Frames of found phrases: as many need no encoding where they are sent as Opus."""


class PhraseCache:
    """Keeps phrases whole and encoded; the least recently used one goes first, by size.

    Pinned phrases (greeting, apologies, fillers) stay, however many others come, and take no
    room from them. Belongs to one event loop; files are read and written in threads.
    """

    def __init__(self, settings: Settings) -> None:
        group = settings.phrase_cache
        self.counts = Counts()
        self._bitrate = settings.opus_bitrate
        self._max_s = group.max_phrase_s
        self._recent: LRUCache[bytes, KeptPhrase] = LRUCache(
            group.memory_mb * _MIB, getsizeof=lambda phrase: phrase.size_bytes
        )
        self._once: LRUCache[bytes, None] = LRUCache(_ONCE_SPOKEN)
        self._pinned: dict[bytes, dict[bytes, KeptPhrase]] = {}
        """By line, each with its phrase by digest, if it was kept yet."""
        self._keeping: set[asyncio.Task[KeptPhrase | None]] = set()
        # Threads of its own: a disk that hangs must not take those that others wait for.
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="phrases")
        self._folder = (
            PhraseFolder(
                phrase_folder(settings), group.disk_mb * _MIB, coding(settings.opus_bitrate)
            )
            if group.disk_mb
            else None
        )

    @property
    def size_bytes(self) -> int:
        """Memory taken by phrases, pinned ones among them."""
        return int(self._recent.currsize) + sum(phrase.size_bytes for phrase in self._pins())

    def __len__(self) -> int:
        """How many phrases are in memory."""
        return len(self._recent) + len(self._pins())

    def _pins(self) -> list[KeptPhrase]:
        return [phrase for kept in self._pinned.values() for phrase in kept.values()]

    async def find(self, key: PhraseKey) -> KeptPhrase | None:
        """The phrase as it was kept, if it was. A disk that does not answer soon has nothing."""
        digest = key.digest
        phrase = self._pinned.get(key.line, {}).get(digest) or self._recent.get(digest)
        if phrase is None and self._folder is not None and key.is_keepable:
            phrase = await self._read(self._folder, digest)
            if phrase is not None:
                self.counts.disk_hits += 1
                self._remember(key, phrase)
        if phrase is None:
            self.counts.misses += 1
        else:
            self.counts.hits += 1
            self.counts.encodes_saved += len(phrase.packets)
        return phrase

    def recurs(self, key: PhraseKey) -> bool:
        """Whether this phrase was asked for here before, or is pinned, so that it is worth keeping.
        Remembers that it was. None is where no other than pinned ones are kept."""
        digest = key.digest
        if key.line in self._pinned:
            return True
        if not self._recent.maxsize and self._folder is None:
            return False
        if digest in self._once:
            return True
        self._once[digest] = None
        return False

    def recording(self, key: PhraseKey, rate: int) -> Recording:
        """Where the sound of a phrase is collected that was not found; `rate` in Hz."""
        return Recording(rate, LONGEST_PINNED_S if key.line in self._pinned else self._max_s)

    async def keep(self, key: PhraseKey, recording: Recording) -> KeptPhrase | None:
        """Keep a phrase whose sound is complete; None where it is not to be kept.

        `key` must name the engine that spoke it, not one that it stood in for.
        """
        if not key.is_keepable or not recording.is_worth_keeping:
            return None
        phrase = await asyncio.to_thread(self.encoded, recording)
        self._remember(key, phrase)
        if self._folder is not None:
            with suppress(TimeoutError):  # it is in memory, and the next server makes it anew
                async with asyncio.timeout(_WRITE_S):
                    await self._on_disk(self._folder.write, key.digest, phrase)
        return phrase

    def keep_soon(self, key: PhraseKey, recording: Recording) -> None:
        """The same beside whatever goes on: no caller waits for it. Under load some are not
        kept."""
        if len(self._keeping) < _MOST_KEEPING:
            task = asyncio.create_task(self.keep(key, recording))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    def encoded(self, recording: Recording) -> KeptPhrase:
        """The phrase as it would be kept. Blocks: call it in a thread."""
        return KeptPhrase.of(recording.pcm, recording.rate, recording.words, self._bitrate)

    def pin(self, keys: Iterable[PhraseKey]) -> None:
        """These phrases, kept already or yet to be, stay in memory in whatever loudness, and no
        others.

        To be called anew, and what is missing spoken ahead, whenever a voice, an engine or a
        language is changed.
        """
        before = self._pinned
        wanted = list(keys)
        self._pinned = {key.line: before.get(key.line, {}) for key in wanted}
        for key in wanted:
            if phrase := self._recent.pop(key.digest, None):
                self._remember(key, phrase)
        for line in before.keys() - self._pinned.keys():
            for digest, phrase in before[line].items():
                self._remember_recent(digest, phrase)

    async def settled(self) -> None:
        """Return once what is to be kept by now is."""
        await asyncio.gather(*self._keeping)

    async def close(self) -> None:
        """Give up what is being kept, and end what is being written."""
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        self._disk.shutdown(wait=False, cancel_futures=True)

    async def _read(self, folder: PhraseFolder, digest: bytes) -> KeptPhrase | None:
        try:
            async with asyncio.timeout(_READ_S):
                return await self._on_disk(folder.read, digest)
        except TimeoutError:
            return None

    async def _on_disk(self, work: Callable[..., T], *given: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work, *given)

    def _remember(self, key: PhraseKey, phrase: KeptPhrase) -> None:
        if key.line in self._pinned:
            self._pinned[key.line] = {key.digest: phrase}  # in the newest loudness only
        else:
            self._remember_recent(key.digest, phrase)

    def _remember_recent(self, digest: bytes, phrase: KeptPhrase) -> None:
        if phrase.size_bytes <= self._recent.maxsize:
            self._recent[digest] = phrase


def phrase_folder(settings: Settings) -> Path:
    """Where phrases lie on disk, if any are to."""
    given = settings.phrase_cache.folder
    if given is not None:
        return given.expanduser()
    return platformdirs.user_cache_path("inzwa-rtc", appauthor=False) / "phrases"


def loudness_file(settings: Settings) -> Path | None:
    """Where the loudness of voices is written down: beside phrases, and as they are only if
    something is to be written at all."""
    return phrase_folder(settings) / "loudness.json" if settings.phrase_cache.disk_mb else None
