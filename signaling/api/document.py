"""Serves the OpenAPI document at `/openapi.json`."""

from __future__ import annotations

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
    """The handler of `/openapi.json`."""

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
        operations = request.app[OPERATIONS]
        return web.json_response(document(operations, "Inzwa RTC", inzwa_rtc.__version__))
