"""What is kept of users, as commands use it: in the same database as a server that may be
running."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from inzwa_rtc.cli.options import Configuration
from inzwa_rtc.cli.speaking import quietly

if TYPE_CHECKING:
    from inzwa_rtc.store import Store

T = TypeVar("T")


def with_store(configuration: Configuration, act: Callable[[Store], Awaitable[T]]) -> T:
    """What `act` gives, over the store that the settings name. Raises `ConfigError`, and
    `Unavailable` with the reason."""
    # Imported late: the other commands have no use for databases.
    from inzwa_rtc.store import Away, opened, place_of

    quietly()
    settings = configuration.settings()

    async def over() -> T:
        async with opened(place_of(settings), settings.default_voice_mode) as store:
            return await act(store)

    try:
        return asyncio.run(over())
    except Away as error:  # whoever runs a command is the operator
        raise error.for_operator() from None


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under their heads, aligned."""
    widths = [max(len(row[n]) for row in [heads, *rows]) for n in range(len(heads))]
    for number, row in enumerate([heads, *rows]):
        line = "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True))
        click.secho(line.rstrip(), bold=number == 0)
