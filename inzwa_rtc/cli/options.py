"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from inzwa_rtc.settings import names, read_assignments

config_file = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file; without it INZWA_CONFIG, then inzwa.yaml.",
)

profile = click.option(
    "--profile",
    metavar="NAME",
    help="Starter set whose settings to take, see `inzwa-rtc models list`.",
)


def _read(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> Any:
    return read_assignments(given, names())


more_settings = click.option(
    "--set",
    "more",
    multiple=True,
    callback=_read,
    metavar="NAME=VALUE",
    help="Any setting, such as turn.silence_ms=700; may be given several times.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def given(**options: Any) -> dict[str, Any]:
    """Options of the command line that are settings, those left out that were not given."""
    return {name: value for name, value in options.items() if value is not None}
