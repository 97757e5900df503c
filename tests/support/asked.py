"""One request after another to a server under test, as somebody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.support.server import Serving


@dataclass
class Answered:
    """What came of a request."""

    status: int
    content_type: str
    body: bytes
    headers: Any
    told: Any

    @property
    def code(self) -> str:
        code: str = self.told["code"]
        return code


class Asking:
    """A client with a key, or none."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str | None) -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def ask(self, method: str, path: str, **given: Any) -> Answered:
        given["headers"] = {**self._headers, **given.get("headers", {})}
        async with self._http.request(method, self._url + path, **given) as answer:
            body = await answer.read()
            told = await answer.json() if answer.content_type == "application/json" else None
            return Answered(answer.status, answer.content_type, body, answer.headers, told)

    async def get(self, path: str, **given: Any) -> Answered:
        return await self.ask("GET", path, **given)

    async def put(self, path: str, json: Any) -> Answered:
        return await self.ask("PUT", path, json=json)

    async def post(self, path: str, json: Any) -> Answered:
        return await self.ask("POST", path, json=json)


@asynccontextmanager
async def asking(server: Serving, user: str | None = None, *scopes: str) -> AsyncIterator[Asking]:
    """As a key of this user's, or as one of nobody's with these scopes; without either as
    anybody."""
    key = None
    if user is not None or scopes:
        _, key = await server.store.keys.create("test", frozenset(scopes or ("call",)), user)
    async with aiohttp.ClientSession() as http:
        yield Asking(http, server.url, key)


def events_of(body: bytes) -> list[tuple[str, str]]:
    """The events of a stream, with their data."""
    events = []
    for block in body.decode().strip().split("\n\n"):
        name, data = block.split("\n")
        events.append((name.removeprefix("event: "), data.removeprefix("data: ")))
    return events
