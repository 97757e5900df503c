"""What an engine's process is told, once, when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from inzwa_rtc.engines.registry import EngineSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Which engine to load, and how to serve it.

    `options` are the engine's own, `python` the interpreter of the environment that it is
    installed in, with this package (None: this one's). `max_concurrent` bounds the syntheses
    that advance at one time (None: all), `log_json` is the form of the process's log lines.
    """

    spec: EngineSpec
    options: Mapping[str, Any]
    python: str | None = None
    max_concurrent: int | None = None
    log_json: bool = False

    def to_json(self) -> dict[str, Any]:
        """As an object of JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` was made of."""
        return cls(**{**data, "spec": EngineSpec(**data["spec"])})
