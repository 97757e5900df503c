"""Tools are kept for as long as somebody uses them, and what they do not end is left alone."""

from __future__ import annotations

import asyncio

from inzwa_rtc.engines.contracts import ToolCall
from inzwa_rtc.settings.tools import ToolSettings
from inzwa_rtc.tools.loading import fillers_in
from inzwa_rtc.tools.toolbox import Toolbox
from tests.support.tools import HeldTool

CALL = ToolCall("weather", {"place": "Harare"}, "1")


class Source:
    """A source of tools that tells when it is closed."""

    def __init__(self, *tools: HeldTool) -> None:
        self.tools = tools
        self.is_closed = False

    async def close(self) -> None:
        self.is_closed = True


async def test_a_box_that_is_lent_is_closed_once_it_is_given_back() -> None:
    box = Toolbox((), [source := Source()])
    with box.lent():
        closing = asyncio.create_task(box.close())
        await asyncio.sleep(0)
        assert not source.is_closed
    await closing
    assert source.is_closed


async def test_tools_that_come_and_go_are_those_of_the_moment() -> None:
    box = Toolbox([HeldTool([])], [source := Source()])
    assert [tool.spec.name for tool in box.tools] == ["weather"]
    source.tools = (HeldTool([], name="desk"), HeldTool([], name="weather"))
    assert [tool.spec.name for tool in box.tools] == ["weather", "desk"]
    assert box.tools[0] is not source.tools[1]


async def test_a_tool_that_does_not_let_itself_be_cancelled_is_left_to_itself() -> None:
    let_go = asyncio.Event()

    class Stubborn(HeldTool):
        async def run(self, arguments: object) -> str:
            while True:
                try:
                    await let_go.wait()
                    return "at last"
                except asyncio.CancelledError:
                    pass

    tool = Stubborn([], timeout_s=0.01)
    told = (await Toolbox([tool]).run(tool, CALL)).text
    assert "in time" in told
    let_go.set()


async def test_an_empty_result_is_told_as_done() -> None:
    tool = HeldTool([" \n"])
    assert (await Toolbox([tool]).run(tool, CALL)).text == "Done."


def test_fillers_are_those_of_the_tools_and_the_usual_ones() -> None:
    entry = {"source": "time", "filler": {"en": "Let me look."}}
    settings = ToolSettings.model_validate({"use": {"a": entry, "b": {"source": "time"}}})
    assert fillers_in(settings, "en-GB") == ["Let me look.", "One moment."]
    assert fillers_in(settings, "sn") == ["Ndapota mirai zvishoma."]
    assert fillers_in(settings, "de") == ["One moment."]
    assert fillers_in(settings.model_copy(update={"enabled": False}), "en") == []
    assert fillers_in(ToolSettings(), "en") == []
