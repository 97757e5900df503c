"""What `inzwa-rtc models` shows and asks: tables, licences, progress."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from inzwa_rtc.catalogue.entries import Entry, Model
from inzwa_rtc.catalogue.pull import Plan
from inzwa_rtc.catalogue.sources.source import Progress
from inzwa_rtc.catalogue.sources.space import readable
from inzwa_rtc.catalogue.store import Store
from inzwa_rtc.engines import registry
from inzwa_rtc.errors import ConfigError

_COLORS = {"present": "green", "damaged": "red", "unfinished": "yellow"}


_MISSING = " (missing)"


def has_engine(model: Model) -> bool:
    """Whether there is the engine that the model is made for, installed or to be installed."""
    return model.engine in registry.known(model.kind)


def refuse_without_engine(entries: Sequence[Entry]) -> None:
    """Raises `ConfigError` for a model that nothing here can use."""
    for entry in entries:
        if isinstance(entry, Model) and not has_engine(entry):
            raise ConfigError(
                f"`{entry.name}` is made for the {entry.kind} engine `{entry.engine}`, which is "
                "no part of this version: nothing could use it.",
                action="Choose another model (`inzwa-rtc models list`), or install a package that "
                f"brings the engine `{entry.engine}`.",
            )


def row(model: Model, store: Store) -> dict[str, Any]:
    """A model of the catalogue, for `list`."""
    return {
        "name": model.name,
        "kind": model.kind,
        "engine": model.engine,
        "engine_known": has_engine(model),
        "size": model.size,
        "licence": model.licence,
        "non_commercial": model.non_commercial,
        "languages": list(model.languages),
        "memory_mb": model.memory_mb,
        "state": store.state(model),
        "summary": model.summary,
    }


def own_row(name: str, store: Store) -> dict[str, Any]:
    """A model that was pulled from an address, for `list`."""
    here = store.read(name)
    assert here is not None
    return {
        "name": name,
        "kind": None,
        "engine": None,
        "engine_known": None,
        "size": here.size,
        "licence": here.licence,
        "non_commercial": "-nc" in (here.licence or "").lower(),
        "languages": [],
        "memory_mb": None,
        "state": store.state(Entry(name=name, source=here.source)),
        "summary": here.source,
    }


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """The rows of `list`, aligned."""
    cells = [
        (
            item["name"],
            item["kind"] or "",
            (item["engine"] or "") + (_MISSING if item["engine_known"] is False else ""),
            readable(item["size"]) if item["size"] else "?",
            _languages(item["languages"]),
            item["state"] if item["state"] != "absent" else "",
            _licence(item["licence"], non_commercial=item["non_commercial"]),
        )
        for item in rows
    ]
    heads = ("NAME", "KIND", "ENGINE", "SIZE", "LANGUAGES", "HERE", "LICENCE")
    widths = [max(len(line[column]) for line in [heads, *cells]) for column in range(len(heads))]
    for line in [heads, *cells]:
        padded = [f"{text:<{width}}" for text, width in zip(line, widths, strict=True)]
        padded[5] = click.style(padded[5], fg=_COLORS.get(line[5]))
        click.echo("  ".join(padded).rstrip())


def agree(plans: Sequence[Plan], store: Store, *, yes: bool, accept_licence: bool) -> None:
    """Show what is about to be downloaded, and have it agreed to.

    Raises `ConfigError` where nobody can be asked, and click's `Abort` for a no.
    """
    for plan in plans:
        licence = _licence(plan.licence, non_commercial=plan.non_commercial)
        size = readable(plan.size) if plan.size is not None else "size unknown"
        click.echo(f"{plan.entry.name}: {size}, licence: {licence}, from {plan.entry.source}")
        if plan.trusted:
            click.secho(
                f"  Nobody told the hash of {', '.join(plan.trusted)}: what comes now is trusted, "
                "and every later download has to be the same.",
                fg="yellow",
            )
    for plan in plans:
        if plan.non_commercial and not accept_licence:
            _ask(
                f"{plan.entry.name} is under {plan.licence}: no commercial use. Agree?",
                "--accept-licence",
                default=False,
            )
    if not yes:
        sizes = [plan.size for plan in plans]
        total = "them" if None in sizes else readable(sum(size or 0 for size in sizes))
        _ask(f"Download {total} to {store.folder}?", "--yes", default=True)


@contextmanager
def bar(path: str) -> Iterator[Progress]:
    """A progress bar for a file; only its name where no person watches."""
    with click.progressbar(
        length=0, label=path, item_show_func=lambda text: text, file=sys.stderr
    ) as shown:

        def progress(done: int, total: int | None) -> None:
            shown.length = total or 0
            told = f"{readable(done)} of {readable(total)}" if total else readable(done)
            shown.update(done - shown.pos, told)

        yield progress


def _ask(question: str, option: str, *, default: bool) -> None:
    if not sys.stdin.isatty():
        raise ConfigError(f"{question} Nobody is here to answer.", action=f"Add {option}.")
    click.confirm(question, default=default, abort=True)


def _licence(licence: str | None, *, non_commercial: bool) -> str:
    return (licence or "unknown") + (" (non-commercial)" if non_commercial else "")


def _languages(languages: Sequence[str]) -> str:
    if not languages:
        return ""
    return (
        "many"
        if "*" in languages
        else " ".join(languages[:4]) + (" ..." if len(languages) > 4 else "")
    )
