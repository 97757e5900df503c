"""Options that several commands take."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from inzwa_rtc.settings import Loaded, Settings, load, names, read_assignments

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Where a command has its settings from: the file that was named, if one was, and what else
    the command line says."""

    file: Path | None
    overrides: Mapping[str, Any]

    def loaded(self) -> Loaded:
        """The settings, and where each came from. Raises `ConfigError`."""
        return load(self.file, self.overrides)

    def settings(self) -> Settings:
        """As `loaded`, the settings alone."""
        return self.loaded().settings

    def also(self, **options: Any) -> Configuration:
        """With options of a command's own that are settings, those left out that were not given.
        What `--set` says of the same goes before it."""
        return replace(self, overrides={**_given(**options), **self.overrides})


def configured(command: Callable[..., T]) -> Callable[..., T]:
    """The command with `--config`, `--profile` and `--set`, which it is given as its
    `configuration`. Nothing is read before it asks for that."""

    @_config_file
    @_profile
    @_more_settings
    @functools.wraps(command)
    def with_configuration(
        *arguments: Any,
        config_path: Path | None,
        profile: str | None,
        more: Mapping[str, Any],
        **others: Any,
    ) -> T:
        configuration = Configuration(config_path, {**_given(profile=profile), **more})
        return command(*arguments, configuration=configuration, **others)

    return with_configuration


def _read(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> Any:
    return read_assignments(given, names())


_config_file = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file; without it INZWA_CONFIG, then inzwa.yaml.",
)

_profile = click.option(
    "--profile",
    metavar="NAME",
    help="Starter set whose settings to take, see `inzwa-rtc models list`.",
)

_more_settings = click.option(
    "--set",
    "more",
    multiple=True,
    callback=_read,
    metavar="NAME=VALUE",
    help="Any setting, such as turn.silence_ms=700; may be given several times.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
