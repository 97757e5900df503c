"""`inzwa-rtc engines` lists what other packages bring, sound or broken."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.command import run

ENTRY_POINTS = """\
[inzwa_rtc.llm]
able = theirs.able:Able
built = theirs.able:Built
mute = theirs.able:Mute
broken = theirs.broken:Broken
quits = theirs.quits:Quits
nowhere = theirs.nowhere:Nowhere
"""
ABLE = """
print("hello from a library")

class Able:
    abilities = ("probabilities", "adapters", "juggles")

class Built:
    @property
    def abilities(self):
        return ("adapters",)

class Mute:
    pass
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of packages with one that brings engines."""
    about = tmp_path / "theirs-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: theirs\nVersion: 1\nSummary: six engines\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    package = tmp_path / "theirs"
    package.mkdir()
    (package / "able.py").write_text(ABLE)
    (package / "broken.py").write_text("1 / 0")
    (package / "quits.py").write_text("raise SystemExit(7)")
    return tmp_path


def test_the_list_tells_what_their_classes_say_and_which_cannot_be_imported(theirs: Path) -> None:
    paths = os.pathsep.join([str(theirs), os.environ.get("PYTHONPATH", "")])
    listed = run(theirs, "engines", "--json", PYTHONPATH=paths)
    assert listed.returncode == 0, listed.stderr
    rows = {row["name"]: row for row in json.loads(listed.stdout) if row["kind"] == "llm"}
    assert rows["able"]["abilities"] == ["adapters", "probabilities"]
    assert (rows["built"]["abilities"], rows["mute"]["abilities"]) == ([], [])
    assert rows["mute"]["summary"] == "from theirs: six engines"
    for name, why in (
        ("broken", "ZeroDivisionError"),
        ("quits", "SystemExit"),
        ("nowhere", "EngineUnavailable"),
    ):
        assert rows[name]["summary"].endswith(f"(cannot be imported here: {why})")
        assert rows[name]["abilities"] == []
    assert "hello from a library" in listed.stderr
