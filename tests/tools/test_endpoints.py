"""HTTP endpoints as tools: what is sent, what is told, and what a hostile one cannot do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.resolver import DefaultResolver

from inzwa_rtc.engines.contracts import ToolCall
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings.tools import ToolSettings
from inzwa_rtc.tools import web as web_module
from inzwa_rtc.tools.loading import opened
from tests.engines.remote.fake_server import (
    ASKED,
    Behaviour,
    FakeServer,
    answers,
    breaks,
    drips,
    hangs,
    streams,
)

SECRET = "a-secret-of-the-operator"
TEXT = {"type": "string"}


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with FakeServer().running() as running:
        yield running


def entry(url: str, *names: str, **members: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": dict.fromkeys(names, TEXT)}
    return {
        "source": "http",
        "url": url,
        "description": "Looks something up.",
        "always": True,
        "parameters": parameters,
        **members,
    }


async def told(arguments: dict[str, Any], used: dict[str, Any], **settings: Any) -> str:
    toolbox = await opened(ToolSettings.model_validate({"use": {"it": used}, **settings}))
    try:
        return (await toolbox.run(toolbox.tools[0], ToolCall("it", arguments, "1"))).text
    finally:
        await toolbox.close()


class Seen:
    """What a request was."""

    def __init__(self) -> None:
        self.raw = ""
        self.body: Any = None
        self.headers: dict[str, str] = {}

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.raw = request.raw_path
        self.headers = dict(request.headers)
        self.body = request[ASKED].body
        return web.Response(text="ok")


async def test_arguments_fill_the_address_and_the_rest_is_the_query(server: FakeServer) -> None:
    server.will(seen := Seen())
    used = entry(f"{server.url}/at/{{city}}", "city", "unit", headers={"X-Key": SECRET})
    assert await told({"city": "Victoria Falls", "unit": "°C & more"}, used) == "ok"
    assert seen.raw == "/at/Victoria%20Falls?unit=%C2%B0C+%26+more"
    assert seen.headers["X-Key"] == SECRET


@pytest.mark.parametrize(
    "value", ["../../admin", "..", ".", "a/b", "?x=1", "#x", "@evil.example", "\rX: y", "%2e%2e"]
)
async def test_a_value_stays_within_its_part_of_the_address(server: FakeServer, value: str) -> None:
    server.will(seen := Seen())
    await told({"city": value}, entry(f"{server.url}/at/{{city}}/now", "city"))
    assert seen.raw.startswith("/at/")
    assert seen.raw.endswith("/now")
    assert seen.raw.count("/") == 3
    assert "X" not in seen.headers


async def test_a_body_is_all_arguments_or_what_the_operator_has_drawn(server: FakeServer) -> None:
    url = f"{server.url}/orders"
    server.will(seen := Seen())
    await told({"a": "1", "b": "2"}, entry(url, "a", "b", method="POST", body="json"))
    assert seen.body == {"a": "1", "b": "2"}
    drawn = {"order": {"item": "{a}", "note": "for {b}!", "list": ["{a}", 7]}}
    await told({"a": "1", "b": "2"}, entry(url, "a", "b", method="POST", body=drawn))
    assert seen.body == {"order": {"item": "1", "note": "for 2!", "list": ["1", 7]}}


async def test_a_pointer_picks_what_is_told(server: FakeServer) -> None:
    server.will(answers({"now": {"t": 24, "sky": "clear"}}))
    assert await told({}, entry(server.url, result="/now/sky")) == "clear"
    assert await told({}, entry(server.url, result="/now")) == '{"t": 24, "sky": "clear"}'


async def floods() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 65536


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (answers("no", 404), "status 404"),
        (answers("no", 500), "status 500"),
        (breaks, "cannot be reached"),
        (hangs, "in time"),
        (drips(floods(), "text/plain"), "too long"),
        (streams([b"x" * (web_module.MAX_BYTES + 1)]), "too long"),
        (streams([b"{"], then=hangs), "in time"),
        (answers("\0\1\2"), "no text"),
        (answers("packed", Content_Encoding="gzip"), "packed"),
        (answers("", 302, Location="http://169.254.169.254/latest/meta-data"), "elsewhere"),
        (answers("", 302, Location="http://other.invalid/"), "elsewhere"),
        (answers("", 302, Location="file:///etc/passwd"), "elsewhere"),
        (answers("", 302, Location="http://user:pass@127.0.0.1/"), "elsewhere"),
        (answers("", 302, Location="/again"), "elsewhere"),
        (answers("", 302, Location="http://[::"), ""),
        (answers("", 302), ""),
    ],
    ids=[
        *("404", "500", "breaks", "hangs", "floods", "huge", "stalls", "binary", "packed"),
        *("metadata", "another host", "a file", "with a password", "in circles"),
        *("to no address", "to nowhere"),
    ],
)
async def test_a_hostile_answer_is_told_as_a_failure(
    server: FakeServer, behaviour: Behaviour, reason: str
) -> None:
    server.will(behaviour)
    patience = 0.5 if reason == "in time" else 20
    async with asyncio.timeout(30):
        answer = await told({}, entry(server.url, timeout_s=patience))
    assert answer.startswith("Error: ")
    assert reason in answer


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", "7", '{"a": 1}', "[" * 100_000, '{"a": {"b"'], ids=str.__len__
)
async def test_an_answer_without_what_is_picked_is_told_as_a_failure(
    server: FakeServer, text: str
) -> None:
    server.will(answers(text))
    assert (await told({}, entry(server.url, result="/a/b"))).startswith("Error: ")


async def test_a_redirect_on_the_same_host_is_followed(server: FakeServer) -> None:
    server.will(answers("", 302, Location="/there"), answers("ok", kind="text/plain"))
    assert await told({}, entry(f"{server.url}/here")) == "ok"
    assert [asked.path for asked in server.asked] == ["/here", "/there"]


async def test_what_changes_something_is_not_sent_on(server: FakeServer) -> None:
    server.will(answers("", 307, Location="/there"))
    used = entry(f"{server.url}/here", method="POST", body="json")
    assert "elsewhere" in await told({}, used)
    assert len(server.asked) == 1


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]"])
async def test_link_local_addresses_are_not_asked(host: str) -> None:
    assert "not asked" in await told({}, entry(f"http://{host}/"))


async def test_a_name_that_leads_to_a_link_local_address_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def resolve(self: Any, host: str, port: int = 0, family: Any = 0) -> list[Any]:
        found = {"hostname": host, "host": "169.254.169.254", "port": port}
        return [{**found, "family": family, "proto": 0, "flags": 0}]

    monkeypatch.setattr(DefaultResolver, "resolve", resolve)
    assert "cannot be reached" in await told({}, entry("http://metadata.invalid/"))


async def test_nobody_there_is_told_without_the_address() -> None:
    answer = await told({}, entry("http://127.0.0.1:9/secret-path"))
    assert "cannot be reached" in answer
    assert "secret-path" not in answer


async def test_a_long_text_is_told_in_part(server: FakeServer) -> None:
    server.will(answers("word " * 1000, kind="text/plain"))
    answer = await told({}, entry(server.url), result_chars=100)
    assert len(answer) <= 104


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"type": "strong"}, "parameters.type"),
        ({"type": "array"}, "schema of an object"),
        ({"type": "object", "properties": {"a": {"$ref": "http://x.invalid/"}}}, "elsewhere"),
    ],
)
async def test_a_schema_that_is_none_is_refused_by_its_place(
    parameters: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError, match=named) as refused:
        await told({}, entry("http://127.0.0.1:9/", parameters=parameters))
    assert "tools.use.it.parameters" in refused.value.message
