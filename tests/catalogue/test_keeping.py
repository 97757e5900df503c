"""Models come and go: one writer at a time, whole or not at all, hashes remembered."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inzwa_rtc.catalogue.entries import Entry
from inzwa_rtc.catalogue.errors import ModelError, Tampered
from inzwa_rtc.catalogue.store import Store, default_folder
from tests.catalogue.models import GGUF, entry, fetch
from tests.catalogue.serving import FileServer, sha256
from tests.cli.command import ended


def test_a_removed_model_is_gone_but_its_hashes_are_remembered(store: Store, tiny: Entry) -> None:
    assert store.remove("tiny")
    assert store.state(tiny) == "absent"
    assert store.pins(tiny).files["model.gguf"] == sha256(GGUF)
    assert store.remove("tiny", forget=True)
    assert not store.pins(tiny).files
    assert not store.remove("tiny")


def test_a_link_is_removed_without_what_it_points_at(store: Store, source: Path) -> None:
    store.folder.mkdir()
    (store.folder / "tiny").symlink_to(source)
    assert store.remove("tiny")
    assert (source / "model.gguf").exists()


_HOLDER = """
import sys
from pathlib import Path
from inzwa_rtc.catalogue.store import Store

with Store(Path(sys.argv[1])).lock("tiny"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_processes_never_write_one_model(store: Store, source: Path) -> None:
    command = [sys.executable, "-c", _HOLDER, str(store.folder)]
    with ended(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ModelError, match="Another command is at work on the model `tiny`"):
            fetch(entry("tiny", source.as_uri()), store)
        fetch(entry("other", source.as_uri()), store)
        other.communicate(timeout=30)
        assert other.returncode == 0
    fetch(entry("tiny", source.as_uri()), store)


def test_a_half_downloaded_model_is_unfinished_until_it_is_whole(
    store: Store, web: FileServer
) -> None:
    web.put("/model.gguf", GGUF, cuts=[1000] * 9)
    wanted = entry("tiny", f"{web.url}/model.gguf")
    with pytest.raises(ModelError, match="cannot be downloaded"):
        fetch(wanted, store)
    assert store.state(wanted) == "unfinished"
    assert store.names() == []
    with pytest.raises(ModelError, match="is not in"):
        store.verify("tiny")
    web.files["/model.gguf"].cuts.clear()
    fetch(wanted, store)
    assert store.state(wanted) == "present"
    assert not store.partial("tiny").exists()


def test_the_default_folder_is_the_users_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "inzwa-rtc" / "models"


def test_an_update_replaces_a_model_whole(store: Store, tiny: Entry, source: Path) -> None:
    (source / "model.gguf").write_bytes(GGUF + b"new")
    (source / "parts" / "config.json").unlink()
    with pytest.raises(Tampered):
        fetch(tiny, store)
    record = fetch(tiny, store, update=True)
    assert [file.path for file in record.files] == ["model.gguf"]
    assert store.verify("tiny", tiny).read_bytes() == GGUF + b"new"
