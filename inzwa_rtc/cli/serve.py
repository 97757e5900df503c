"""`inzwa-rtc serve`: take calls until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from inzwa_rtc import logging
from inzwa_rtc.cli.options import Configuration, configured
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import Origin, Settings
from signaling.signals import hold_hangups


@click.command()
@click.option("--host", help="Address to listen on; 0.0.0.0 for every one.")
@click.option("--port", type=int, help="TCP port of the page and of signaling.")
@configured
def serve(host: str | None, port: int | None, configuration: Configuration) -> None:
    """Take calls until SIGTERM or SIGINT (Ctrl+C)."""
    hold_hangups()
    reader = _Reader(configuration.also(host=host, port=port))
    settings = reader.read()
    logging.configure(as_json=settings.log_json)
    asyncio.run(_serve(settings, reader))


class _Reader:
    """Reads the settings, again and again, from the same file once there was one: that it is
    gone does not mean that all is to be default."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._file: Path | None = None
        self.origins: Mapping[str, Origin] = {}

    def read(self) -> Settings:
        if self._file is not None and not self._file.is_file():
            raise ConfigError(
                f"The configuration file {self._file} was read before and is gone.",
                action="Put it back; an empty file leaves all at its default.",
            )
        loaded = self._configuration.loaded()
        if loaded.file is not None:
            self._file = loaded.file.absolute()
            self._configuration = replace(self._configuration, file=self._file)
        self.origins = loaded.origins
        return loaded.settings


async def _serve(settings: Settings, reader: _Reader) -> None:
    # Imported late: the other commands have no use for the whole server.
    from inzwa_rtc.engines.lineup import Engines
    from signaling.serve import serve

    await serve(settings, Engines(settings), reader.read, lambda: reader.origins)
