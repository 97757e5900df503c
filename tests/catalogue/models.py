"""Pulling in tests: silent, without waiting between attempts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from inzwa_rtc.catalogue.entries import Entry
from inzwa_rtc.catalogue.manifest import Manifest
from inzwa_rtc.catalogue.pull import plan, pull
from inzwa_rtc.catalogue.sources.source import Progress, Source
from inzwa_rtc.catalogue.sources.web import WebServer
from inzwa_rtc.catalogue.store import Store

AT_ONCE = (0.0, 0.0, 0.0)
GGUF = b"GGUF" + bytes(range(256)) * 64


@contextmanager
def silent(path: str) -> Iterator[Progress]:
    yield lambda done, total: None


def entry(name: str, source: str, *files: dict[str, Any], **more: Any) -> Entry:
    return Entry.model_validate({"name": name, "source": source, "files": files, **more})


def fetch(
    wanted: Entry, store: Store, source: Source | None = None, *, update: bool = False
) -> Manifest:
    """Plan and pull, from the address of the entry or from `source`."""
    if source is None and wanted.source.startswith("http"):
        source = WebServer(wanted.source, AT_ONCE)
    return pull(plan(wanted, store, update=update, source=source), store, silent)
