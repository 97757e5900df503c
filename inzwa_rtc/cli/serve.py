"""`inzwa-rtc serve`: take calls until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from inzwa_rtc import logging
from inzwa_rtc.cli.options import config_file, given, more_settings, profile
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import Origin, Settings, load
from signaling.signals import hold_hangups


@click.command()
@click.option("--host", help="Address to listen on; 0.0.0.0 for every one.")
@click.option("--port", type=int, help="TCP port of the page and of signaling.")
@profile
@more_settings
@config_file
def serve(
    host: str | None,
    port: int | None,
    profile: str | None,
    more: dict[str, Any],
    config_path: Path | None,
) -> None:
    """Take calls until SIGTERM or SIGINT (Ctrl+C)."""
    hold_hangups()
    overrides = {**given(host=host, port=port, profile=profile), **more}
    reader = _Reader(config_path, overrides)
    settings = reader.read()
    logging.configure(as_json=settings.log_json)
    asyncio.run(_serve(settings, reader))


class _Reader:
    """Reads the settings, again and again, from the same file once there was one: that it is
    gone does not mean that all is to be default."""

    def __init__(self, path: Path | None, overrides: Mapping[str, Any]) -> None:
        self._path = path
        self._overrides = overrides
        self._file: Path | None = None
        self.origins: Mapping[str, Origin] = {}

    def read(self) -> Settings:
        if self._file is not None and not self._file.is_file():
            raise ConfigError(
                f"The configuration file {self._file} was read before and is gone.",
                action="Put it back; an empty file leaves all at its default.",
            )
        loaded = load(self._file or self._path, self._overrides)
        self._file = loaded.file and loaded.file.absolute()
        self.origins = loaded.origins
        return loaded.settings


async def _serve(settings: Settings, reader: _Reader) -> None:
    # Imported late: the other commands have no use for the whole server.
    from inzwa_rtc.engines.lineup import Engines
    from signaling.serve import serve

    await serve(settings, Engines(settings), reader.read, lambda: reader.origins)
