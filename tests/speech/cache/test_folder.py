"""Phrases on disk outlive the server, stay within their room, and never hurt a call."""

from __future__ import annotations

import logging
import os
import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.speech.cache.folder import KEY_FILE, PhraseFolder
from inzwa_rtc.speech.cache.phrase import KeptPhrase

PHRASE = KeptPhrase((b"one", b"", b"three" * 40), (WordTime(0, 3, 0), WordTime(4, 5, 40, True)))
MIB = 2**20


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def folder(path: Path, max_bytes: int = MIB, variant: str = "opus 28000") -> PhraseFolder:
    return PhraseFolder(path, max_bytes, variant)


def files(path: Path) -> list[Path]:
    return sorted(path.glob("*.phrase"))


def test_a_phrase_is_found_again_after_a_restart(tmp_path: Path) -> None:
    folder(tmp_path).write(digest(1), PHRASE)
    assert folder(tmp_path).read(digest(1)) == PHRASE
    assert folder(tmp_path).read(digest(2)) is None


def test_another_encoding_is_another_phrase(tmp_path: Path) -> None:
    folder(tmp_path).write(digest(1), PHRASE)
    assert folder(tmp_path, variant="opus 32000").read(digest(1)) is None
    assert folder(tmp_path).read(digest(1)) == PHRASE


def test_names_tell_neither_the_digest_nor_the_same_in_two_places(tmp_path: Path) -> None:
    folder(tmp_path / "a").write(digest(1), PHRASE)
    folder(tmp_path / "b").write(digest(1), PHRASE)
    (one,), (two,) = files(tmp_path / "a"), files(tmp_path / "b")
    assert digest(1).hex() not in (one.stem, two.stem)
    assert one.stem != two.stem


def test_only_the_servers_user_can_read_what_is_kept(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "phrases"
    folder(place).write(digest(1), PHRASE)
    assert place.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in place.iterdir())


@pytest.mark.parametrize("position", [0, 20, 60, 100, -1], ids=str)
def test_a_damaged_file_is_not_played_and_is_removed(tmp_path: Path, position: int) -> None:
    folder(tmp_path).write(digest(1), PHRASE)
    (file,) = files(tmp_path)
    data = bytearray(file.read_bytes())
    data[position] ^= 1
    file.write_bytes(data)
    assert folder(tmp_path).read(digest(1)) is None
    assert not file.exists()


@pytest.mark.parametrize("length", [0, 10, 50, 60, 100])
def test_a_file_cut_short_is_not_played_and_is_removed(tmp_path: Path, length: int) -> None:
    folder(tmp_path).write(digest(1), PHRASE)
    (file,) = files(tmp_path)
    os.truncate(file, length)
    assert folder(tmp_path).read(digest(1)) is None
    assert not file.exists()


def test_one_phrases_file_does_not_pass_for_anothers(tmp_path: Path) -> None:
    kept = folder(tmp_path)
    kept.write(digest(1), PHRASE)
    (first,) = files(tmp_path)
    kept.write(digest(2), KeptPhrase((b"other",)))
    (second,) = set(files(tmp_path)) - {first}
    second.write_bytes(first.read_bytes())
    assert kept.read(digest(2)) is None
    assert kept.read(digest(1)) == PHRASE


def test_what_another_installation_wrote_is_not_played(tmp_path: Path) -> None:
    """Whoever has no key cannot put words into the agent's mouth."""
    folder(tmp_path / "a").write(digest(1), PHRASE)
    folder(tmp_path / "b").write(digest(1), PHRASE)
    (one,), (two,) = files(tmp_path / "a"), files(tmp_path / "b")
    one.write_bytes(two.read_bytes())
    assert folder(tmp_path / "a").read(digest(1)) is None


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    phrase = KeptPhrase((bytes(1000),))
    kept = folder(tmp_path, 10_000)
    for number in range(9):
        kept.write(digest(number), phrase)
        for file in set(files(tmp_path)):  # the order of use, however quick the test
            if file.stat().st_mtime > 10**6:
                os.utime(file, (number, number))
    assert kept.read(digest(0)) == phrase
    for number in range(9, 12):
        kept.write(digest(number), phrase)
    left = [number for number in range(12) if kept.read(digest(number)) is not None]
    assert 0 in left
    assert 11 in left
    assert 1 not in left


def test_it_stays_within_its_room_with_two_servers_writing(tmp_path: Path) -> None:
    one, two = folder(tmp_path, 100_000), folder(tmp_path, 100_000)
    for number in range(300):
        (one, two)[number % 2].write(digest(number), KeptPhrase((bytes(1000),)))
    total = sum(file.stat().st_size for file in files(tmp_path))
    assert 50_000 < total < 110_000


def test_servers_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    servers = 8
    together = threading.Barrier(servers)

    def start(number: int) -> None:
        together.wait()
        folder(tmp_path).write(digest(number), PHRASE)

    with ThreadPoolExecutor(servers) as pool:
        list(pool.map(start, range(servers)))
    kept = folder(tmp_path)
    assert [kept.read(digest(number)) for number in range(servers)] == [PHRASE] * servers


def test_a_phrase_is_read_whole_while_others_write_and_delete_it(tmp_path: Path) -> None:
    def work(seed: int) -> set[KeptPhrase | None]:
        kept = folder(tmp_path, 5_000)  # room for some of them: all servers delete
        read: set[KeptPhrase | None] = set()
        for number in range(60):
            kept.write(digest((number * seed) % 10), KeptPhrase((bytes(1000),)))
            read.add(kept.read(digest(number % 10)))
        return read

    with ThreadPoolExecutor(4) as pool, capture_logs() as logs:
        found = set().union(*pool.map(work, (1, 3, 7, 9)))
    assert found == {None, KeptPhrase((bytes(1000),))}
    assert logs == []


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    foreign = [tmp_path / name for name in ("notes.txt", "letter.phrase", "a" * 64)]
    for file in foreign:
        file.write_bytes(bytes(5000))
    kept = folder(tmp_path, 4_000)
    for number in range(10):
        kept.write(digest(number), KeptPhrase((bytes(1000),)))
    assert all(file.stat().st_size == 5000 for file in foreign)


def test_what_a_killed_server_left_half_written_is_removed_in_time(tmp_path: Path) -> None:
    kept = folder(tmp_path)
    old, new = tmp_path / ".part-old.phrase", tmp_path / ".part-new.phrase"
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    kept.write(digest(1), PHRASE)
    assert not old.exists()
    assert new.exists()


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond a few bytes: the system refuses to write the rest."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_once_and_hurts_nobody(tmp_path: Path) -> None:
    kept = folder(tmp_path)
    with capture_logs() as logs:
        with full_disk():
            kept.write(digest(1), PHRASE)
            kept.write(digest(2), PHRASE)
            assert kept.read(digest(1)) is None
        kept.write(digest(1), PHRASE)
    assert [line["event"] for line in logs] == ["phrase_cache.disk_failed"]
    assert kept.read(digest(1)) == PHRASE
    assert sorted(file.name for file in tmp_path.iterdir()) == [*[files(tmp_path)[0].name], "key"]


def test_a_folder_that_vanishes_hurts_nobody(tmp_path: Path) -> None:
    kept = folder(tmp_path / "phrases")
    (tmp_path / "phrases" / KEY_FILE).unlink()
    (tmp_path / "phrases").rmdir()
    with capture_logs():
        kept.write(digest(1), PHRASE)
    assert kept.read(digest(1)) is None


def test_a_folder_that_cannot_be_used_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigError, match=r"phrase_cache\.folder"):
        folder(tmp_path / "file" / "phrases")


def test_a_key_that_is_none_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(ConfigError, match="Delete it"):
        folder(tmp_path)


def test_nothing_of_the_phrase_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), capture_logs() as logs:
        kept = folder(tmp_path)
        kept.write(digest(1), PHRASE)
        kept.read(digest(1))
    assert logs == []
    assert caplog.records == []
