"""`inzwa-rtc engines`: which engines there are, and how to install those that are missing."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import get_args

import click

from inzwa_rtc.engines import registry
from inzwa_rtc.engines.contracts import Ability, EngineKind
from inzwa_rtc.engines.shipped import shipped

_TITLES: dict[EngineKind, str] = {"asr": "Recognition", "llm": "Replies", "tts": "Speech"}


@dataclass(frozen=True, slots=True)
class _Row:
    kind: EngineKind
    name: str
    is_installed: bool
    licence: str
    summary: str
    languages: str
    abilities: tuple[str, ...]
    install: tuple[str, ...]
    """Commands, one after the other."""
    engine_python: str | None
    """What this option is set to then, for an engine in an environment of its own."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
def engines(as_json: bool) -> None:
    """List the engines: installed or not, their licences, how to install them."""
    rows = [_row(kind, name) for kind in registry.KINDS for name in registry.known(kind)]
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for kind, title in _TITLES.items():
        click.secho(f"{title}  ({kind}_engine)", bold=True)
        for row in rows:
            if row.kind == kind:
                _show(row)
        click.echo()


def _show(row: _Row) -> None:
    if row.is_installed:
        mark = click.style("ready", fg="green")
    else:
        mark = click.style("apart" if row.engine_python else "absent", dim=True)
    click.echo(
        f"  {row.name:<16} {mark:<{6 + len(mark) - len(click.unstyle(mark))}}  {row.summary}"
    )
    if row.languages:
        click.echo(f"  {'':<16} {'':<6}  languages: {row.languages}")
    if row.abilities:
        click.echo(f"  {'':<16} {'':<6}  can: {', '.join(row.abilities)}")
    click.echo(f"  {'':<16} {'':<6}  licence: {row.licence}")
    if row.is_installed:
        return
    for command in row.install:
        click.echo(f"  {'':<16} {'':<6}  {command}")
    if row.engine_python:
        click.echo(
            f"  {'':<16} {'':<6}  then set  {row.kind}: {{engine_python: {row.engine_python}}}"
        )


def _row(kind: EngineKind, name: str) -> _Row:
    spec = registry.find(kind, name)
    info = shipped(kind, name)
    if info is not None:
        is_installed = find_spec(info.module) is not None
        return _Row(
            kind,
            name,
            is_installed,
            info.licence,
            info.summary,
            info.languages,
            info.abilities,
            registry.install_commands(spec),
            registry.engine_python(spec),
        )
    package = _distribution(kind, name)
    try:
        abilities = _abilities(spec)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever breaks, the list is shown
        why = f"(cannot be imported here: {type(error).__name__})"
        return _Row(kind, name, True, package.licence, f"{package.summary} {why}", "", (), (), None)
    return _Row(kind, name, True, package.licence, package.summary, "", abilities, (), None)


def _abilities(spec: registry.EngineSpec) -> tuple[str, ...]:
    """What the class of a third party's engine can do beyond its method, as far as the class
    says so: an engine that must be built for that is not. Raises whatever importing it does."""
    with redirect_stdout(sys.stderr):  # the list is to be read by programs
        abilities = getattr(registry.imported(spec), "abilities", ())
    if not isinstance(abilities, Collection):  # a property: only what is built has a value
        return ()
    return tuple(ability for ability in get_args(Ability) if ability in abilities)


@dataclass(frozen=True, slots=True)
class _Package:
    licence: str
    summary: str


def _distribution(kind: EngineKind, name: str) -> _Package:
    """What the package that brings a third party's engine says of itself."""
    (point,) = entry_points(group=f"inzwa_rtc.{kind}", name=name)
    if point.dist is None:
        return _Package("not told", "")
    told = point.dist.metadata.json
    licence = str(told.get("license_expression") or told.get("license") or "not told")
    return _Package(licence, f"from {point.dist.name}: {told.get('summary', '')}".rstrip(": "))
