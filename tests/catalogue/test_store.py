"""A tampered or half-downloaded file never loads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from inzwa_rtc.catalogue import files
from inzwa_rtc.catalogue.entries import Entry
from inzwa_rtc.catalogue.errors import ModelError, Tampered
from inzwa_rtc.catalogue.manifest import FILE
from inzwa_rtc.catalogue.store import Store
from tests.catalogue.models import GGUF, entry, fetch
from tests.catalogue.serving import sha256


def flip_a_byte(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))


def test_an_intact_model_is_given_as_its_folder(store: Store, tiny: Entry) -> None:
    assert store.verify("tiny", tiny) == store.folder / "tiny"
    assert store.state(tiny) == "present"
    assert store.names() == ["tiny"]


def test_a_model_of_one_file_is_given_as_that_file(store: Store, source: Path) -> None:
    fetch(entry("one", (source / "model.gguf").as_uri()), store)
    assert store.verify("one") == store.folder / "one" / "model.gguf"


def test_a_model_may_say_which_file_is_opened(store: Store, source: Path) -> None:
    fetch(entry("opens", source.as_uri(), opens="model.gguf"), store)
    assert store.verify("opens") == store.folder / "opens" / "model.gguf"


def test_one_flipped_byte_is_noticed(store: Store, tiny: Entry) -> None:
    flip_a_byte(store.folder / "tiny" / "model.gguf")
    with pytest.raises(Tampered, match=r"model.gguf was changed since it was pulled") as changed:
        store.verify("tiny", tiny)
    assert sha256(GGUF) in changed.value.message
    assert "models pull tiny" in changed.value.action


def test_a_flipped_byte_is_noticed_however_its_time_is_set_back(store: Store, tiny: Entry) -> None:
    path = store.folder / "tiny" / "model.gguf"
    before = path.stat()
    flip_a_byte(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(Tampered):
        store.verify("tiny", tiny)


def test_a_file_that_was_not_touched_is_not_hashed_again(
    store: Store, tiny: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inzwa_rtc.catalogue.store.digest", pytest.fail)
    store.verify("tiny", tiny)


def test_verifying_afresh_hashes_every_file(
    store: Store, tiny: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[int] = []

    def counted(file: object) -> object:
        hashed.append(1)
        return files.digest(file)  # type: ignore[arg-type]

    monkeypatch.setattr("inzwa_rtc.catalogue.store.digest", counted)
    store.verify("tiny", tiny, afresh=True)
    assert len(hashed) == 2


def test_a_copy_is_hashed_once_and_then_known(
    store: Store, tiny: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = Store(tmp_path / "copy")
    shutil.copytree(store.folder, copied.folder)
    # A while later: what was written a moment ago may still change within the same tick.
    monkeypatch.setattr(files, "TICK_S", 0.0)
    copied.verify("tiny", tiny)
    monkeypatch.setattr("inzwa_rtc.catalogue.store.digest", pytest.fail)
    copied.verify("tiny", tiny)


def test_a_file_changed_within_the_tick_of_its_hashing_gets_no_stamp(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        assert files.digest(file)[1] is None


def test_a_store_that_may_only_be_read_is_enough_to_serve(store: Store, tiny: Entry) -> None:
    os.utime(store.folder / "tiny" / "model.gguf")
    shutil.rmtree(store.folder / ".locks")
    (store.folder / ".locks").write_text("not a folder: nothing can be locked here")
    assert store.verify("tiny", tiny)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(GGUF[:-1])])
def test_a_missing_or_cut_file_is_damage(
    store: Store, tiny: Entry, spoil: Callable[[Path], object]
) -> None:
    spoil(store.folder / "tiny" / "model.gguf")
    assert store.state(tiny) == "damaged"
    with pytest.raises(Tampered):
        store.verify("tiny", tiny)


def test_a_link_in_place_of_a_file_is_refused(store: Store, tiny: Entry, source: Path) -> None:
    """Even where it leads to the very same bytes: it may lead elsewhere a moment later."""
    path = store.folder / "tiny" / "model.gguf"
    path.unlink()
    path.symlink_to(source / "model.gguf")
    assert store.state(tiny) == "damaged"
    with pytest.raises(Tampered, match="symbolic link"):
        store.verify("tiny", tiny, afresh=True)


@pytest.mark.parametrize("part", ["tiny/parts", "tiny"])
def test_a_link_in_place_of_a_folder_is_refused(
    store: Store, tiny: Entry, tmp_path: Path, part: str
) -> None:
    (store.folder / part).rename(tmp_path / "moved")
    (store.folder / part).symlink_to(tmp_path / "moved")
    with pytest.raises(Tampered, match="cannot be used"):
        store.verify("tiny", tiny)


def test_the_folder_of_all_models_may_be_a_link(store: Store, tiny: Entry, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(store.folder)
    assert Store(tmp_path / "link").verify("tiny", tiny)


def test_a_link_swapped_in_while_a_file_is_hashed_is_refused(
    store: Store, tiny: Entry, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = store.folder / "tiny" / "model.gguf"

    def swap(file: object) -> object:
        found = files.digest(file)  # type: ignore[arg-type]
        if path.exists():
            path.unlink()
            path.symlink_to(source / "model.gguf")
        return found

    monkeypatch.setattr("inzwa_rtc.catalogue.store.digest", swap)
    with pytest.raises(Tampered, match="symbolic link"):
        store.verify("tiny", tiny, afresh=True)


def test_a_file_swapped_in_while_another_is_hashed_is_refused(
    store: Store, tiny: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = store.folder / "tiny" / "model.gguf"

    def swap(file: object) -> object:
        found = files.digest(file)  # type: ignore[arg-type]
        other = path.with_name("other")
        other.write_bytes(b"evil")
        other.replace(path)
        return found

    monkeypatch.setattr("inzwa_rtc.catalogue.store.digest", swap)
    with pytest.raises(Tampered, match="was replaced while it was read"):
        store.verify("tiny", tiny, afresh=True)


def test_a_pipe_in_place_of_a_file_does_not_block(store: Store, tiny: Entry) -> None:
    path = store.folder / "tiny" / "model.gguf"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Tampered, match="not a regular file"):
        store.verify("tiny", tiny)


def test_a_file_that_was_not_pulled_is_refused(store: Store, tiny: Entry) -> None:
    (store.folder / "tiny" / "parts" / "tokenizer.json").write_text("{}")
    with pytest.raises(Tampered, match=r"tokenizer.json was not pulled"):
        store.verify("tiny", tiny)


def test_a_folder_without_a_record_is_no_model(store: Store) -> None:
    (store.folder / "half").mkdir(parents=True)
    (store.folder / "half" / "model.gguf").write_bytes(GGUF)
    assert store.names() == []
    with pytest.raises(Tampered):
        store.verify("half")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"name": "tiny"}', "x" * 2_000_000, "\N{GREEK SMALL LETTER ALPHA}"]
)
def test_a_spoilt_record_is_a_message(store: Store, tiny: Entry, text: str) -> None:
    (store.folder / "tiny" / FILE).write_text(text)
    assert store.state(tiny) == "damaged"
    with pytest.raises(Tampered, match=r"\.inzwa\.json is not what"):
        store.verify("tiny", tiny)


def test_a_record_cannot_lead_out_of_its_folder(store: Store, tiny: Entry) -> None:
    path = store.folder / "tiny" / FILE
    path.write_text(path.read_text().replace("model.gguf", "../../source/model.gguf"))
    with pytest.raises(Tampered):
        store.verify("tiny", tiny)


def test_a_record_that_was_rewritten_does_not_outvote_the_catalogue(
    store: Store, source: Path
) -> None:
    pinned = entry("one", (source / "model.gguf").as_uri())
    fetch(pinned, store)
    evil = GGUF[::-1]
    (store.folder / "one" / "model.gguf").write_bytes(evil)
    path = store.folder / "one" / FILE
    path.write_text(path.read_text().replace(sha256(GGUF), sha256(evil)))
    assert store.verify("one")
    known = entry("one", pinned.source, {"path": "model.gguf", "sha256": sha256(GGUF)})
    with pytest.raises(ModelError, match="not the one that the catalogue names"):
        store.verify("one", known)


def test_a_model_that_is_not_here_names_the_command(store: Store) -> None:
    with pytest.raises(ModelError, match="is not in") as missing:
        store.verify("tiny")
    assert missing.value.code == "model_missing"
    assert missing.value.action == "Run: inzwa-rtc models pull tiny"


@pytest.mark.parametrize("name", ["../tiny", "/etc", "..", ".pins", "", "a/b", "a\0b", "Tiny"])
def test_a_name_is_never_a_path(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="a name has"):
        store.verify(name)
