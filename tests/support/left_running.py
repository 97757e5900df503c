"""Processes that a test has left behind."""

from __future__ import annotations

import psutil


def left_running() -> list[psutil.Process]:
    """Those of this process and theirs, but for the database server that tests share."""
    found: list[psutil.Process] = []
    for child in psutil.Process().children():
        if child.name() != "postgres":
            found += [child, *child.children(recursive=True)]
    return found
