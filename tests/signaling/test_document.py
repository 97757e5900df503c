"""The OpenAPI document says what the server does."""

from __future__ import annotations

import aiohttp
from openapi_spec_validator import OpenAPIV31SpecValidator

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
