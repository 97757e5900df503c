"""The OpenAPI document says what the server does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from signaling.api import openapi
from tests.support.server import serving


async def test_the_document_is_valid_and_names_every_operation() -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        told = await (await client.get("/openapi.json")).json()
    OpenAPIV31SpecValidator(told).validate()
    assert {"/v1/calls", "/v1/calls/{id}", "/v1/info", "/readyz", "/v1/ws"} <= set(told["paths"])
    start = told["paths"]["/v1/calls"]["post"]
    assert set(start["requestBody"]["content"]) == {"application/json", "application/sdp"}
    assert {"201", "413", "415", "503"} <= set(start["responses"])


async def test_each_operation_has_a_name_of_its_own_and_is_explained() -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        told = await (await client.get("/openapi.json")).json()
    operations = [one for path in told["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)
    assert all(one["summary"] and one["description"] for one in operations)


async def test_a_body_that_may_be_left_out_is_told_as_that_and_may_be() -> None:
    async def nothing() -> AsyncIterator[bytes]:
        return
        yield b""

    async with serving(admin_key="an operator's key") as server:
        headers = {"Authorization": "Bearer an operator's key"}
        async with aiohttp.ClientSession(server.url) as client:
            paths = (await (await client.get("/openapi.json")).json())["paths"]
            for path, who, status in (("/v1/tokens", {}, 201), ("/v1/admin/drain", headers, 200)):
                assert paths[path]["post"]["requestBody"]["required"] is False
                for body in (None, b"", nothing()):
                    async with client.post(path, data=body, headers=who) as answer:
                        assert answer.status == status, (path, await answer.text())
                async with client.post(path, data=b"{}", headers=who) as answer:
                    assert answer.status == 415  # it says of no body what it is
    assert paths["/v1/tts"]["post"]["requestBody"]["required"] is True


async def test_it_is_made_once_and_away_from_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    make = openapi.document

    def noted(*asked: Any) -> dict[str, Any]:
        threads.append(threading.current_thread())
        return make(*asked)

    monkeypatch.setattr("signaling.api.document.document", noted)
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        answers = await asyncio.gather(*(client.get("/openapi.json") for _ in range(5)))
        told = [await answer.json() for answer in answers]
    assert all(one == told[0] for one in told)
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
