"""What is taken from places that are not the hub, and what is refused."""

from __future__ import annotations

import pickle
import shutil
import zipfile
from collections import namedtuple
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.catalogue.errors import DownloadFailed, ModelError, Refused, Tampered
from inzwa_rtc.catalogue.formats import refuse_content
from inzwa_rtc.catalogue.pull import plan
from inzwa_rtc.catalogue.sources.local import LocalFiles
from inzwa_rtc.catalogue.sources.source import source_of
from inzwa_rtc.catalogue.store import Store
from tests.catalogue.models import GGUF, entry, fetch
from tests.catalogue.serving import FileServer, sha256

_Usage = namedtuple("_Usage", "total used free")


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("unpickled",)


def zipped(**files: bytes) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def arrays() -> bytes:
    buffer = BytesIO()
    np.savez(buffer, voice=np.zeros(3, np.float32))
    return buffer.getvalue()


def test_a_file_of_the_web_with_the_right_hash_comes(store: Store, web: FileServer) -> None:
    web.put("/model.gguf", GGUF)
    known = {"path": "model.gguf", "sha256": sha256(GGUF)}
    record = fetch(entry("tiny", f"{web.url}/model.gguf", known), store)
    assert record.files[0].sha256 == sha256(GGUF)


def test_a_file_of_the_web_with_a_wrong_hash_is_refused_and_not_kept(
    store: Store, web: FileServer
) -> None:
    web.put("/model.gguf", GGUF[:-1] + b"!")
    known = {"path": "model.gguf", "sha256": sha256(GGUF)}
    wanted = entry("tiny", f"{web.url}/model.gguf", known)
    for _ in range(2):
        with pytest.raises(Tampered, match="is not the file that it has to be"):
            fetch(wanted, store)
        assert not [
            path for path in store.folder.rglob("*") if path.is_file() and ".lock" not in path.name
        ]
    web.put("/model.gguf", GGUF)
    fetch(wanted, store)


def test_files_below_an_address_with_a_final_slash_come(store: Store, web: FileServer) -> None:
    web.put("/release/a.onnx", b"aa")
    web.put("/release/b.bin", b"bbb")
    wanted = entry("pair", f"{web.url}/release/", {"path": "a.onnx"}, {"path": "b.bin"})
    fetch(wanted, store)
    assert (store.verify("pair") / "b.bin").read_bytes() == b"bbb"


def test_files_that_came_are_not_fetched_again(store: Store, web: FileServer) -> None:
    web.put("/release/a.onnx", b"aa")
    files = [{"path": name, "sha256": sha256(b"aa")} for name in ("a.onnx", "b.onnx")]
    wanted = entry("pair", f"{web.url}/release/", *files)
    with pytest.raises(DownloadFailed):
        fetch(wanted, store)
    web.put("/release/b.onnx", b"aa")
    fetch(wanted, store)
    assert [asked.path for asked in web.asked] == [
        "/release/a.onnx",
        "/release/b.onnx",
        "/release/b.onnx",
    ]


def test_what_an_earlier_attempt_left_of_other_files_is_dropped(
    store: Store, web: FileServer
) -> None:
    web.put("/release/a.onnx", b"aa")
    with pytest.raises(DownloadFailed):
        fetch(entry("pair", f"{web.url}/release/", {"path": "a.onnx"}, {"path": "b"}), store)
    web.put("/release/c.onnx", b"cc")
    fetch(entry("pair", f"{web.url}/release/", {"path": "c.onnx"}), store)
    assert store.verify("pair").read_bytes() == b"cc"


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/model.gguf",
        "https://user:canary@example.org/model.gguf",
        "ftp://example.org/model.gguf",
        "file://elsewhere/model.gguf",
        "https://[::/model.gguf",
        "https:///model.gguf",
    ],
)
def test_an_address_that_is_not_safe_is_refused(address: str) -> None:
    with pytest.raises(DownloadFailed) as refused:
        source_of(address)
    assert "canary" not in str(refused.value) or "password" in str(refused.value)


def test_a_folder_of_the_web_needs_file_names(store: Store, web: FileServer) -> None:
    with pytest.raises(DownloadFailed, match="is a folder"):
        fetch(entry("tiny", f"{web.url}/models/"), store)


def test_too_little_room_for_all_files_is_said_before_the_first(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.gguf").write_bytes(GGUF)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: _Usage(10**12, 0, 2**28 + 100))
    with pytest.raises(ModelError, match="16 kB more do not fit"):
        fetch(entry("tiny", (tmp_path / "model.gguf").as_uri()), store)


def test_links_are_not_followed_out_of_a_local_folder(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (tmp_path / "secret").write_text("canary")
    (source / "model.gguf").symlink_to(tmp_path / "secret")
    with pytest.raises(Tampered, match="symbolic link"):
        fetch(entry("tiny", source.as_uri()), store)
    (source / "model.gguf").unlink()
    (source / "folder").symlink_to(tmp_path)
    with pytest.raises(Tampered, match="symbolic link"):
        fetch(entry("tiny", source.as_uri()), store)


@pytest.mark.parametrize("kind", ["missing", "empty"])
def test_a_local_place_without_a_model_is_named(store: Store, tmp_path: Path, kind: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DownloadFailed):
        fetch(entry("tiny", (tmp_path / kind).as_uri()), store)


def test_hidden_files_of_a_local_folder_stay_there(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / ".git").mkdir(parents=True)
    (source / ".git" / "config").write_text("canary")
    (source / "model.gguf").write_bytes(GGUF)
    record = fetch(entry("tiny", source.as_uri()), store)
    assert [file.path for file in record.files] == ["model.gguf"]


@pytest.mark.parametrize("suffix", ["pt", "pth", "ckpt", "pkl", "PT"])
def test_files_named_as_pickles_are_refused(store: Store, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(b"anything")
    with pytest.raises(Refused, match="would run its code"):
        plan(entry("tiny", path.as_uri()), store)


@pytest.mark.parametrize(
    "content",
    [
        *(pickle.dumps(Evil(), protocol) for protocol in range(6)),
        pickle.dumps({"weights": [1.0]}, 2),
        pickle.dumps([Evil(), b"x" * 10_000], 0),
        pickle.dumps(Evil(), 0)[:-1] + b"\xff garbage after the call",
        zipped(**{"archive/data.pkl": pickle.dumps(Evil()), "archive/data/0": b"\0" * 64}),
        zipped(**{"voice.npy": b"x", "evil.py": b"x"}),
        zipped(),
        b"PK\x03\x04 but not a zip",
    ],
)
def test_a_pickle_in_disguise_is_refused_and_not_kept(
    store: Store, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(Refused, match=r"model.bin is a pickle"):
        fetch(entry("tiny", path.as_uri()), store)
    assert store.names() == []
    assert not list(store.folder.rglob("model.bin"))


@pytest.mark.parametrize(
    "content",
    [
        GGUF,
        b"lmgg" + bytes(64),
        b"\x06\x00\x00\x00\x0c\x00WhisperSpec\x00" + bytes(64),
        b"\x80\x02\x00\x00\x00\x00\x00\x00" + b'{"__metadata__":{}}',  # safetensors
        arrays(),
        b"cat\ndog\nhouse\n" * 400,
        b"image\ncar\nRabbit\n",
        b"",
    ],
)
def test_what_models_are_made_of_is_taken(store: Store, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    fetch(entry("tiny", path.as_uri()), store)
    assert store.verify("tiny").read_bytes() == content


@given(st.binary(max_size=200) | st.binary(max_size=50).map(lambda rest: b"PK\x03\x04" + rest))
def test_any_bytes_are_either_taken_or_refused(content: bytes) -> None:
    with suppress(Refused):
        refuse_content("model.bin", BytesIO(content))


def test_a_place_with_thousands_of_files_is_refused(store: Store, tmp_path: Path) -> None:
    for number in range(1001):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(DownloadFailed, match="more than any model needs"):
        LocalFiles(tmp_path.as_uri()).listing(entry("tiny", tmp_path.as_uri()), None)
