"""What a provider takes for speech, as the operator's configuration says it.

No price is shipped: providers change theirs, and each account may have its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

ANY_MODEL = "*"
"""Stands for each model of an engine that is not named."""

Amount = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Price(BaseModel):
    """What a thousand or a million characters cost; one of the two is set."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    per_thousand: Amount | None = None
    per_million: Amount | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

    @model_validator(mode="after")
    def _is_said_once(self) -> Price:
        if (self.per_thousand is None) == (self.per_million is None):
            raise ValueError("set either `per_thousand` or `per_million`, in characters")
        return self

    def of(self, characters: int) -> Decimal:
        """What so many characters cost, unrounded."""
        if self.per_thousand is not None:
            return self.per_thousand * characters / 1000
        assert self.per_million is not None
        return self.per_million * characters / 1_000_000


def _named(value: Mapping[str, Mapping[str, Price]]) -> Mapping[str, Mapping[str, Price]]:
    for engine, models in value.items():
        if not models:
            raise ValueError(
                f"`{engine}` has no prices: name its models, or `{ANY_MODEL}` for all of them"
            )
    return value


Prices = Annotated[dict[str, dict[str, Price]], AfterValidator(_named)]
"""By engine, then by model."""
