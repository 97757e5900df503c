"""Nothing that callers say, write, are called or send as a key is in a log line, a metric, a trace
or an error's body."""

from __future__ import annotations

import io
import logging as standard_logging
import re
from collections.abc import Iterator
from typing import NoReturn

import aiohttp
import pytest

from benchmarks.canaries import KEY, Canaries, hits
from inzwa_rtc import logging
from tests.support.collector import collecting
from tests.support.credentials import NO_LIMITS, serving_with_keys
from tests.support.engines import ScriptedModel, ScriptedRecognizer
from tests.support.figures import figures
from tests.support.voice import speech

CALL_ID = re.compile(r'"call": ?"')


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All log lines, as production writes them."""
    root = standard_logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logging.configure(as_json=True, stream=stream)
    try:
        yield stream
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        standard_logging.captureWarnings(False)
        # structlog stays as it was set: loggers keep it, and `capture_logs` has to reach them.


async def somebody_speaks() -> bytes:
    return (await speech("hello there, how are you", 16_000)).astype("<i2").tobytes()


async def test_no_word_of_callers_is_where_operators_look(log: io.StringIO) -> None:
    asr = ScriptedRecognizer(*["the canaryspoken words"] * 50)
    llm = ScriptedModel(
        "A canaryreply.",
        RuntimeError("canary of a library's"),
        *["A canaryreply."] * 50,
    )
    async with collecting() as collector:
        async with serving_with_keys(
            asr,
            llm,
            access=NO_LIMITS,
            telemetry={"otlp_endpoint": collector.url},
            hmac_key="canary-of-names-0001",
        ) as (server, keys, _):
            canaries = Canaries(server.url, keys.call, await somebody_speaks())
            await canaries.fly(1)
            metrics = (await figures(server.url, keys.admin)).text
    assert canaries.sent == 27
    assert len(canaries.errors) > 10
    told = log.getvalue()
    assert told.count('"event": "call.started"') == 4
    assert '"operation": "POST /v1/tts"' in told
    assert '"user": "' in told, "users have pseudonyms"
    assert collector.spans
    assert b"canary" not in collector.raw.lower()
    assert hits(told) == []
    assert hits(metrics) == []
    assert hits("\n".join(canaries.errors)) == []
    assert keys.call not in told
    assert KEY not in told


async def test_a_fault_of_ours_is_logged_by_the_operation_and_not_by_what_was_asked_for(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(user: str) -> NoReturn:
        raise OSError(36, "File name too long", user)

    async with serving_with_keys() as (server, keys, _):
        monkeypatch.setattr(server.store.users, "get", broken)
        headers = {"Authorization": f"Bearer {keys.admin}"}
        async with aiohttp.ClientSession(server.url, headers=headers) as http:
            answer = await http.get("/v1/admin/users/canary-user")
    assert answer.status == 500
    told = log.getvalue()
    assert '"path": "/v1/admin/users/{id}"' in told
    assert "[Errno 36] File name too long" in told
    assert hits(told) == []


async def test_every_line_of_a_call_names_it_and_of_a_turn_the_turn(log: io.StringIO) -> None:
    llm = ScriptedModel(RuntimeError("whatever"), "Yes.")
    async with serving_with_keys(None, llm) as (server, keys, _):
        canaries = Canaries(server.url, keys.call, await somebody_speaks())
        await canaries.fly(1)
    lines = log.getvalue().splitlines()
    of_calls = [line for line in lines if '"event": "call.' in line or '"event": "turn.' in line]
    assert of_calls
    assert all(CALL_ID.search(line) for line in of_calls)
    assert all('"turn": ' in line for line in lines if '"event": "turn.' in line)
