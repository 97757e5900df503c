"""Phrases that were spoken before: in memory, on disk where it is configured, found by key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from cachetools import LRUCache

from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.cache.folder import PhraseFolder
from inzwa_rtc.speech.cache.key import PhraseKey
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.speech.cache.recording import Recording

_MIB = 2**20
_LONGEST_PINNED_S = 120.0  # an operator's greeting may be long, but memory has an end


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
        self._pins: frozenset[bytes] = frozenset()
        self._pinned: dict[bytes, KeptPhrase] = {}
        self._folder = (
            PhraseFolder(
                phrase_folder(settings), group.disk_mb * _MIB, f"opus {settings.opus_bitrate}"
            )
            if group.disk_mb
            else None
        )

    @property
    def size_bytes(self) -> int:
        """Memory taken by phrases, pinned ones among them."""
        return int(self._recent.currsize) + sum(p.size_bytes for p in self._pinned.values())

    def __len__(self) -> int:
        """How many phrases are in memory."""
        return len(self._recent) + len(self._pinned)

    async def find(self, key: PhraseKey) -> KeptPhrase | None:
        """The phrase as it was kept, if it was."""
        digest = key.digest
        phrase = self._pinned.get(digest) or self._recent.get(digest)
        if phrase is None and self._folder is not None and key.is_keepable:
            phrase = await asyncio.to_thread(self._folder.read, digest)
            if phrase is not None:
                self.counts.disk_hits += 1
                self._remember(digest, phrase)
        if phrase is None:
            self.counts.misses += 1
        else:
            self.counts.hits += 1
            self.counts.encodes_saved += len(phrase.packets)
        return phrase

    def recording(self, key: PhraseKey, rate: int) -> Recording:
        """Where the sound of a phrase is collected that was not found; `rate` in Hz."""
        is_pinned = key.digest in self._pins
        return Recording(rate, _LONGEST_PINNED_S if is_pinned else self._max_s)

    async def keep(self, key: PhraseKey, recording: Recording) -> KeptPhrase | None:
        """Keep a phrase whose sound is complete; None where it is not to be kept.

        `key` must name the engine that spoke it, not one that it stood in for.
        """
        if not key.is_keepable or not recording.is_worth_keeping:
            return None
        phrase = await asyncio.to_thread(
            KeptPhrase.of, recording.pcm, recording.rate, recording.words, self._bitrate
        )
        digest = key.digest
        self._remember(digest, phrase)
        if self._folder is not None:
            await asyncio.to_thread(self._folder.write, digest, phrase)
        return phrase

    def pin(self, keys: Iterable[PhraseKey]) -> None:
        """These phrases, kept already or yet to be, stay in memory, and no others.

        To be called anew, and what is missing spoken ahead, whenever a voice, an engine or a
        language is changed.
        """
        before, self._pinned = self._pinned, {}
        self._pins = frozenset(key.digest for key in keys)
        for digest in self._pins & self._recent.keys():
            before[digest] = self._recent.pop(digest)
        for digest, phrase in before.items():
            self._remember(digest, phrase)

    def _remember(self, digest: bytes, phrase: KeptPhrase) -> None:
        if digest in self._pins:
            self._pinned[digest] = phrase
        elif phrase.size_bytes <= self._recent.maxsize:
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
