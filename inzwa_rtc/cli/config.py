"""`inzwa-rtc config show`: every setting, its value, and where that came from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from inzwa_rtc.cli.options import as_json, config_file
from inzwa_rtc.settings import Loaded, flatten, load

MASK = "********"

_FREE_FORM = ("asr", "llm", "tts")
"""Groups whose members engines define: whatever is named like a secret is one."""

_SECRET_NAME = re.compile(r"(^|[._-])(api_?key|key|secret|token|password|passwd|auth\w*)$", re.I)
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its full name, its value (secrets masked), and who gave it."""

    name: str
    value: Any
    origin: str


def rows(loaded: Loaded) -> list[Row]:
    """All settings in the order in which they are declared."""
    return [
        Row(name, _masked(name, value), loaded.origins.get(name, "default"))
        for name, value in flatten(loaded.settings.model_dump())
    ]


def _masked(name: str, value: Any) -> Any:
    free_form = name.partition(".")[0] in _FREE_FORM
    if free_form and value is not None and _SECRET_NAME.search(name):
        return MASK
    if isinstance(value, list | tuple):
        return [_masked(name, item) for item in value]
    if isinstance(value, Mapping):  # within a list
        return {key: _masked(f"{name}.{key}", item) for key, item in value.items()}
    if isinstance(value, str):
        return _CREDENTIALS_IN_URL.sub(MASK, value)
    return value


@click.group()
def config() -> None:
    """Look at the configuration."""


@config.command()
@config_file
@as_json
def show(config_path: Path | None, as_json: bool) -> None:
    """Print every setting with its value and where it came from; secrets are masked."""
    loaded = load(config_path)
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


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
