"""From a fresh clone to a first answered call: how long a newcomer waits.

    python -m benchmarks.first_call [--runs 1] [--working-tree] [--json]

Clones this repository into an empty folder, runs `make serve` there with a home
of its own (no caches of ours), and calls as soon as the server is ready, asking
for a sum. Needs what `make serve` needs: Python, and a package index.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks.caller import WebRtcCaller, calling
from benchmarks.figures import Figures, Machine
from benchmarks.mouth import Phrase, phrase
from benchmarks.server import free_port, until_ready

LIMIT_S = 1800.0
QUESTION = "what is seven times eight"
_ROOT = Path(__file__).resolve().parents[1]


async def measure(question: Phrase, is_working_tree: bool, figures: Figures) -> None:
    """One clone, one server, one call; times from the start of the clone, in seconds."""
    with tempfile.TemporaryDirectory(prefix="inzwa-first-call-") as folder:
        began = time.monotonic()
        tree = Path(folder) / "inzwa-rtc"
        (_copy if is_working_tree else _clone)(tree)
        _note(figures, "repository there", began)
        home = Path(folder) / "home"
        home.mkdir()
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            "make", "serve", f"ARGS=--port {port}", cwd=tree, env=_environment(home),
            stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            await until_ready(url, process, LIMIT_S)
            _note(figures, "server ready", began)
            await _call(url, question, began, figures)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGTERM)
            await process.wait()


async def _call(url: str, question: Phrase, began: float, figures: Figures) -> None:
    async with aiohttp.ClientSession() as http:
        caller = WebRtcCaller(http, url)
        async with calling(caller):
            await caller.ear.audible(0.0)
            _note(figures, "greeting heard", began)
            await caller.ear.silence(0.7)
            spoken = caller.mouth.speak(question)
            await spoken.sent()
            final = await caller.ear.event("asr.final", spoken.first_at)
            await caller.ear.audible(spoken.last_at)
            _note(figures, "answer heard", began)
            figures.notes.append(f"understood: {final.event['text']!r}")


def _note(figures: Figures, name: str, began: float) -> None:
    figures.in_unit("s", name).add(time.monotonic() - began)


def _clone(tree: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", str(_ROOT), str(tree)], check=True)


def _copy(tree: Path) -> None:
    """All files that git knows or would take, as they are now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True).stdout
    for name in listed.decode().split("\0"):
        if name and (_ROOT / name).is_file():
            target = tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(_ROOT / name, target)


def _environment(home: Path) -> dict[str, str]:
    """Ours without our settings, virtual environment and caches."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INZWA_", "XDG_", "VIRTUAL_ENV", "PYTHON"))
    }
    return {**own, "HOME": str(home), "PIP_NO_CACHE_DIR": "1"}


async def _run(runs: int, is_working_tree: bool) -> Figures:
    question = await phrase(QUESTION)
    figures = Figures()
    machine = Machine()
    for _ in range(runs):
        await measure(question, is_working_tree, figures)
    figures.notes.append(f"{machine.note()}, the installation and the server included")
    return figures


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument(
        "--working-tree", action="store_true", help="copy the files as they are, do not clone"
    )
    parser.add_argument("--json", action="store_true", help="JSON, with all samples")
    given = parser.parse_args()
    figures = asyncio.run(_run(given.runs, given.working_tree))
    print(figures.show(given.json))  # noqa: T201


if __name__ == "__main__":
    main()
