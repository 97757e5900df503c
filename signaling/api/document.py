"""Serves the OpenAPI document at `/openapi.json`."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web
from pydantic import BaseModel, ConfigDict

import inzwa_rtc
from signaling.api.openapi import document
from signaling.api.operation import OPERATIONS, Answer, Operation


class OpenApi(BaseModel):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow")

    openapi: str


class ApiDocument:
    """The handler of `/openapi.json`. The document is made once, in a thread: that takes longer
    than a call may wait for its next frame."""

    def __init__(self) -> None:
        self._making = asyncio.Lock()
        self._made: bytes | None = None

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("GET", "/openapi.json", self.show, "This document"),
                access="anyone",
                tag="operation",
                answers=(Answer(200, "OpenAPI 3.1.", OpenApi),),
            )
        ]

    async def show(self, request: web.Request) -> web.Response:
        """All operations of this server, with the shapes of what they take and answer."""
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(_written, request.app[OPERATIONS])
        return web.Response(body=self._made, content_type="application/json", charset="utf-8")


def _written(operations: list[Operation]) -> bytes:
    return json.dumps(document(operations, "Inzwa RTC", inzwa_rtc.__version__)).encode()
