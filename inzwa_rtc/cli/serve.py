"""`inzwa-rtc serve`: take calls until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import click

from inzwa_rtc import logging
from inzwa_rtc.catalogue.resolve import profile as catalogue_profile
from inzwa_rtc.cli.options import config_file
from inzwa_rtc.settings import Settings, load
from signaling.signals import hold_hangups


@click.command()
@click.option("--host", help="Address to listen on; 0.0.0.0 for every one.")
@click.option("--port", type=int, help="TCP port of the page and of signaling.")
@click.option("--profile", help="A starter set of models, see `inzwa-rtc models list`.")
@config_file
def serve(
    host: str | None, port: int | None, profile: str | None, config_path: Path | None
) -> None:
    """Take calls until SIGTERM or SIGINT (Ctrl+C)."""
    hold_hangups()
    given = {"host": host, "port": port}
    overrides = {name: value for name, value in given.items() if value is not None}

    def read_settings() -> Settings:
        of_profile = catalogue_profile(profile) if profile else None
        return load(config_path, overrides, of_profile).settings

    settings = read_settings()
    logging.configure(as_json=settings.log_json)
    asyncio.run(_serve(settings, read_settings))


async def _serve(settings: Settings, read_settings: Callable[[], Settings]) -> None:
    # Imported late: the other commands have no use for the whole server.
    from inzwa_rtc.engines.lineup import Engines
    from signaling.serve import serve

    await serve(settings, Engines(settings), read_settings)
