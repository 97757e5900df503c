"""What speech costs at a provider's: before it is made, and after. No I/O, no loop, no lock.

Providers bill the characters of what they are sent, spaces, points and line ends included, also
where the listener cuts the speech short. A character is a Unicode code point, as `len` counts
them. What comes from a cache costs nothing, and so does a text that no engine sends anywhere
because it holds neither a letter nor a digit: whoever counts does so once a speech has begun, with
the text that the engine was given.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from inzwa_rtc.prices import ANY_MODEL, Price

MAX_USERS = 10_000
"""Users whose figures are kept apart: 12 MB with two models each. Of more, those not heard of for
the longest time are added up as one: a server that anybody may call would otherwise grow without
end."""

OTHERS = ""
"""The user in whose name they are added up."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Characters, and what they cost by currency. `unpriced` of them have no price in the table:
    they are free (an engine on this machine), or their price was not set."""

    characters: int = 0
    unpriced: int = 0
    amounts: Mapping[str, Decimal] = field(default_factory=dict)

    def shown(self) -> dict[str, str]:
        """The amounts by currency, as decimal numbers."""
        return {currency: str(amount) for currency, amount in self.amounts.items()}

    def __add__(self, other: Cost) -> Cost:
        amounts = dict(self.amounts)
        for currency, amount in other.amounts.items():
            amounts[currency] = amounts.get(currency, Decimal(0)) + amount
        return Cost(self.characters + other.characters, self.unpriced + other.unpriced, amounts)


class PriceTable:
    """The prices of the configuration (`prices:`), by engine and model."""

    def __init__(self, prices: Mapping[str, Mapping[str, Price]]) -> None:
        self._prices = prices

    def price(self, engine: str, model: str) -> Price | None:
        """That of the model, else the one for all models of the engine, else None."""
        models = self._prices.get(engine, {})
        return models.get(model) or models.get(ANY_MODEL)

    def cost(self, engine: str, model: str, characters: int) -> Cost:
        """What so many characters cost."""
        price = self.price(engine, model)
        if price is None:
            return Cost(characters, unpriced=characters)
        return Cost(characters, amounts={price.currency: price.of(characters)})

    def estimate(self, engine: str, model: str, text: str) -> Cost:
        """What this text will cost, if it is spoken as it is: give what is made of it (numbers in
        words), not what was written."""
        return self.cost(engine, model, len(text))


@dataclass(frozen=True, slots=True)
class Line:
    """What one user has had from one model of one engine."""

    engine: str
    model: str
    cost: Cost


class Spending:
    """Counts what was sent, for each user, engine and model."""

    def __init__(self, table: PriceTable, max_users: int = MAX_USERS) -> None:
        self.table = table
        """May be set anew: what was counted before keeps its price."""
        self._max_users = max_users
        self._users: OrderedDict[str, dict[tuple[str, str], Cost]] = OrderedDict()
        self._others: dict[tuple[str, str], Cost] = {}
        self._engines: dict[str, Cost] = {}

    def count(self, user: str, engine: str, model: str, characters: int) -> Cost:
        """Note characters that were sent for a user; gives what they cost. `OTHERS` is nobody's
        name: it stands for callers who have none."""
        cost = self.table.cost(engine, model, characters)
        _add(self._lines(user), (engine, model), cost)
        self._engines[engine] = self._engines.get(engine, Cost()) + cost
        return cost

    def engines(self) -> Mapping[str, Cost]:
        """Of all users together, for each engine."""
        return self._engines

    def of(self, user: str) -> tuple[Line, ...]:
        """What a user has had; nothing for one who is unknown, or among the others by now."""
        lines = self._others if user == OTHERS else self._users.get(user, {})
        return tuple(Line(engine, model, cost) for (engine, model), cost in lines.items())

    def users(self) -> tuple[str, ...]:
        """All whose figures are kept apart, the one heard of last at the end."""
        return tuple(self._users)

    def total(self) -> Cost:
        """Of all users together."""
        costs = [cost for lines in (*self._users.values(), self._others) for cost in lines.values()]
        return sum(costs, Cost())

    def forget(self, user: str) -> None:
        """A user is deleted: the name goes, the figures stay in the total."""
        self.hand_over(user, OTHERS)

    def hand_over(self, user: str, other: str) -> Cost:
        """What was counted for one is the other's from now on; gives what it is in all."""
        handed = self._users.pop(user, {})
        for key, cost in handed.items():
            _add(self._lines(other), key, cost)
        return sum(handed.values(), Cost())

    def _lines(self, user: str) -> dict[tuple[str, str], Cost]:
        if user == OTHERS:
            return self._others
        lines = self._users.setdefault(user, {})
        self._users.move_to_end(user)
        if len(self._users) > self._max_users:
            self.forget(next(iter(self._users)))
        return lines


def _add(lines: dict[tuple[str, str], Cost], key: tuple[str, str], cost: Cost) -> None:
    lines[key] = lines.get(key, Cost()) + cost
