"""`doctor`: it finds what would keep calls from working, and says what to do."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.cli.doctor import access, machine, network
from inzwa_rtc.cli.doctor.command import CHECKS
from inzwa_rtc.cli.doctor.command import run as run_check
from inzwa_rtc.cli.doctor.finding import Finding
from inzwa_rtc.errors import EngineUnavailable
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport import ice
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
    assert "PROBLEM  engines" in result.stdout
    assert "espeak" in result.stdout, "the known engines are named"
    assert "PROBLEM  http port" in result.stdout
    assert "INZWA_PORT" in result.stdout
    assert result.stdout.count("PROBLEM") == 2, "a name that is mistyped is told once"


def test_every_finding_that_is_not_ok_says_what_to_do(tmp_path: Path, free_port: int) -> None:
    _, findings = diagnose(tmp_path, INZWA_PORT=str(free_port), INZWA_HOST="0.0.0.0")
    for finding in findings.values():
        assert finding["status"] == "ok" or finding["action"], finding


def test_a_check_that_breaks_is_a_problem_of_its_own() -> None:
    def out_of_order(settings: Settings) -> Finding:
        raise ZeroDivisionError("by zero")

    def not_there(settings: Settings) -> Finding:
        raise EngineUnavailable("It is not there.", action="Bring it.")

    (broken,) = run_check(out_of_order, Settings())
    assert (broken.name, broken.status) == ("out of order", "problem")
    (missing,) = run_check(not_there, Settings())
    assert missing.action == "Bring it."


def test_pages_of_other_machines_need_tls_for_the_microphone() -> None:
    assert network.microphone(Settings(host="localhost")).status == "ok"
    assert network.microphone(Settings(host="::1")).status == "ok"
    assert network.microphone(Settings(host="0.0.0.0")).status == "warning"


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A machine with these addresses, both of which can be bound anywhere."""
    addresses = ("127.0.0.1", "127.0.0.2")
    monkeypatch.setattr(ice, "machine_addresses", lambda: ["::1", *addresses])
    return addresses


def test_udp_ports_must_be_free_and_enough_on_every_address_that_calls_use(
    two_addresses: tuple[str, str],
) -> None:
    one, other = two_addresses
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((one, 0))
        port = taken.getsockname()[1]
        ports = Settings(udp_ports=f"{port}-{port}", max_concurrent_sessions=1)
        found = network.udp_ports(ports)
        assert (found.status, one in found.what) == ("warning", True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as also:
            also.bind((other, port))
            assert network.udp_ports(ports).status == "problem"
    assert network.udp_ports(ports).status == "ok"
    two_calls = ports.model_copy(update={"max_concurrent_sessions": 2})
    assert network.udp_ports(two_calls).status == "warning"
    assert network.udp_ports(Settings(enable_webrtc=False)).status == "ok"


def test_the_addresses_are_those_that_the_server_binds(
    two_addresses: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert network.addresses(Settings()).status == "warning", "only loopback"
    here = ["127.0.0.1", "192.168.7.7", "fe80::7"]
    monkeypatch.setattr(ice, "machine_addresses", lambda: here)
    found = network.addresses(Settings())
    assert found.status == "ok"
    assert "192.168.7.7" in found.what
    assert "127.0.0.1" not in found.what
    assert "fe80" not in found.what


def test_no_advice_names_a_setting_that_does_not_exist(
    two_addresses: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ice, "machine_addresses", lambda: ["10.0.0.7"])
    assert "public_address" in network.addresses(Settings()).what
    assert "TURN" not in network.addresses(Settings()).what


def test_a_public_address_is_what_callers_are_told() -> None:
    assert "203.0.113.7" in network.addresses(Settings(public_address="203.0.113.7")).what


def test_open_files_must_do_for_all_calls() -> None:
    assert machine.open_files(Settings(max_concurrent_sessions=1)).status == "ok"
    assert machine.open_files(Settings(max_concurrent_sessions=100_000_000)).status == "warning"


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, "ok"),
        ({"access": {"open": True}}, "ok"),
        ({"access": {"open": False}}, "ok"),
        ({"host": "0.0.0.0"}, "problem"),
        ({"host": "0.0.0.0", "access": {"open": True}}, "warning"),
        ({"host": "0.0.0.0", "access": {"open": False}}, "ok"),
        ({"host": "0.0.0.0", "admin_key": "an operator's own key"}, "ok"),
    ],
)
def test_a_server_that_would_not_start_for_want_of_a_key_is_found(
    settings: dict[str, Any], status: str, tmp_path: Path
) -> None:
    finding = access.access(Settings.model_validate({"data_dir": tmp_path, **settings}))
    assert finding.status == status
    assert bool(finding.action) == (status != "ok")
