"""Running the installed `inzwa-rtc` command as a user does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

COMMAND = Path(sys.executable).with_name("inzwa-rtc")


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without its settings, and with those given; warnings are
    errors in the command too."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INZWA_", "CONFIG_PATH"))
    }
    return {**kept, "PYTHONWARNINGS": "error", **settings}


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command in `folder` to its end."""
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def logged(process: subprocess.Popen[str], event: str) -> dict[str, Any]:
    """The next line of this event in the log (JSON, on standard error); what came before it is
    not lost on failure."""
    lines: list[str] = []
    assert process.stderr
    for line in process.stderr:
        lines.append(line)
        told: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
        if told.get("event") == event:
            return told
    pytest.fail(f"the server ended without {event}:\n" + "".join(lines))


@contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[subprocess.Popen[Any]]:
    """The process ends with the block, if it has not before, whatever a test finds."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextmanager
def started(
    folder: Path,
    *arguments: str,
    settings: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[str]]:
    """The command, running in `folder`; all that it prints is in `stdout`. It ends with the
    block, if it has not before."""
    process = subprocess.Popen(
        [COMMAND, *arguments],
        cwd=folder,
        env=environment(**settings),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Shells let what they start in the background ignore Ctrl-C, tests included.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with ended(process):
        yield process
