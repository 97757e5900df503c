"""Which tools a call is offered from turn to turn, and what they told of late. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from inzwa_rtc.tools.gate import Said
from inzwa_rtc.tools.tool import Tool


class OpenTools:
    """One call's.

    A tool is offered in the turn whose words open its gate, and in the next one: "and tomorrow?"
    has no word of the weather in it. One that was asked for stays open for one turn more.

    What a tool told in a turn of which nothing was heard is kept: the caller had only paused, the
    next turn has the same words and more, and the same is not done twice.
    """

    def __init__(self) -> None:
        self._still_open: set[str] = set()
        self._told: dict[str, str] = {}

    def offered(self, tools: Sequence[Tool], words: str) -> list[Tool]:
        """Those of the tools that a turn of these words is offered. To be called once a turn."""
        said = Said.of(words)
        opened = {tool.spec.name for tool in tools if tool.gate.opens(said)}
        offered = [tool for tool in tools if tool.spec.name in opened | self._still_open]
        self._still_open = opened
        return offered

    def asked_for(self, name: str) -> None:
        """The model has made use of it in this turn."""
        self._still_open.add(name)

    def told(self, question: str) -> str | None:
        """What was told to this question, if it still counts."""
        return self._told.get(question)

    def keep(self, question: str, result: str) -> None:
        """It told this."""
        self._told[question] = result

    def heard(self) -> None:
        """The caller has heard something of the answer: the same question is a new one now."""
        self._told.clear()
