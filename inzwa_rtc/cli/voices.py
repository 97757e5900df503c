"""`inzwa-rtc voices`: who can speak."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from inzwa_rtc.cli.options import Configuration, as_json, configured
from inzwa_rtc.cli.speaking import engine_name, quietly, speech_engine, with_engine
from inzwa_rtc.engines.contracts import Voice
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.language import base_language
from inzwa_rtc.settings import Settings

_COLUMNS = ("id", "name", "language", "gender", "engine", "licence", "preview")


@click.command()
@engine_name
@click.option("--language", metavar="TAG", help="Only voices that speak it, such as en or sn.")
@configured
@as_json
def voices(
    engine: str | None,
    language: str | None,
    configuration: Configuration,
    as_json: bool,
) -> None:
    """List the voices of the speech engine, its default one first."""
    quietly()
    settings = with_engine(configuration.settings(), engine)
    listed = asyncio.run(_voices(settings))
    if language is not None:
        base = base_language(language)
        listed = [voice for voice in listed if base_language(voice.language) in (base, "")]
    if as_json:
        click.echo(json.dumps([asdict(voice) for voice in listed], ensure_ascii=False, indent=2))
    elif listed:
        _print_table(listed)
    else:
        raise ConfigError(
            f"No voice speaks `{language}`.", action="`inzwa-rtc voices` lists all that there are."
        )


async def _voices(settings: Settings) -> Sequence[Voice]:
    async with speech_engine(settings) as engine:
        return list(engine.voices)


def _print_table(listed: Sequence[Voice]) -> None:
    rows = [tuple(str(getattr(voice, name)) for name in _COLUMNS) for voice in listed]
    shown = [n for n, _ in enumerate(_COLUMNS) if any(row[n] for row in rows)]
    heads = tuple(name.upper() for name in _COLUMNS)
    widths = [max(len(row[n]) for row in [heads, *rows]) for n in range(len(_COLUMNS))]
    for number, row in enumerate([heads, *rows]):
        line = "  ".join(f"{row[n]:<{widths[n]}}" for n in shown).rstrip()
        click.secho(line, bold=number == 0)
