"""What an engine's process is told, once, when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

from inzwa_rtc.engines.registry import EngineSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Which engine to load, and how to serve it.

    `options` are the engine's own, `python` the interpreter of the environment that it is
    installed in, with this package (None: this one's). `max_concurrent` bounds the syntheses
    that advance at one time (None: all), `log_json` is the form of the process's log lines.
    `runs` says where: in a process of its own, or within the server's, which neither needs an
    interpreter nor bounds what advances.
    `stands_back` has it load as slowly as it serves, behind the server and its live calls; an
    engine that was loaded so is the same afterwards.
    """

    spec: EngineSpec
    options: Mapping[str, Any]
    python: str | None = None
    runs: Literal["process", "inline"] = "process"
    max_concurrent: int | None = None
    log_json: bool = False
    stands_back: bool = field(default=False, compare=False)

    def standing_back(self) -> Self:
        """To be loaded while another engine serves."""
        return replace(self, stands_back=True)

    def in_haste(self) -> Self:
        """To be loaded while callers wait for it."""
        return replace(self, stands_back=False)

    def to_json(self) -> dict[str, Any]:
        """As an object of JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` was made of."""
        return cls(**{**data, "spec": EngineSpec(**data["spec"])})
