"""Reads settings: defaults, then profiles, a YAML file, the environment; the last one wins."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings.names import Names
from inzwa_rtc.settings.refusals import Origin, described
from inzwa_rtc.settings.settings import Settings
from inzwa_rtc.settings.sources import find_file, read_environment, read_yaml

PROFILES: Mapping[str, Mapping[str, Any]] = {
    # What changes by itself with `environment: production`; all of it can be set otherwise.
    "production": {"log_json": True, "tts_max_concurrent": 8},
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Validated settings, and for each set name (`turn.silence_ms`) where it came from."""

    settings: Settings
    origins: Mapping[str, Origin]
    file: Path | None


def load(path: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Loaded:
    """Read the settings: defaults, profiles, file, environment, then `overrides` (the command
    line). The profiles are that of `environment`, and the one that `profile` names.

    `path` is the file to read; without it `INZWA_CONFIG`, then `CONFIG_PATH`,
    then `inzwa.yaml` if there is one. Raises `ConfigError`, naming each
    wrong setting and where it was given.
    """
    file = find_file(path, os.environ)
    layers: list[tuple[Origin, Mapping[str, Any]]] = [
        ("file", read_yaml(file) if file else {}),
        ("environment", read_environment(os.environ, names())),
        ("command line", overrides or {}),
    ]
    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    layers[:0] = [("profile", profile) for profile in _profiles([layer for _, layer in layers])]
    for origin, layer in layers:
        _merge(merged, layer)
        origins.update(dict.fromkeys((name for name, _ in flatten(layer)), origin))
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(
            "; ".join(dict.fromkeys(_described(error, origins))) + ".",
            action="Correct each one; docs/configuration.md explains every setting.",
        ) from None
    return Loaded(settings, origins, file)


def _profiles(layers: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The settings of the profiles that these layers choose; the last one that names one wins."""
    given = {name: value for layer in layers for name, value in layer.items()}
    yield PROFILES.get(str(given.get("environment")), {})
    name = given.get("profile")
    if isinstance(name, str):  # anything else is refused with the other settings
        # Imported late: only a profile needs the catalogue.
        from inzwa_rtc.catalogue.resolve import profile

        yield profile(name)


def flatten(group: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting of nested groups by its full name, such as `turn.silence_ms`."""
    for name, value in group.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for name, value in layer.items():
        if isinstance(value, Mapping):
            group = into.get(name)
            into[name] = dict(group) if isinstance(group, dict) else {}
            _merge(into[name], value)
        else:
            into[name] = value


def _described(error: ValidationError, origins: Mapping[str, Origin]) -> Iterator[str]:
    for item in error.errors(include_url=False):
        yield described(item, origins, names())


@cache
def names() -> Names:
    """The names of all settings."""
    return Names(Settings.model_json_schema())
