"""The command: runs every check and prints what was found."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from logging import WARNING, getLogger

import click

from inzwa_rtc import logging
from inzwa_rtc.cli.doctor import access, engines, hardware, kept, machine, media, models, network
from inzwa_rtc.cli.doctor.finding import Check, Finding, found
from inzwa_rtc.cli.options import Configuration, as_json, configured
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.settings import Settings

CHECKS: tuple[Check, ...] = (
    machine.python,
    engines.engines,
    hardware.processors,
    hardware.memory,
    hardware.gpu,
    machine.open_files,
    media.opus,
    media.voice_detector,
    media.noise_suppression,
    models.models,
    hardware.llama_cpp,
    engines.recognition,
    engines.replies,
    engines.speech,
    kept.database,
    network.http_port,
    network.udp_ports,
    network.addresses,
    network.microphone,
    access.access,
    machine.chromium,
)

OF_ENGINES = (
    hardware.memory,
    models.models,
    hardware.llama_cpp,
    engines.recognition,
    engines.replies,
    engines.speech,
)
"""What is not asked where `engines.engines` has found a problem: it would be told again."""

_NAME = 26
_MARKS = {
    "ok": ("ok     ", "green"),
    "warning": ("warning", "yellow"),
    "problem": ("PROBLEM", "red"),
}


@click.command()
@configured
@as_json
@click.pass_context
def doctor(ctx: click.Context, configuration: Configuration, as_json: bool) -> None:
    """Check what works on this machine, and say what to do about what does not.

    Exits with 1 when something would keep calls from working.
    """
    logging.configure(as_json=False)  # what engines log belongs beside the findings
    getLogger(EngineProcess.__module__).setLevel(WARNING)  # that one is ready is told by these
    settings = configuration.settings()
    findings: list[Finding] = []
    for check in CHECKS:
        if check in OF_ENGINES and _is_problem(findings, "engines"):
            continue
        for finding in run(check, settings):
            findings.append(finding)
            if not as_json:
                _print(finding)
    problems = sum(finding.status == "problem" for finding in findings)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    elif problems:
        click.echo(f"\nProblems: {problems}. Calls will not work until they are solved.")
    else:
        click.echo("\nReady for calls: `inzwa-rtc serve`.")
    ctx.exit(1 if problems else 0)


def run(check: Check, settings: Settings) -> Sequence[Finding]:
    """The check's findings; a check that breaks has found a problem too."""
    return found(check.__name__.replace("_", " "), lambda: check(settings))


def _is_problem(findings: Sequence[Finding], name: str) -> bool:
    return any(one.name == name and one.status == "problem" for one in findings)


def _print(finding: Finding) -> None:
    mark, color = _MARKS[finding.status]
    click.echo(f"{click.style(mark, fg=color)}  {finding.name:<{_NAME}} {finding.what}")
    if finding.action:
        click.echo(f"{'':<{_NAME + 11}}-> {finding.action}")
