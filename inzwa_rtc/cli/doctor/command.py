"""The command: runs every check and prints what was found."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from inzwa_rtc.cli.doctor import engines, machine, media, network
from inzwa_rtc.cli.doctor.finding import Check, Finding
from inzwa_rtc.cli.options import as_json, config_file
from inzwa_rtc.errors import InzwaError
from inzwa_rtc.settings import Settings, load

CHECKS: tuple[Check, ...] = (
    machine.python,
    machine.processors,
    machine.open_files,
    media.opus,
    media.voice_detector,
    media.noise_suppression,
    engines.recognition,
    engines.replies,
    engines.speech,
    network.http_port,
    network.udp_ports,
    network.addresses,
    network.microphone,
    machine.chromium,
)

_MARKS = {
    "ok": ("ok     ", "green"),
    "warning": ("warning", "yellow"),
    "problem": ("PROBLEM", "red"),
}


@click.command()
@config_file
@as_json
@click.pass_context
def doctor(ctx: click.Context, config_path: Path | None, as_json: bool) -> None:
    """Check what works on this machine, and say what to do about what does not.

    Exits with 1 when something would keep calls from working.
    """
    settings = load(config_path).settings
    findings: list[Finding] = []
    for check in CHECKS:
        findings.append(run(check, settings))
        if not as_json:
            _print(findings[-1])
    problems = sum(finding.status == "problem" for finding in findings)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    elif problems:
        click.echo(f"\nProblems: {problems}. Calls will not work until they are solved.")
    else:
        click.echo("\nReady for calls: `inzwa-rtc serve`.")
    ctx.exit(1 if problems else 0)


def run(check: Check, settings: Settings) -> Finding:
    """The check's finding; a check that breaks has found a problem too."""
    name = check.__name__.replace("_", " ")
    try:
        return check(settings)
    except InzwaError as error:
        return Finding(name, "problem", error.message, error.action)
    except ImportError as error:
        return Finding(name, "problem", str(error), "Install what is missing: `make install`.")
    except Exception as error:  # noqa: BLE001  # whatever breaks here would break a call
        what = f"{type(error).__name__}: {error}"
        return Finding(name, "problem", what, "Install again: `make install`.")


def _print(finding: Finding) -> None:
    mark, color = _MARKS[finding.status]
    click.echo(f"{click.style(mark, fg=color)}  {finding.name:<15} {finding.what}")
    if finding.action:
        click.echo(f"{'':<26}-> {finding.action}")
