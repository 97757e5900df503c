from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inzwa_rtc.catalogue.entries import Entry
from inzwa_rtc.catalogue.store import Store
from tests.catalogue.hub import FakeHub
from tests.catalogue.models import GGUF, entry, fetch
from tests.catalogue.serving import FileServer, serving


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a token of the developer's nor a proxy is used."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


@pytest.fixture
def web() -> Iterator[FileServer]:
    with serving(FileServer()) as server:
        yield server


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    server = FakeHub()
    with serving(server):
        yield server


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "parts").mkdir(parents=True)
    (folder / "model.gguf").write_bytes(GGUF)
    (folder / "parts" / "config.json").write_text("{}")
    return folder


@pytest.fixture
def tiny(store: Store, source: Path) -> Entry:
    wanted = entry("tiny", source.as_uri())
    fetch(wanted, store)
    return wanted
