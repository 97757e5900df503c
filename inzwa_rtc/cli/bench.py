"""`inzwa-rtc bench`: how many calls this machine holds."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inzwa_rtc.cli.options import Configuration, configured
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import flatten

if TYPE_CHECKING:
    from inzwa_rtc.bench.ramp import Limits, Step


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the calls are to grow, and how long each number of them is watched."""

    start: int
    most: int
    settle_s: float
    seconds: float


@click.command()
@click.option("--url", metavar="URL", help="A running server, such as https://calls.example.org.")
@click.option("--key", metavar="KEY", envvar="INZWA_BENCH_KEY", help="API key for that server.")
@click.option("--calls", type=click.IntRange(1), default=1, show_default=True, help="Begin here.")
@click.option(
    "--most", type=click.IntRange(1), default=200, show_default=True, help="Try no more calls."
)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=15.0,
    show_default=True,
    help="How long each number of calls is watched.",
)
@click.option(
    "--settle",
    type=click.FloatRange(0),
    default=4.0,
    show_default=True,
    help="Seconds before that, for calls to come into their course.",
)
@click.option(
    "--response-ms",
    type=click.FloatRange(1),
    default=1200.0,
    show_default=True,
    help="Answers (95 % of them) may take so long, the endpointing silence included.",
)
@click.option(
    "--outbound-ms",
    type=click.FloatRange(1),
    default=40.0,
    show_default=True,
    help="Packets (99 % of them) may come so late.",
)
@click.option(
    "--late-ms",
    type=click.FloatRange(0.1),
    default=5.0,
    show_default=True,
    help="Callers (99 % of their packets) that are later themselves make a step void.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write all figures to this file.",
)
@click.option(
    "--write", "writes", is_flag=True, help="Write the number into the settings file as the limit."
)
@configured
def bench(
    url: str | None,
    key: str | None,
    calls: int,
    most: int,
    seconds: float,
    settle: float,
    response_ms: float,
    outbound_ms: float,
    late_ms: float,
    json_file: Path | None,
    writes: bool,
    configuration: Configuration,
) -> None:
    """Call a server with more and more callers, and tell how many it holds.

    Without --url a server with your settings is started on this machine, for its own callers
    alone. Its engines are asked in earnest: those that cost money cost it here, too.
    """
    from inzwa_rtc.bench.ramp import Limits

    if url is not None and (configuration.file or configuration.overrides):
        raise click.UsageError("--url names a server that has its settings already.")
    file = None if url is not None else configuration.loaded().file
    if writes and file is None:
        raise ConfigError(
            "There is no settings file to write the limit into.",
            action="Name one with --config, or leave out --write.",
        )
    limits = Limits(outbound_ms, response_ms, late_ms)
    plan = _Plan(calls, max(calls, most), settle, seconds)
    steps = asyncio.run(_run(url, key, _as_arguments(configuration), plan, limits))
    _tell(steps, limits, json_file, "This machine" if url is None else f"The server at {url}")
    _advise(steps, file if writes else None)


def _as_arguments(configuration: Configuration) -> list[str]:
    """The same for another command."""
    file = [f"--config={configuration.file}"] if configuration.file else []
    settings = (
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in flatten(configuration.overrides)
    )
    return [*file, *(part for setting in settings for part in ("--set", setting))]


async def _run(
    url: str | None, key: str | None, arguments: Sequence[str], plan: _Plan, limits: Limits
) -> list[Step]:
    # Imported late: the other commands have no use for callers.
    from inzwa_rtc.bench.course import Course
    from inzwa_rtc.bench.door import INZWA
    from inzwa_rtc.bench.fleet import Fleet
    from inzwa_rtc.bench.ramp import ramp
    from inzwa_rtc.bench.report import HEAD, row
    from inzwa_rtc.bench.utterance import utterance
    from inzwa_rtc.cli.bench_server import own_server

    steps = []
    async with AsyncExitStack() as stack:
        if url is None:
            click.echo("Starting a server with these settings ...", err=True)
            url = await stack.enter_async_context(own_server(arguments, plan.most))
        fleet = Fleet(
            url.rstrip("/"), INZWA, Course(utterance("request"), utterance("question")), key
        )
        await stack.enter_async_context(fleet.up())
        click.echo(HEAD)
        async for step in ramp(
            fleet,
            limits,
            start=plan.start,
            most=plan.most,
            settle_s=plan.settle_s,
            seconds=plan.seconds,
        ):
            click.echo(row(step))
            steps.append(step)
    return steps


def _tell(steps: list[Step], limits: Limits, json_file: Path | None, where: str) -> None:
    from inzwa_rtc.bench.report import chart, to_json, verdict

    lines = chart(steps, limits, encoding=sys.stdout.encoding or "ascii")
    click.echo("\n".join(["", *lines, "", *verdict(steps, where=where)]))
    if json_file is not None:
        json_file.write_text(json.dumps(to_json(steps, limits), indent=2), encoding="utf-8")


def _advise(steps: list[Step], file: Path | None) -> None:
    from inzwa_rtc.bench.ramp import capacity
    from inzwa_rtc.cli.limit_written import NAME, write_limit

    held = capacity(steps)
    if held is None:
        return
    if file is None:
        click.echo(f"To take no more than that, set `{NAME}: {held.calls}` (or use --write).")
        return
    write_limit(file, held.calls)
    click.echo(f"{file} now has `{NAME}: {held.calls}`; a server reads it when it starts.")
