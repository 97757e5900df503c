"""Plugs the engines of `tests.support.plugged` into a server, and reads what they spoke."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.speech.text.reader import TextReader
from tests.support.plugged import END, STALL
from tests.support.voice import Samples, resampled

ROOT = Path(__file__).parents[2]
ENTRY_POINTS = """\
[inzwa_rtc.asr]
plugged = tests.support.plugged:PluggedPocketSphinx
[inzwa_rtc.llm]
plugged = tests.support.plugged:PluggedScripted
[inzwa_rtc.tts]
plugged = tests.support.plugged:PluggedESpeak
"""


@dataclass(frozen=True, slots=True)
class Said:
    """One request to the synthesizer, and its audio as far as it was made."""

    text: str
    voice: str | None
    speed: float
    samples: Samples  # 48 kHz


class Plugin:
    """The plugged engines as a test sees them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let servers of this process and of processes to be started find the engines."""
        distribution = self._folder / "inzwa_rtc_plugged-0.dist-info"
        distribution.mkdir()
        (distribution / "METADATA").write_text("Name: inzwa-rtc-plugged\nVersion: 0\n")
        (distribution / "entry_points.txt").write_text(ENTRY_POINTS)
        monkeypatch.syspath_prepend(self._folder)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(self._folder), str(ROOT)]))

    def settings(self, *kinds: EngineKind) -> dict[str, Any]:
        """Settings that have these kinds of engines plugged in."""
        chosen: dict[str, Any] = {}
        for kind in kinds:
            chosen |= {f"{kind}_engine": "plugged", kind: {"folder": str(self._folder)}}
        return chosen

    def before(self, kind: EngineKind, other: str) -> dict[str, Any]:
        """Settings that prefer the plugged engine, and have another stand in for it."""
        options = {"plugged": {"folder": str(self._folder)}, other: {}}
        return {f"{kind}_engine": ("plugged", other), kind: options}

    def environment(self, *kinds: EngineKind) -> dict[str, str]:
        """The same for a server in a process of its own."""
        return {
            name: value
            for kind in kinds
            for name, value in (
                (f"INZWA_{kind.upper()}_ENGINE", "plugged"),
                (f"INZWA_{kind.upper()}__FOLDER", str(self._folder)),
            )
        }

    def stall(self, kind: EngineKind) -> None:
        """Let this kind's requests get stuck from now on."""
        (self._folder / STALL.format(kind)).touch()

    def end(self, kind: EngineKind, sent: signal.Signals) -> None:
        """Let this kind's process send itself the signal at each request from now on."""
        (self._folder / END.format(kind)).write_text(str(sent.value))

    def recover(self) -> None:
        """Let later requests run through."""
        for name in (STALL, END):
            for mark in self._folder.glob(name.format("*")):
                mark.unlink()

    def all_said(self) -> list[Said]:
        """All that was asked of the synthesizer so far, in order."""
        return [_read(path) for path in sorted(self._folder.glob("*.said"))]

    def said(self, reply: str) -> Samples:
        """The audio of the newest answer of this text, 48 kHz: its phrases in order."""
        everything = self.all_said()
        for first in reversed(range(len(everything))):
            if found := list(_phrases_of(reply, everything[first:])):
                return np.concatenate(found)
        raise AssertionError(f"never spoken whole: {reply!r}")


def _phrases_of(reply: str, said: list[Said]) -> Iterator[Samples]:
    """The phrases that make up the reply as it is read aloud, with others between them; nothing
    if one lacks."""
    read = TextReader("en").read(reply, len(reply) + 1000)
    rest, found = _letters(" ".join(piece.text for piece in read)), []
    for one in said:
        if rest and rest.startswith(_letters(one.text)):
            rest = rest.removeprefix(_letters(one.text))
            found.append(one.samples)
    return iter(() if rest else found)


def _letters(text: str) -> str:
    """What of a text is spoken."""
    return "".join(filter(str.isalnum, text))


def _read(path: Path) -> Said:
    line, _, pcm = path.read_bytes().partition(b"\n")
    about = json.loads(line)
    samples = resampled(pcm[: len(pcm) // 2 * 2], about["sample_rate"], 48_000)
    return Said(about["text"], about["voice"], about["speed"], samples)
