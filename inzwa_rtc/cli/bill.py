"""What a text costs at a provider's, told before it is spoken and after."""

from __future__ import annotations

from collections.abc import Iterable

import click

from inzwa_rtc.prices import Prices
from inzwa_rtc.speech.cost import OTHERS, Cost, PriceTable, Spending
from inzwa_rtc.speech.piece import Piece


class Bill:
    """Says on standard error what has a price in the settings, and of the rest nothing."""

    def __init__(self, prices: Prices) -> None:
        self._table = PriceTable(prices)
        self._spending = Spending(self._table)

    def has_price(self, engine: str, model: str) -> bool:
        return self._table.price(engine, model) is not None

    def estimate(self, engine: str, model: str, pieces: Iterable[Piece]) -> None:
        """Tell what the pieces will cost. Reading them blocks."""
        costs = (self._table.estimate(engine, model, piece.text) for piece in pieces)
        _tell("Estimate", engine, model, sum(costs, Cost()))

    def count(self, engine: str, model: str, characters: int) -> None:
        """An engine has begun to speak so many characters."""
        self._spending.count(OTHERS, engine, model, characters)

    def tell(self) -> None:
        """Tell what was sent."""
        for line in self._spending.of(OTHERS):
            _tell("Sent", line.engine, line.model, line.cost)


def _tell(what: str, engine: str, model: str, cost: Cost) -> None:
    for currency, amount in cost.amounts.items():
        named = f"`{engine}`, model `{model}`" if model else f"`{engine}`"
        click.echo(
            f"{what}: {cost.characters:,} characters to {named}: {amount.normalize():f} {currency}",
            err=True,
        )
