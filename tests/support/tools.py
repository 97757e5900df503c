"""A tool that a test holds in its hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inzwa_rtc.engines.contracts import ToolSpec
from inzwa_rtc.tools.gate import Gate

PLACE = {
    "type": "object",
    "properties": {"place": {"type": "string"}},
    "required": ["place"],
    "additionalProperties": False,
}


@dataclass
class HeldTool:
    """Tells the next of its results; where that is an event, once it is set. An error is raised."""

    results: list[str | Exception | asyncio.Event]
    name: str = "weather"
    words: tuple[str, ...] = ("weather",)
    always: bool = False
    filler: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 5.0
    changes: bool = False
    parameters: Mapping[str, Any] = field(default_factory=lambda: PLACE)
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    cancelled: int = 0

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, "Tells the weather.", self.parameters)

    @property
    def gate(self) -> Gate:
        return Gate({"en": self.words}, always=self.always)

    async def run(self, arguments: Mapping[str, Any]) -> str:
        self.asked.append(arguments)
        result = self.results.pop(0)
        if isinstance(result, asyncio.Event):
            try:
                await result.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        assert isinstance(result, str)
        return result
