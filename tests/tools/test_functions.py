"""Python functions are described by their signature, checked by it, and run apart."""

from __future__ import annotations

from typing import Any

import pytest

from inzwa_rtc.engines.contracts import ToolCall
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings.tools import ToolSettings
from inzwa_rtc.tools.loading import opened
from inzwa_rtc.tools.toolbox import Toolbox
from tests.tools.functions import released

HERE = "tests.tools.functions"


async def box(function: str, **entry: Any) -> Toolbox:
    """A box with this function, as `it`."""
    used = {"it": {"source": "python", "function": f"{HERE}:{function}", "always": True, **entry}}
    return await opened(ToolSettings.model_validate({"use": used}))


async def result(function: str, arguments: dict[str, Any], **entry: Any) -> str:
    toolbox = await box(function, **entry)
    (tool,) = toolbox.tools
    try:
        return await toolbox.run(tool, ToolCall("it", arguments, "1"))
    finally:
        await toolbox.close()


async def test_its_docstring_and_its_signature_describe_it() -> None:
    toolbox = await box("bake")
    (tool,) = toolbox.tools
    assert tool.spec.description == "Takes an order for bread."
    schema = tool.spec.parameters
    assert schema["required"] == ["order"]
    assert schema["$defs"]["Order"]["properties"]["kind"]["enum"] == ["white", "brown"]
    await toolbox.close()


async def test_the_operator_s_description_counts() -> None:
    toolbox = await box("bake", description="Orders bread.")
    assert toolbox.tools[0].spec.description == "Orders bread."
    await toolbox.close()


async def test_arguments_arrive_as_the_types_that_it_asks_for() -> None:
    told = await result("bake", {"order": {"loaves": 2, "kind": "brown"}, "name": "Rudo"})
    assert told == "2 brown for Rudo"


async def test_what_is_no_text_is_told_as_json() -> None:
    assert await result("stock", {"item": "bread"}) == '{"item":"bread","left":3}'


@pytest.mark.parametrize(
    "arguments",
    [{}, {"order": 1}, {"order": {"loaves": "many"}}, {"order": {"loaves": 1}, "more": 1}],
)
async def test_wrong_arguments_are_told_and_it_is_not_run(arguments: dict[str, Any]) -> None:
    assert (await result("bake", arguments)).startswith("Error: The arguments are wrong")


async def test_one_that_breaks_tells_nothing_of_why(capsys: pytest.CaptureFixture[str]) -> None:
    told = await result("breaks", {})
    assert told.startswith("Error: It failed.")
    assert "the caller said" not in told + capsys.readouterr().out


async def test_one_that_hangs_is_given_up_and_others_go_on() -> None:
    try:
        assert "in time" in await result("hangs", {}, timeout_s=0.01)
        assert await result("bake", {"order": {"loaves": 1}}) == "1 white for nobody"
    finally:
        released.set()


@pytest.mark.parametrize(
    ("function", "named"),
    [
        ("silent", "says nothing of itself"),
        ("odd", "cannot be described"),
        ("positional", "without names"),
        ("missing", "cannot be imported"),
        ("NUMBER", "is not a function"),
    ],
)
async def test_what_cannot_be_a_tool_is_refused_by_its_place(function: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as refused:
        await box(function)
    assert "tools.use.it.function" in refused.value.message
