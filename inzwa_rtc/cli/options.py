"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

config_file = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file; without it INZWA_CONFIG, then inzwa.yaml.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
