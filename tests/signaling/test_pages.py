"""The bundled pages, and what is said of addresses that are nothing."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.support.server import serving

NOTHING = {
    "unknown": "/nothing.html",
    "unknown in the API": "/v1/nothing",
    "a folder": "/style/",
    "above": "/..%2f..%2fetc/passwd",
    "too long a name": "/" + "a" * 600,
    "no name of a file": "/a%00b",
}


async def status(client: aiohttp.ClientSession, method: str, path: str) -> int:
    async with client.request(method, path) as answer:
        await answer.read()
        return answer.status


async def test_the_pages_and_their_files_are_there() -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        for path in ("/", "/dashboard", "/docs", "/index.html", "/app.js", "/favicon.svg"):
            assert await status(client, "GET", path) == 200
            assert await status(client, "HEAD", path) == 200


@pytest.mark.parametrize("name", NOTHING)
async def test_what_is_not_there_is_told_as_every_error_is(name: str) -> None:
    async with serving() as server, aiohttp.ClientSession() as client:
        answer = await client.get(f"{server.url}{NOTHING[name]}")
        told = await answer.json()
    assert answer.status == 404
    assert told["code"] and told["action"]


async def test_another_method_is_refused_with_those_that_there_are() -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        answer = await client.delete("/v1/tts")
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert (await answer.json())["code"] == "http_error"
        assert await status(client, "DELETE", "/v1/nothing") == 404


async def test_what_can_be_asked_for_can_be_asked_about() -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        for path in ("/healthz", "/v1/info", "/openapi.json"):
            assert await status(client, "HEAD", path) == 200
        assert await status(client, "HEAD", "/v1/ws") == 405


async def test_an_unknown_expectation_is_passed_over() -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        answer = await client.post("/v1/tts", json=[], headers={"Expect": "more"})
        assert (answer.status, (await answer.json())["code"]) == (400, "bad_json")


async def test_who_waits_to_be_asked_for_the_body_is_asked() -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        async with asyncio.timeout(20):
            answer = await client.post("/v1/tts", json={"text": "Hello."}, expect100=True)
        assert (answer.status, len(await answer.read()) > 44) == (200, True)
