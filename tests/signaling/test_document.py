"""The OpenAPI document says what the server does."""

from __future__ import annotations

import asyncio
import threading
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
