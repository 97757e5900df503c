"""What an engine must not touch: the network beyond this machine, and the temporary folder.

Python's own sockets are watched, here in the test's process, in `test_at_home.py` in the engine's
own. What a library opened from C or Rust would not be seen.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HUB_SETTINGS = ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "TRANSFORMERS_OFFLINE")
"""What would keep libraries at home: an engine must stay there without."""


def is_here(address: object) -> bool:
    """Whether a socket's address is on this machine: a path, or a loopback address."""
    if isinstance(address, str | bytes):
        return True  # AF_UNIX
    host = address[0] if isinstance(address, tuple) else address
    try:
        return host == "localhost" or ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


@contextmanager
def at_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever leaves the machine within fails, and so does the test, even if that is caught."""
    tried: list[Any] = []

    def guarded(real: Any, place: int) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            if not is_here(given[place]):
                tried.append(given[place])
                raise OSError("the network is not there")
            return real(*given, **named)

        return call

    for name in HUB_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    with monkeypatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name), 1))
        for name in ("create_connection", "getaddrinfo", "gethostbyname"):
            patch.setattr(socket, name, guarded(getattr(socket, name), 0))
        yield
    assert tried == [], "the engine went to the network"


@contextmanager
def tidy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever leaves a temporary file behind fails; they are all made in `folder`."""
    with monkeypatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        yield
    assert os.listdir(folder) == []  # noqa: PTH208 - a Path's own is for code that may wait
