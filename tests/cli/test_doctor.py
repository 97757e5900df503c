"""`doctor`: it finds what would keep calls from working, and says what to do."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from inzwa_rtc.cli.doctor import machine, network
from inzwa_rtc.cli.doctor.command import CHECKS
from inzwa_rtc.cli.doctor.command import run as run_check
from inzwa_rtc.cli.doctor.finding import Finding
from inzwa_rtc.errors import EngineUnavailable
from inzwa_rtc.settings import Settings
from tests.cli.command import run


def diagnose(folder: Path, **settings: str) -> tuple[int, dict[str, dict[str, str]]]:
    result = run(folder, "doctor", "--json", **settings)
    assert "Traceback" not in result.stderr
    return result.returncode, {finding["name"]: finding for finding in json.loads(result.stdout)}


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_the_embedded_engines_speak_hear_and_answer(tmp_path: Path, free_port: int) -> None:
    code, findings = diagnose(tmp_path, INZWA_PORT=str(free_port))
    assert [name for name, finding in findings.items() if finding["status"] == "problem"] == []
    assert code == 0
    assert len(findings) == len(CHECKS)
    for name in ("opus", "voice detector", "recognition", "replies", "speech", "http port"):
        assert findings[name]["status"] == "ok", findings[name]


def test_a_problem_is_told_with_its_remedy_and_exit_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(tmp_path, "doctor", INZWA_PORT=str(port), INZWA_TTS_ENGINE="nosuch")
    assert result.returncode == 1
    assert "PROBLEM  speech" in result.stdout
    assert "espeak" in result.stdout, "the known engines are named"
    assert "PROBLEM  http port" in result.stdout
    assert "INZWA_PORT" in result.stdout


def test_every_finding_that_is_not_ok_says_what_to_do(tmp_path: Path, free_port: int) -> None:
    _, findings = diagnose(tmp_path, INZWA_PORT=str(free_port), INZWA_HOST="0.0.0.0")
    for finding in findings.values():
        assert finding["status"] == "ok" or finding["action"], finding


def test_a_check_that_breaks_is_a_problem_of_its_own() -> None:
    def out_of_order(settings: Settings) -> Finding:
        raise ZeroDivisionError("by zero")

    def not_there(settings: Settings) -> Finding:
        raise EngineUnavailable("It is not there.", action="Bring it.")

    broken = run_check(out_of_order, Settings())
    assert (broken.name, broken.status) == ("out of order", "problem")
    assert run_check(not_there, Settings()).action == "Bring it."


def test_pages_of_other_machines_need_tls_for_the_microphone() -> None:
    assert network.microphone(Settings(host="localhost")).status == "ok"
    assert network.microphone(Settings(host="::1")).status == "ok"
    assert network.microphone(Settings(host="0.0.0.0")).status == "warning"


def test_udp_ports_must_be_free_and_enough() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", 0))
        port = taken.getsockname()[1]
        assert network.udp_ports(Settings(udp_ports=f"{port}-{port}")).status == "problem"
    one = Settings(udp_ports=f"{port}-{port}", max_concurrent_sessions=2)
    assert network.udp_ports(one).status == "warning"
    assert network.udp_ports(one.model_copy(update={"max_concurrent_sessions": 1})).status == "ok"
    assert network.udp_ports(Settings(enable_webrtc=False)).status == "ok"


def test_a_public_address_is_what_callers_are_told() -> None:
    assert "203.0.113.7" in network.addresses(Settings(public_address="203.0.113.7")).what


def test_processors_are_counted_within_the_cgroups_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(machine, "_CGROUP_CPU", quota)
    without = machine.usable_processors()
    quota.write_text("max 100000\n")
    assert machine.usable_processors() == without
    quota.write_text("50000 100000\n")
    assert machine.usable_processors() == 0.5
    assert machine.processors(Settings()).status == "warning"


def test_open_files_must_do_for_all_calls() -> None:
    assert machine.open_files(Settings(max_concurrent_sessions=1)).status == "ok"
    assert machine.open_files(Settings(max_concurrent_sessions=100_000_000)).status == "warning"
