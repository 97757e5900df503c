"""Every refusal is JSON that names the fault and says what to do, and none quotes what was sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.support.server import serving

NO_HTTP = {
    "TLS": b"\x16\x03\x01\x02\x00canary\r\n\r\n",
    "words": b"canary canary\r\n\r\n",
    "a version that is none": b"GET /canary HTTP/9.x\r\nHost: a\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost: a\r\ncanary\r\n\r\n",
    "a header with a zero byte": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: canary\x00\r\n\r\n",
    "a length that is none": b"POST /v1/tts HTTP/1.1\r\nHost: a\r\nContent-Length: canary\r\n\r\n",
    "no host": b"GET /canary HTTP/1.1\r\n\r\n",
}
TOO_LONG = {
    "a header": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"canary" * 2000 + b"\r\n\r\n",
    "an address": b"GET /" + b"canary" * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
}


async def answered(url: str, sent: bytes) -> tuple[int, dict[str, str], Any]:
    """The status, the headers and the JSON that this is answered with, before the connection is
    closed."""
    there = urlsplit(url)
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(there.hostname, there.port)
        writer.write(sent)
        told = await reader.read()
        writer.close()
    head, _, body = told.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, json.loads(body)


@pytest.mark.parametrize("kind", NO_HTTP)
async def test_what_is_no_http_is_refused_as_everything_else_is(kind: str) -> None:
    async with serving() as server:
        status, headers, told = await answered(server.url, NO_HTTP[kind])
    assert (status, told["code"]) == (400, "bad_http")
    assert set(told) == {"code", "message", "action"}
    assert headers["content-type"].startswith("application/json")
    assert headers["x-content-type-options"] == "nosniff"
    assert "canary" not in str(told)


@pytest.mark.parametrize("path", ["/", "/docs", "/canary", "/v1/canary"])
async def test_an_expectation_that_nobody_knows_is_refused_without_being_quoted(path: str) -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        async with client.get(path, headers={"Expect": "canary"}) as answer:
            told = await answer.json()
    assert (answer.status, told["code"]) == (417, "unknown_expectation")
    assert set(told) == {"code", "message", "action"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "canary" not in str(told)


@pytest.mark.parametrize("kind", TOO_LONG)
async def test_what_is_too_long_is_told_as_that(kind: str) -> None:
    async with serving() as server:
        status, _, told = await answered(server.url, TOO_LONG[kind])
    assert (status, told["code"]) == (400, "bad_http")
    assert "too long" in told["message"]
    assert "canary" not in str(told)


@pytest.mark.parametrize("path", ["/v1/ws", "/ws/stt"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "99"},
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"},
    ],
    ids=["a page's address", "another version", "no key"],
)
async def test_who_opens_no_websocket_is_told_to_use_one(
    path: str, headers: dict[str, str]
) -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        async with client.get(path, headers=headers) as answer:
            told = await answer.json()
    assert (answer.status, told["code"]) == (400, "no_websocket")
    assert "WebSocket client" in told["action"]


async def test_a_path_that_is_not_there_and_a_method_that_is_not_its_own_are_named() -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        async with client.get("/v1/canary") as answer:
            nothing = await answer.json()
        async with client.put("/v1/admin/drain") as answer:
            other = await answer.json()
    assert nothing == {
        "code": "http_error",
        "message": "There is nothing at this path.",
        "action": "See /docs for the paths there are.",
    }
    assert other["action"] == "Use DELETE or POST."
