"""What killed servers leave among the temporary files goes; what others use stays."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from inzwa_rtc.engines.run_folder import sweep
from inzwa_rtc.engines.socket_folder import SocketFolder
from inzwa_rtc.errors import ConfigError
from tests.cli.command import ended

_OTHER_SERVER = """
import time
from inzwa_rtc.engines.socket_folder import SocketFolder
folder = SocketFolder.create("asr")
folder.socket.touch()
print(folder.socket, flush=True)
time.sleep(600)
"""


@pytest.fixture
def temporary(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(short_path))
    monkeypatch.setenv("TMPDIR", str(short_path))
    return short_path


def test_folder_is_private_and_goes_with_what_is_in_it(temporary: Path) -> None:
    folder = SocketFolder.create("llm")
    assert stat.S_IMODE(folder.socket.parent.stat().st_mode) == 0o700
    assert folder.socket.parent.name.startswith("inzwa-llm-")
    folder.socket.touch()
    folder.remove()
    assert list(temporary.iterdir()) == []


def test_sweep_takes_the_folders_of_killed_servers_and_leaves_those_of_running_ones(
    temporary: Path,
) -> None:
    mine = SocketFolder.create("tts")
    server = subprocess.Popen([sys.executable, "-c", _OTHER_SERVER], stdout=subprocess.PIPE)
    with ended(server) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().decode().strip())
        sweep()
        assert theirs.exists()
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert theirs.exists()
    sweep()
    assert list(temporary.iterdir()) == [mine.socket.parent]
    mine.remove()


def test_sweep_touches_nothing_that_is_not_such_a_folder(temporary: Path) -> None:
    for name in ("inzwa-asr-", "inzwa-recordings", "other.run"):
        (temporary / name).mkdir()
    (temporary / "inzwa-notes.run").write_text("a file")
    (temporary / "elsewhere").mkdir()
    (temporary / "inzwa-link.run").symlink_to(temporary / "elsewhere")
    before = sorted(temporary.iterdir())
    sweep()
    assert sorted(temporary.iterdir()) == before


def test_folder_that_another_server_sweeps_before_it_is_locked_is_made_again(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = tempfile.mkdtemp, []

    def swept_once(**named: str) -> str:
        made.append(make(**named))
        if len(made) == 1:
            sweep()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", swept_once)
    folder = SocketFolder.create("asr")
    sweep()
    assert len(made) == 2
    assert os.listdir(temporary) == [folder.socket.parent.name]  # noqa: PTH208
    folder.remove()


def test_temporary_files_with_too_long_a_path_are_answered_with_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "inzwa_rtc.engines.run_folder._parents", lambda: ("/" + "x" * 71, "/" + "y" * 80)
    )
    with pytest.raises(ConfigError, match="TMPDIR to a path of at most 67 bytes"):
        SocketFolder.create("asr")
