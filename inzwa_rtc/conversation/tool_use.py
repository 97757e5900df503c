"""What a model asks tools for in one reply, done all at once, and written down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inzwa_rtc.conversation.history import History
from inzwa_rtc.conversation.open_tools import OpenTools
from inzwa_rtc.engines.contracts import ToolCall
from inzwa_rtc.tools.tool import Tool
from inzwa_rtc.tools.toolbox import Toolbox, failure, question_of

INTERRUPTED = (
    "The caller interrupted before it was known whether this was done. Ask before it is done again."
)


@dataclass(frozen=True, slots=True)
class ToolUse:
    """`offered` are the tools of this turn, by name."""

    toolbox: Toolbox
    open_tools: OpenTools
    history: History
    offered: Mapping[str, Tool]

    async def results(self, calls: Sequence[ToolCall], allowed: int) -> list[str]:
        """What each of them told; of too many the first `allowed` are done, and what is asked
        twice is done once.

        History has them at once, so that a later turn knows what was done in one that was
        interrupted.
        """
        told: dict[int, str] = {}
        first: dict[tuple[str, str], int] = {}

        async def ask(number: int, call: ToolCall) -> None:
            told[number] = await self._result(call)

        try:
            async with asyncio.TaskGroup() as asking:
                for number, call in enumerate(calls):
                    same = first.setdefault((question_of(call), call.unreadable), number)
                    if same < number:
                        continue
                    if number < allowed:
                        asking.create_task(ask(number, call))
                    else:
                        told[number] = failure("Too much was asked for at once.")
        finally:
            same_as = [first.get((question_of(call), call.unreadable)) for call in calls]
            results = [INTERRUPTED if n is None else told.get(n, INTERRUPTED) for n in same_as]
            self.history.add_tools(calls, results)
        return results

    async def _result(self, call: ToolCall) -> str:
        tool = self.offered.get(call.name)
        if tool is None:
            return failure("There is no such tool.")
        if call.unreadable:
            return failure("The arguments are no JSON object.")
        self.open_tools.asked_for(call.name)
        question = question_of(call)
        if (known := self.open_tools.told(question)) is not None:
            return known
        if tool.changes:  # until it is known
            self.open_tools.doubt(question, INTERRUPTED)
        outcome = await self.toolbox.run(tool, call)
        if outcome.may_be_done:
            self.open_tools.doubt(question, outcome.text)
        elif outcome.is_done or tool.changes:  # what only could not be found is asked again
            self.open_tools.keep(question, outcome.text)
        return outcome.text
