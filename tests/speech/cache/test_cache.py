"""What was spoken once is found again, what was not used goes first, and pins stay."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.cache import phrase
from inzwa_rtc.speech.cache.cache import PhraseCache, loudness_file, phrase_folder
from inzwa_rtc.speech.cache.folder import PhraseFolder
from inzwa_rtc.speech.cache.key import PhraseKey
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.speech.piece import Piece

RATE = 16_000
WORDS = (WordTime(0, 3, 0), WordTime(4, 5, 40))


def key(text: str = "one") -> PhraseKey:
    return PhraseKey("espeak", "1.52", "en-gb", "en", 1.0, 0.0, (Piece(text, "en"),))


def cache(**group: Any) -> PhraseCache:
    return PhraseCache(Settings.model_validate({"phrase_cache": group}))


def noise(ms: int) -> bytes:
    """Sound that needs all of the bitrate."""
    return bytes(range(256)) * (RATE * ms // 1000 * 2 // 256 + 1)


async def keep(kept: PhraseCache, text: str, ms: int = 500) -> None:
    recording = kept.recording(key(text), RATE)
    pcm = noise(ms)[: RATE * ms // 1000 * 2]
    recording.add(pcm[:1000], WORDS[:1])
    recording.add(pcm[1000:], WORDS[1:])
    await kept.keep(key(text), recording)


def within(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def fill(kept: PhraseCache, name: str) -> None:
    """As if a long phrase had just come from disk."""
    kept._remember(key(name), KeptPhrase((bytes(50_000),)))


async def is_found(kept: PhraseCache, text: str) -> bool:
    return await kept.find(key(text)) is not None


async def test_a_kept_phrase_is_found_with_its_words() -> None:
    kept = cache()
    assert await kept.find(key()) is None
    await keep(kept, "one", 500)
    found = await kept.find(key())
    assert found is not None
    assert found.words == WORDS
    assert found.duration_ms == 520
    assert (kept.counts.hits, kept.counts.misses, kept.counts.encodes_saved) == (1, 1, 26)
    assert (len(kept), kept.size_bytes) == (1, found.size_bytes)


async def test_the_least_recently_used_goes_first_by_its_size() -> None:
    kept = cache(memory_mb=1)
    names = [f"phrase {number}" for number in range(40)]
    await keep(kept, "used")
    for name in names:
        fill(kept, name)
        assert await is_found(kept, "used")
        assert kept.size_bytes <= 2**20
    assert not await is_found(kept, names[0])
    assert await is_found(kept, names[-1])
    assert kept.size_bytes > 2**19


async def test_a_phrase_that_is_too_long_is_not_kept() -> None:
    kept = cache(max_phrase_s=1)
    await keep(kept, "long", 1020)
    await keep(kept, "short", 1000)
    assert not await is_found(kept, "long")
    assert await is_found(kept, "short")
    assert len(kept) == 1


async def test_what_made_no_sound_or_has_no_fingerprint_is_not_kept(tmp_path: Path) -> None:
    kept = cache(disk_mb=1, folder=str(tmp_path))
    unknown = replace(key(), fingerprint="")
    recording = kept.recording(key("empty"), RATE)
    assert await kept.keep(key("empty"), recording) is None
    recording.add(noise(100))
    assert await kept.keep(unknown, recording) is None
    assert not await kept.find(unknown)
    assert len(kept) == 0
    assert [file.name for file in within(tmp_path)] == ["key"]


async def test_pinned_phrases_stay_without_any_room_and_at_any_length() -> None:
    kept = cache(memory_mb=0, max_phrase_s=1)
    kept.pin([key("greeting")])
    await keep(kept, "greeting", 1500)  # pinned ones may be longer than others
    await keep(kept, "other")
    assert await is_found(kept, "greeting")
    assert not await is_found(kept, "other")
    assert kept.size_bytes > 0


def test_a_phrase_recurs_that_was_asked_for_before_where_it_would_be_kept(tmp_path: Path) -> None:
    for kept in (cache(), cache(memory_mb=0, disk_mb=1, folder=str(tmp_path))):
        assert [kept.recurs(key("other")) for _ in range(3)] == [False, True, True]
    none = cache(memory_mb=0)
    none.pin([key("greeting")])
    assert [none.recurs(key("other")) for _ in range(3)] == [False, False, False]
    assert none.recurs(key("greeting"))


async def test_a_pinned_phrase_stays_pinned_in_another_loudness() -> None:
    kept = cache(memory_mb=0)
    kept.pin([key("greeting")])
    louder = replace(key("greeting"), voice_gain_db=3.5)
    assert kept.recurs(louder)
    await keep(kept, "greeting")
    recording = kept.recording(louder, RATE)
    recording.add(noise(100))
    await kept.keep(louder, recording)
    assert await kept.find(louder) is not None
    assert not await is_found(kept, "greeting")  # nobody asks for it any more
    assert len(kept) == 1


async def test_a_disk_that_hangs_has_nothing_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()
    kept = cache(disk_mb=1, folder=str(tmp_path))
    monkeypatch.setattr(PhraseFolder, "read", lambda *_: let_go.wait(60))
    try:
        assert await kept.find(key()) is None
        assert await kept.find(key("other")) is None
    finally:
        let_go.set()
    await kept.close()


async def test_no_more_is_kept_at_a_time_than_the_machine_bears() -> None:
    kept = cache()
    for number in range(100):
        recording = kept.recording(key(str(number)), RATE)
        recording.add(noise(20))
        kept.keep_soon(key(str(number)), recording)
    await kept.settled()
    assert 0 < len(kept) < 20
    await kept.close()


async def test_pinning_others_lets_the_first_ones_go() -> None:
    kept = cache(memory_mb=1)
    await keep(kept, "new")
    kept.pin([key("old")])
    await keep(kept, "old")
    kept.pin([key("new")])
    for number in range(40):
        fill(kept, f"phrase {number}")
    assert await is_found(kept, "new")
    assert not await is_found(kept, "old")


async def test_phrases_on_disk_are_found_by_the_next_server(tmp_path: Path) -> None:
    first = cache(disk_mb=1, folder=str(tmp_path))
    await keep(first, "one")
    second = cache(disk_mb=1, folder=str(tmp_path))
    assert await second.find(key()) == await first.find(key())
    assert await is_found(second, "one")
    assert (second.counts.hits, second.counts.disk_hits) == (2, 1)


@pytest.mark.parametrize(("name", "other"), [("_COMPLEXITY", 1), ("ENCODED_RATE", 16_000)])
async def test_what_was_encoded_otherwise_is_not_played_by_the_next_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, other: int
) -> None:
    first = cache(disk_mb=1, folder=str(tmp_path))
    await keep(first, "one")
    monkeypatch.setattr(phrase, name, other)
    second = cache(disk_mb=1, folder=str(tmp_path))
    assert not await is_found(second, "one")
    await keep(second, "one")
    third = cache(disk_mb=1, folder=str(tmp_path))
    assert await is_found(third, "one")


async def test_nothing_is_written_unless_asked_for(tmp_path: Path) -> None:
    kept = cache(folder=str(tmp_path))
    await keep(kept, "one")
    assert within(tmp_path) == []


async def test_no_file_holds_the_text_or_is_named_after_it(tmp_path: Path) -> None:
    kept = cache(disk_mb=1, folder=str(tmp_path))
    await keep(kept, "canary")
    assert len(within(tmp_path)) == 2
    for file in within(tmp_path):
        assert b"canary" not in file.read_bytes()
        assert key("canary").digest.hex() not in file.name


def test_a_folder_of_its_own_lies_among_the_users_caches() -> None:
    assert phrase_folder(Settings()).name == "phrases"
    given = Settings.model_validate({"phrase_cache": {"folder": "~/kept"}})
    assert phrase_folder(given) == Path.home() / "kept"


def test_loudness_is_written_down_where_phrases_are_and_only_then() -> None:
    assert loudness_file(Settings()) is None
    given = Settings.model_validate({"phrase_cache": {"folder": "/kept", "disk_mb": 1}})
    assert loudness_file(given) == Path("/kept/loudness.json")
