"""`inzwa-rtc config`: every setting, its value and where that came from; and the schema of the
settings file, for editors."""

from __future__ import annotations

import json
from typing import Any

import click

from inzwa_rtc.cli.options import Configuration, as_json, configured
from inzwa_rtc.settings import Settings
from inzwa_rtc.settings.shown import rows


@click.group()
def config() -> None:
    """Look at the configuration."""


@config.command()
@configured
@as_json
def show(configuration: Configuration, as_json: bool) -> None:
    """Print every setting with its value and where it came from; secrets are masked."""
    loaded = configuration.loaded()
    table = rows(loaded)
    if as_json:
        settings = {row.name: {"value": row.value, "origin": row.origin} for row in table}
        file = str(loaded.file) if loaded.file else None
        click.echo(json.dumps({"file": file, "settings": settings}, indent=2, default=str))
        return
    click.echo(f"File: {loaded.file or 'none (inzwa.yaml is read where it exists)'}\n")
    names = max(len(row.name) for row in table)
    values = min(max(len(_text(row.value)) for row in table), 40)
    for row in table:
        line = f"{row.name:<{names}}  {_text(row.value):<{values}}  {row.origin}"
        click.secho(line, bold=row.origin != "default")


@config.command()
def schema() -> None:
    """Print the JSON Schema of inzwa.yaml, which editors check and complete the file with."""
    dialect = "https://json-schema.org/draft/2020-12/schema"
    told = {"$schema": dialect, **Settings.model_json_schema(), "title": "Inzwa RTC: inzwa.yaml"}
    click.echo(json.dumps(told, indent=2))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
