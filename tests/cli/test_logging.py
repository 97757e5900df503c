"""What the log shows, in both its forms, and what it never shows."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.cli.command import environment

PROGRAM = """
import asyncio, logging as standard, warnings
import structlog
from inzwa_rtc import logging
from inzwa_rtc.errors import EngineError

logging.configure(as_json={as_json})
log = structlog.get_logger()
{body}
"""


def logged(body: str, *, as_json: bool = True) -> str:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(as_json=as_json, body=body)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert result.stdout == ""
    return result.stderr


def events(body: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged(body).splitlines()]


FAILURES = {
    "handled": """
try:
    try:
        spoken = "canary"
        int(spoken)
    except ValueError as error:
        raise KeyError(spoken) from error
except KeyError:
    log.exception("turn.failed", turn=3)
""",
    "standard library": """
try:
    dict()["canary"]
except KeyError:
    standard.getLogger("aiohttp.server").exception("Error handling request")
""",
    "group": """
try:
    raise ExceptionGroup("stages", [ValueError("canary")])
except ExceptionGroup:
    log.exception("turn.failed")
""",
    "file": """
try:
    open("canary")
except OSError:
    log.exception("turn.failed")
""",
    "forgotten task": """
async def say(): raise ValueError("canary")
async def main():
    task = asyncio.create_task(say())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
asyncio.run(main())
""",
}


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "console"])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=list(FAILURES))
def test_an_exception_is_logged_without_the_values_at_hand(failure: str, as_json: bool) -> None:
    text = logged(failure, as_json=as_json)
    assert "Error" in text
    assert "line" in text, "where it happened is told"
    assert "canary" not in text.replace('"canary"', "")


def test_our_own_errors_keep_their_messages() -> None:
    [event] = events(
        """
try:
    raise EngineError("The engine failed.", action="Look at it.")
except EngineError:
    log.exception("turn.failed", call="c1", turn=3)
"""
    )
    assert (event["event"], event["level"], event["call"], event["turn"]) == (
        "turn.failed",
        "error",
        "c1",
        3,
    )
    assert "The engine failed. Look at it." in event["exception"]
    assert event["timestamp"].endswith("Z")


def test_the_standard_librarys_lines_have_the_same_form() -> None:
    [event] = events('standard.getLogger("some.library").warning("It is %s.", "late")')
    assert (event["event"], event["level"], event["logger"]) == (
        "It is late.",
        "warning",
        "some.library",
    )


@pytest.mark.parametrize("name", ["aiortc.rtcpeerconnection", "aioice.ice", "aiohttp.access"])
def test_packets_and_requests_are_not_logged_one_by_one(name: str) -> None:
    body = (
        f'log_of = standard.getLogger("{name}"); log_of.info("GET /?token=1"); log_of.warning("w")'
    )
    assert [event["event"] for event in events(body)] == ["w"]


def test_a_process_may_show_its_own_lines_alone_where_it_wants() -> None:
    body = """
import sys
logging.configure(as_json=True, stream=sys.__stderr__, only="inzwa_rtc")
sys.stderr = None
standard.getLogger("library").error("canary")
standard.getLogger("inzwa_rtc_of_others").error("canary")
warnings.simplefilter("default")
warnings.warn("canary", stacklevel=1)
structlog.get_logger("inzwa_rtc.engines").error("engine.failed", engine="espeak")
"""
    [event] = events(body)
    assert (event["event"], event["engine"]) == ("engine.failed", "espeak")


def test_people_get_readable_lines_without_colour_codes_in_files() -> None:
    text = logged('log.info("server.ready", url="http://localhost:8080")', as_json=False)
    assert "server.ready" in text
    assert "url=http://localhost:8080" in text
    assert "\x1b" not in text


def test_what_is_no_http_is_not_told_and_no_client_is_named() -> None:
    body = """
from aiohttp.http_exceptions import BadStatusLine
server = standard.getLogger("aiohttp.server")
server.error("Error handling request from %s", "canary", exc_info=BadStatusLine("canary"))
server.error("Error handling request from %s", "canary", exc_info=RuntimeError())
"""
    [event] = events(body)
    assert event["event"] == "Error handling request from a client"
