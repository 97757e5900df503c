"""`serve` and the command's edge: a server that starts, ends and fails as it should."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest
from click.testing import CliRunner

from inzwa_rtc import __version__
from inzwa_rtc.cli import main as edge
from inzwa_rtc.engines import guide
from inzwa_rtc.errors import (
    ConfigError,
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    ListenError,
)
from tests.cli.command import COMMAND, ended, environment, logged, run

SCRIPT = Path(guide.__file__).with_name("en.yaml")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [COMMAND, "serve", "--port", "0"],
        cwd=tmp_path,
        env=environment(INZWA_LOG_JSON="true"),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with ended(process):
        yield process


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The log line that says that the server is ready."""
    return logged(process, "server.ready")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_answers_until_it_is_told_to_end(
    server: subprocess.Popen[str], number: signal.Signals
) -> None:
    url = ready(server)["url"]
    with urlopen(f"{url.rstrip('/')}/healthz") as response:
        assert response.status == 200
    children = psutil.Process(server.pid).children(recursive=True)
    server.send_signal(number)
    server.send_signal(number)  # make passes the signal on that the whole group got already
    server.communicate(timeout=60)
    assert server.returncode == 0
    assert not [child for child in children if child.is_running()]


def llm(url: str) -> Any:
    """How the reply engine of the server is, by `/readyz`; its process."""
    with urlopen(f"{url.rstrip('/')}/readyz") as response:
        return json.load(response)["engines"]["llm"]


def test_sighup_exchanges_the_engines_that_the_file_names_anew(
    server: subprocess.Popen[str], tmp_path: Path
) -> None:
    ready(server)
    script = tmp_path / "mine.yaml"
    (tmp_path / "inzwa.yaml").write_text("llm: {script: mine.yaml}\nport: 9\n")
    server.send_signal(signal.SIGHUP)  # there is no such script: all stays as it is
    assert "mine.yaml" in logged(server, "settings.not_reloaded")["reason"]
    before = set(psutil.Process(server.pid).children())
    assert len(before) == 3

    shutil.copy(SCRIPT, script)
    server.send_signal(signal.SIGHUP)
    told = logged(server, "settings.reloaded")
    # What the script can answer is what the recogniser listens for.
    assert told["kinds"] == ["asr", "llm"]
    assert told["needs_restart"] == []  # --port is given, and stronger
    assert {logged(server, "engine.retired")["kind"] for _ in range(2)} == {"asr", "llm"}
    after = set(psutil.Process(server.pid).children())
    assert len(after) == 3
    assert len(before & after) == 1
    server.terminate()
    server.communicate(timeout=60)
    assert server.returncode == 0


def test_a_server_whose_terminal_has_gone_ends(tmp_path: Path) -> None:
    """SIGHUP comes when a window is closed, too."""
    person, terminal = pty.openpty()
    server = subprocess.Popen(
        [COMMAND, "serve", "--port", "0"],
        cwd=tmp_path,
        env=environment(INZWA_LOG_JSON="true"),
        stdin=terminal,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # the terminal is its own
    )
    with ended(server) as process:
        os.close(terminal)
        ready(process)
        os.close(person)
        logged(process, "server.stopped")
        assert process.wait(timeout=60) == 0


def test_a_taken_port_is_a_message_and_the_exit_code_of_what_may_pass(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(tmp_path, "serve", "--port", str(port))
    assert result.returncode == 4
    assert str(port) in result.stderr
    assert "--port" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_host_that_is_not_this_machines_yet_is_too(tmp_path: Path) -> None:
    elsewhere = ("serve", "--host", "203.0.113.7", "--port", "0")
    result = run(tmp_path, *elsewhere, INZWA_ACCESS__OPEN="true")
    assert result.returncode == 4
    assert "203.0.113.7" in result.stderr
    assert "Traceback" not in result.stderr


def test_where_others_reach_it_it_starts_only_with_a_key(tmp_path: Path) -> None:
    elsewhere = ("serve", "--host", "0.0.0.0", "--port", "0")
    data = {"INZWA_DATA_DIR": str(tmp_path / "data")}
    result = run(tmp_path, *elsewhere, **data)
    assert result.returncode == 2
    assert "inzwa-rtc keys create" in result.stderr
    assert "access.open: true" in result.stderr
    assert "Traceback" not in result.stderr
    assert run(tmp_path, "keys", "create", "web", **data).returncode == 0
    process = subprocess.Popen(
        [COMMAND, *elsewhere],
        cwd=tmp_path,
        env=environment(INZWA_LOG_JSON="true", **data),
        stderr=subprocess.PIPE,
        text=True,
    )
    with ended(process):
        ready(process)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "99999"], "`port` (command line)"),
        (["--config", "nowhere.yaml"], "nowhere.yaml does not exist"),
        (["--host", ""], "`host` (command line)"),
    ],
)
def test_wrong_options_are_a_message_and_exit_code_2(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    result = run(tmp_path, "serve", *arguments)
    assert result.returncode == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_an_engine_that_loads_too_slowly_has_the_exit_code_of_what_may_pass(
    tmp_path: Path,
) -> None:
    result = run(tmp_path, "serve", "--port", "0", INZWA_TIMEOUTS__ENGINE_START="0.001")
    assert result.returncode == 4
    assert "engine_start" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_option_of_an_engine_is_a_message_and_exit_code_2(tmp_path: Path) -> None:
    result = run(tmp_path, "serve", "--port", "0", INZWA_TTS__NONSENSE="1")
    assert result.returncode == 2
    assert "`tts.nonsense` is not an option" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_engine_is_a_message_and_exit_code_2(tmp_path: Path) -> None:
    result = run(tmp_path, "serve", "--port", "0", INZWA_ASR_ENGINE="nosuch")
    assert result.returncode == 2
    assert "nosuch" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    result = run(tmp_path, "version")
    assert result.stdout.startswith(f"inzwa-rtc {__version__} ")
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ConfigError("It is wrong.", action="Mend it."), 2, "Error: It is wrong.\n  Mend it.\n"),
        (EngineUnavailable("None.", action="Install it."), 3, "Error: None.\n  Install it.\n"),
        (EngineTimeout("Slow.", action="Wait."), 4, "Error: Slow.\n  Wait.\n"),
        (ListenError("Taken.", action="Move."), 4, "Error: Taken.\n  Move.\n"),
        (EngineError("It broke."), 1, "Error: It broke.\n"),
        (
            ExceptionGroup("", [ExceptionGroup("", [EngineUnavailable("A.")]), ConfigError("B.")]),
            2,
            "Error: A.\nError: B.\n",
        ),
    ],
)
def test_errors_of_ours_become_messages_and_exit_codes(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, says: str
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(edge.version, "callback", fail)
    result = CliRunner().invoke(edge.main, ["version"])
    assert (result.exit_code, result.stderr) == (code, says)


def test_an_error_that_is_not_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ExceptionGroup("", [ConfigError("Ours."), ZeroDivisionError()])

    monkeypatch.setattr(edge.version, "callback", fail)
    result = CliRunner().invoke(edge.main, ["version"])
    assert isinstance(result.exception, ExceptionGroup)
