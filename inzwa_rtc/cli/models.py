"""`inzwa-rtc models`: what there is, fetch it, check it, remove it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from inzwa_rtc.catalogue.entries import Entry, StarterSet, shipped
from inzwa_rtc.catalogue.errors import ModelError
from inzwa_rtc.catalogue.pull import plan
from inzwa_rtc.catalogue.pull import pull as fetch
from inzwa_rtc.catalogue.resolve import entries
from inzwa_rtc.catalogue.store import Store, default_folder
from inzwa_rtc.cli.models_given import at_addresses, valid_name
from inzwa_rtc.cli.models_shown import agree, bar, own_row, print_table, refuse_without_engine, row
from inzwa_rtc.cli.options import Configuration, as_json, configured
from inzwa_rtc.installation import pip_install

T = TypeVar("T")


def _with_store(command: Callable[..., T]) -> Callable[..., T]:
    """The command with `--models-dir`, which it is given as its `store`."""

    @click.option(
        "--models-dir",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Where models lie; without it the setting `models_dir`.",
    )
    @configured
    @functools.wraps(command)
    def with_store(
        *arguments: Any, models_dir: Path | None, configuration: Configuration, **others: Any
    ) -> T:
        folder = models_dir or configuration.settings().models_dir or default_folder()
        return command(*arguments, store=Store(folder), **others)

    return with_store


@click.group()
def models() -> None:
    """Models: list, pull, verify, remove."""


@models.command("list")
@_with_store
@as_json
def list_(store: Store, as_json: bool) -> None:
    """Print every model: what it is for, its size, its licence, and whether it is here."""
    rows = [
        *(row(model, store) for model in shipped().models.values()),
        *(own_row(name, store) for name in store.names() if name not in shipped().models),
    ]
    if as_json:
        click.echo(json.dumps({"folder": str(store.folder), "models": rows}, indent=2))
        return
    click.echo(f"Models lie in {store.folder}\n")
    print_table(rows)
    click.echo("\nStarter sets:")
    for name, starter in shipped().sets.items():
        click.echo(f"  {name:<12} {starter.summary}: {', '.join(starter.models)}")
    click.echo("\n(non-commercial) has to be agreed to. Pull one: inzwa-rtc models pull NAME")
    if any(shown["engine_known"] is False for shown in rows):
        click.echo("(missing): no part of this version loads such models yet.")


@models.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME|SET|ADDRESS...")
@_with_store
@click.option("--yes", is_flag=True, help="Do not ask before downloading.")
@click.option("--accept-licence", is_flag=True, help="Agree to non-commercial licences.")
@click.option("--update", is_flag=True, help="Take files that have changed at their source.")
@click.option("--name", help="Name for a model that is given as an address.")
@click.option("--sha256", metavar="HASH", help="Hash that the file at an address must have.")
def pull(
    names: tuple[str, ...],
    store: Store,
    yes: bool,
    accept_licence: bool,
    update: bool,
    name: str | None,
    sha256: str | None,
) -> None:
    """Download models of the catalogue, whole starter sets, or those at an address
    (hf://ORG/REPO[@REVISION][/FILE], https://, file:///, mlflow://models/NAME/VERSION).

    What came stays when this is interrupted: the same command goes on from there.
    """
    catalogue = shipped()
    known = [given for given in names if "://" not in given]
    addresses = [given for given in names if "://" in given]
    wanted = entries(known, catalogue, store) + at_addresses(addresses, name, sha256, store)
    absent = _absent(wanted, store, update=update)
    refuse_without_engine(absent)
    plans = [plan(entry, store, update=update) for entry in absent]
    if plans:
        agree(plans, store, yes=yes, accept_licence=accept_licence)
    for planned in plans:
        try:
            fetch(planned, store, bar)
        except KeyboardInterrupt:
            click.echo("\nStopped. The same command goes on from here.", err=True)
            raise click.Abort from None
        click.secho(f"{planned.entry.name} is here and intact.", fg="green")
    for given in known:
        if given in catalogue.sets:
            _goes_on(catalogue.sets[given])


@models.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@_with_store
@click.pass_context
def verify(ctx: click.Context, names: tuple[str, ...], store: Store) -> None:
    """Hash every file of the models (without names, of all) and compare.

    Exits with 1 when one is not intact.
    """
    wrong = 0
    for name in _spelt_out(names) or store.names():
        try:
            store.verify(name, shipped().models.get(name), afresh=True)
            click.echo(f"{click.style('intact ', fg='green')} {name}")
        except ModelError as error:
            wrong += 1
            click.echo(f"{click.style('PROBLEM', fg='red')} {name}: {error.message}")
            click.echo(f"        -> {error.action}")
    ctx.exit(1 if wrong else 0)


@models.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@_with_store
@click.option("--forget", is_flag=True, help="Forget the hashes trusted on first use, too.")
def remove(names: tuple[str, ...], store: Store, forget: bool) -> None:
    """Delete models, and what was pulled of unfinished ones."""
    for name in _spelt_out(names):
        gone = store.remove(name, forget=forget)
        click.echo(f"{name} is removed." if gone else f"{name} was not here.")


def _absent(wanted: list[Entry], store: Store, *, update: bool) -> list[Entry]:
    """Those that have to be fetched: not here, not intact, or to be updated."""
    absent = []
    for entry in wanted:
        try:
            store.verify(entry.name, entry)
        except ModelError as error:
            if error.code != "model_missing":
                click.secho(f"{error.message} It is fetched again.", fg="yellow", err=True)
        else:
            if not update:
                click.echo(f"{entry.name} is already here.")
                continue
        absent.append(entry)
    return absent


def _goes_on(starter: StarterSet) -> None:
    """What to do once a starter set is here."""
    if starter.note:
        click.echo(f"\n{starter.note}")
    engines = pip_install(f"inzwa-rtc[{','.join(starter.extras)}]")
    click.echo(f"\nIts engines:  {engines}")
    click.echo(f"Then call it:  inzwa-rtc serve --profile {starter.name}")


def _spelt_out(names: tuple[str, ...]) -> list[str]:
    """Names of models, those of starter sets in place of the set's."""
    spelt: list[str] = []
    for name in names:
        starter = shipped().sets.get(name)
        spelt += starter.models if starter else [valid_name(name)]
    return list(dict.fromkeys(spelt))
