"""`/v1/models`."""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from inzwa_rtc.errors import PeerError
from signaling.api.operation import Answer, Operation
from signaling.rest.openai.names import ModelName, models
from signaling.switchboard import Switchboard


class Model(BaseModel):
    """A model that requests can name. `kind` is our own addition: asr, llm or tts."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str
    kind: str

    @classmethod
    def of(cls, name: ModelName) -> Model:
        """As it is told."""
        return cls(id=name.id, owned_by=name.owner, kind=name.kind)


class ModelList(BaseModel):
    """All of them."""

    object: Literal["list"] = "list"
    data: list[Model]


class OpenAIModels:
    """The handlers."""

    def __init__(self, switchboard: Switchboard[Any]) -> None:
        self._switchboard = switchboard

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("GET", "/v1/models", self.all, "Which models there are"),
                tag="openai",
                answers=(Answer(200, "All that requests can name.", ModelList),),
                errors="openai",
            ),
            Operation(
                *("GET", "/v1/models/{id}", self.one, "Whether there is a model"),
                tag="openai",
                answers=(Answer(200, "There is.", Model),),
                refusals=(404,),
                errors="openai",
            ),
        ]

    async def all(self, _request: web.Request) -> web.Response:
        """The configured models, and the engines by their names."""
        data = [Model.of(name) for name in models(self._switchboard.now.settings)]
        return web.json_response(ModelList(data=data).model_dump())

    async def one(self, request: web.Request) -> web.Response:
        """One of them."""
        wanted = request.match_info["id"]
        for name in models(self._switchboard.now.settings):
            if name.id == wanted:
                return web.json_response(Model.of(name).model_dump())
        raise PeerError(
            "There is no such model here.",
            action="GET /v1/models lists them.",
            code="model_not_found",
            status=404,
        )
