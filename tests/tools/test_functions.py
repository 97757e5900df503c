"""Python functions are described by their signature, checked by it, and run apart."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from inzwa_rtc.engines.contracts import ToolCall
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings.tools import ToolSettings
from inzwa_rtc.tools import function
from inzwa_rtc.tools.loading import opened
from inzwa_rtc.tools.threads import Threads
from inzwa_rtc.tools.toolbox import Toolbox
from tests.tools.functions import released

HERE = "tests.tools.functions"
ROOT = Path(__file__).parents[2]

HANGS = """
import asyncio
from tests.tools.test_functions import result
print(asyncio.run(result("sleeps", {}, timeout_s=0.01)))
"""


async def box(function: str, **entry: Any) -> Toolbox:
    """A box with this function, as `it`."""
    used = {"it": {"source": "python", "function": f"{HERE}:{function}", "always": True, **entry}}
    return await opened(ToolSettings.model_validate({"use": used}))


async def result(function: str, arguments: dict[str, Any], **entry: Any) -> str:
    toolbox = await box(function, **entry)
    (tool,) = toolbox.tools
    try:
        return (await toolbox.run(tool, ToolCall("it", arguments, "1"))).text
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


async def test_one_that_hangs_does_not_keep_the_process_from_ending() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HANGS), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(50):
            told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert b"in time" in told
    assert process.returncode == 0


async def test_it_is_told_of_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "GRACE_S", 0)
    released.clear()
    try:
        with capture_logs() as lines:
            await result("hangs", {}, timeout_s=0.01)
            await asyncio.sleep(0)  # the timer's turn
            await asyncio.sleep(0)
    finally:
        released.set()
    assert [line["tool"] for line in lines if line["event"] == "tool.does_not_end"] == ["it"]


def test_no_more_functions_run_at_once_than_there_are_threads() -> None:
    threads, begun, release = Threads(2), threading.Semaphore(0), threading.Event()

    def work() -> bool:
        begun.release()
        return release.wait(60)

    first, second, third, given_up = (threads.submit(work) for _ in range(4))
    assert begun.acquire(timeout=60)
    assert begun.acquire(timeout=60)
    assert first.running()
    assert second.running()
    assert not third.running()
    assert given_up.cancel()
    release.set()
    assert third.result(60)
    assert threads.submit(lambda: "more").result(60) == "more"


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
