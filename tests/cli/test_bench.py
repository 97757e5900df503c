"""`inzwa-rtc bench` finds out what a machine holds, and writes it down where it is told to."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from inzwa_rtc.bench.ramp import Limits
from inzwa_rtc.cli.bench_server import unguarded
from inzwa_rtc.cli.limit_written import write_limit
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import load
from tests.cli.command import COMMAND, environment
from tests.support.configuration import empty_surroundings

STUB = Path(__file__).parents[2] / "benchmarks/stub.yaml"
SHORT = ("--most=1", "--seconds=1", "--settle=0")
ANY_MACHINE = ("--outbound-ms=1e9", "--late-ms=1e9", "--response-ms=1e9")


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end: it starts a server, which takes its time on a busy machine."""
    return subprocess.run(
        [COMMAND, "bench", *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.mark.timeout(300)
def test_it_ramps_a_server_of_its_own_and_writes_what_it_held(tmp_path: Path) -> None:
    config, figures = tmp_path / "own.yaml", tmp_path / "figures.json"
    config.write_text(f"# mine\n{STUB.read_text()}", encoding="utf-8")
    told = bench(
        tmp_path,
        *SHORT,
        *ANY_MACHINE,
        f"--config={config}",
        f"--json={figures}",
        "--write",
    )
    assert told.returncode == 0, told.stderr
    assert "This machine holds at least 1 call" in told.stdout
    figure = json.loads(figures.read_text())
    assert figure["held"] == 1
    assert [step["calls"] for step in figure["steps"]] == [1]
    assert figure["steps"][0]["callers_late_ms"] > 0
    written = config.read_text(encoding="utf-8")
    assert written.startswith("# mine\n")
    assert load(config).settings.max_concurrent_sessions == 1
    # Nothing of it stays: neither its database nor half a file.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures.json", "own.yaml"]


def test_the_server_that_is_measured_refuses_nobody_before_the_limits(tmp_path: Path) -> None:
    told = dict(setting.split("=", 1) for setting in unguarded(str(tmp_path), 7))
    assert told["max_concurrent_sessions"] == "7"
    assert (told["load.full_cpu_percent"], told["load.full_late_ms"]) == ("100", "1000")
    assert float(told["load.full_late_ms"]) > Limits().outbound_ms


@pytest.mark.timeout(300)
def test_a_server_that_does_not_start_is_told_with_what_it_said(tmp_path: Path) -> None:
    told = bench(tmp_path, *SHORT, "--set", "asr_engine=nonsense")
    assert told.returncode == 1
    assert "The server ended with code 2" in told.stderr
    assert "nonsense" in told.stderr


def test_a_server_that_is_not_there_is_an_error_with_what_to_do(tmp_path: Path) -> None:
    told = bench(tmp_path, *SHORT, "--url=http://127.0.0.1:9")
    assert told.returncode == 1
    assert "holds" not in told.stdout
    assert "There is no answer from http://127.0.0.1:9" in told.stderr
    assert "correct its address" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--url=http://127.0.0.1:9", "--set", "port=1"), "has its settings already"),
        (("--write",), "There is no settings file"),
        (("--set", "nonsense=1"), "not a setting"),
        (("--seconds=0",), "--seconds"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    told = bench(tmp_path, *arguments)
    assert told.returncode == 2
    assert said in told.stderr


class TestTheLimit:
    @pytest.fixture(autouse=True)
    def _empty(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        empty_surroundings(tmp_path, monkeypatch)

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("", "max_concurrent_sessions: 7\n"),
            ("port: 1", "port: 1\nmax_concurrent_sessions: 7\n"),
            (
                "# a\nmax_concurrent_sessions: 50  # as measured\nport: 1\n",
                "# a\nmax_concurrent_sessions: 7  # as measured\nport: 1\n",
            ),
        ],
    )
    def test_is_the_only_thing_that_changes(self, tmp_path: Path, before: str, after: str) -> None:
        file = tmp_path / "own.yaml"
        file.write_text(before, encoding="utf-8")
        file.chmod(0o640)
        write_limit(file, 7)
        assert file.read_text(encoding="utf-8") == after
        assert file.stat().st_mode & 0o777 == 0o640
        assert [path.name for path in tmp_path.iterdir()] == ["own.yaml"]

    def test_is_written_through_a_link(self, tmp_path: Path) -> None:
        file, link = tmp_path / "real.yaml", tmp_path / "own.yaml"
        file.write_text("port: 1\n", encoding="utf-8")
        link.symlink_to(file)
        write_limit(link, 7)
        assert link.is_symlink()
        assert "max_concurrent_sessions: 7" in file.read_text(encoding="utf-8")

    @pytest.mark.parametrize(
        "text", ['"max_concurrent_sessions": 50\n', "port: [\n", "{port: 1}\n"]
    )
    def test_is_not_written_where_it_would_not_be_understood(
        self, tmp_path: Path, text: str
    ) -> None:
        file = tmp_path / "own.yaml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError):
            write_limit(file, 7)
        assert file.read_text(encoding="utf-8") == text
        assert [path.name for path in tmp_path.iterdir()] == ["own.yaml"]

    def test_is_not_written_where_the_environment_says_otherwise(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(os.environ, "INZWA_MAX_CONCURRENT_SESSIONS", "3")
        file = tmp_path / "own.yaml"
        file.write_text("port: 1\n", encoding="utf-8")
        with pytest.raises(ConfigError, match="elsewhere"):
            write_limit(file, 7)
