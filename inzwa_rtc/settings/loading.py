"""Reads settings: defaults, then profiles, a YAML file, the environment; the last one wins."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings.settings import Settings
from inzwa_rtc.settings.sources import find_file, read_environment, read_yaml

Origin = Literal["default", "profile", "file", "environment", "command line"]

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
        ("environment", read_environment(os.environ, Settings().model_dump())),
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
            "; ".join(_describe(item, origins) for item in error.errors(include_url=False)) + ".",
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


def _describe(item: Any, origins: Mapping[str, Origin]) -> str:
    name = ".".join(str(part) for part in item["loc"])
    origin = _origin(name, origins)
    if item["type"] == "extra_forbidden":
        known = [known for known, _ in flatten(Settings().model_dump())]
        close = difflib.get_close_matches(name, known, n=1)
        return f"`{name}` ({origin}) is not a setting" + (f"; `{close[0]}` is" if close else "")
    return f"`{name}` ({origin}): {item['msg'].removeprefix('Value error, ')}"


def _origin(name: str, origins: Mapping[str, Origin]) -> Origin:
    """Where `name` was given, by itself, within a list, or as a member of a group."""
    while name not in origins:
        members = [origin for full, origin in origins.items() if full.startswith(f"{name}.")]
        if members:
            return members[-1]
        name, _, _ = name.rpartition(".")
        if not name:
            return "default"
    return origins[name]
