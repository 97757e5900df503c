"""How a language model chooses its words: the options that all of them share."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field

from inzwa_rtc.engines.contracts import Sampling


class SamplingOptions(BaseModel):
    """Options under `llm:` in the configuration of every engine with a real model."""

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.7
    """0 always takes the likeliest token."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Only the likeliest tokens that together reach this probability are chosen from."""
    repeat_penalty: Annotated[float, Field(ge=0.5, le=2)] = 1.1
    """Above 1, tokens that stand in the text already become less likely."""
    stop: tuple[str, ...] = ()
    """Texts at which the reply ends; they are not spoken."""
    seed: int | None = None
    """Makes replies repeatable. None: different each time."""

    def asked(self, sampling: Sampling) -> Self:
        """The same, with what a request asks for in its own place."""
        asked = {name: getattr(sampling, name) for name in ("temperature", "top_p", "stop", "seed")}
        return self.model_copy(
            update={name: value for name, value in asked.items() if value is not None}
        )
