"""What starts often imports only what it needs: a command, and an engine that starts again."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from inzwa_rtc.cli.main import main

DEAR = ("aiohttp", "aiortc", "av", "numpy", "pydantic", "sqlalchemy")


def loaded_by(module: str) -> set[str]:
    """The modules that a new process has after importing this one."""
    script = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_a_command_is_imported_only_when_it_is_run() -> None:
    loaded = loaded_by("inzwa_rtc.cli.main")
    assert "click" in loaded
    assert not loaded.intersection(DEAR)


@pytest.mark.parametrize("name", ["aiortc", "av", "sqlalchemy", "inzwa_rtc.settings", "signaling"])
def test_an_engines_process_imports_nothing_of_the_servers(name: str) -> None:
    loaded = loaded_by("inzwa_rtc.engines.service")
    assert "inzwa_rtc.engines.routes" in loaded
    assert name not in loaded


def test_a_mistyped_command_is_answered_with_the_right_one() -> None:
    script = "from inzwa_rtc.cli.main import main; main(['sreve'])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 2
    assert "'serve'" in run.stderr


def test_every_command_is_found_by_its_name() -> None:
    context = click.Context(main)
    names = main.list_commands(context)
    assert names == sorted(names)
    assert {"serve", "doctor", "version"} <= set(names)
    for name in names:
        command = main.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help
    assert main.get_command(context, "sreve") is None
