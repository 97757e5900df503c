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

    What may have been done is kept for longer: until it was told to the same question, asked once
    more, and the caller has heard something of that answer.
    """

    def __init__(self) -> None:
        self._still_open: set[str] = set()
        self._told: dict[str, str] = {}
        self._unsure: dict[str, str] = {}
        self._asked_again: set[str] = set()
        self._filler = ""

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
        if question in self._unsure:
            self._asked_again.add(question)
            return self._unsure[question]
        return self._told.get(question)

    def keep(self, question: str, result: str) -> None:
        """It told this."""
        self._unsure.pop(question, None)
        self._told[question] = result

    def doubt(self, question: str, result: str) -> None:
        """It may be done, but nobody knows; `result` says so."""
        self._unsure[question] = result

    def filled(self, line: str) -> None:
        """This is said while a tool takes its time, before anything of the answer."""
        self._filler = line

    def heard(self, text: str) -> None:
        """The caller has heard this of the answer: the same question is a new one now, unless
        it is only the filler."""
        filler, self._filler = self._filler, ""
        if filler.startswith(text.strip()):
            return
        self._told.clear()
        for question in self._asked_again:
            self._unsure.pop(question, None)
        self._asked_again.clear()
