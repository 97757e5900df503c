"""The OpenAPI 3.1 document, made from the operations themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from signaling.api.errors import ErrorBody, OpenAIErrorBody
from signaling.api.operation import Answer, Body, FormBody, JsonBody, Operation, RawBody

OPENAPI = "3.1.0"

_PARAMETER = re.compile(r"{(\w+)}")
_REFUSED = {
    400: "The request cannot be understood.",
    401: "It is not said who asks, or nobody is known by that.",
    403: "Whoever asks may not.",
    404: "There is no such thing.",
    408: "The request came too slowly.",
    409: "It does not fit the state of things.",
    410: "It is over.",
    412: "The tag is stale.",
    413: "There is too much of it.",
    415: "The content type is not understood.",
    421: "This server does not answer to that host name.",
    422: "It cannot be worked with.",
    428: "The tag is missing.",
    429: "Too many requests.",
    500: "A fault of the server's.",
    502: "An engine failed.",
    503: "Not now; see `Retry-After`.",
}
_BY_ANYBODY = (400, 403, 408, 421, 429, 500, 502, 503)
"""What any request may end in."""

Mode = Literal["validation", "serialization"]
_Schemas = Mapping[Any, Mapping[str, Any]]


def document(operations: Iterable[Operation], title: str, version: str) -> dict[str, Any]:
    """The document of all operations that are to be listed."""
    listed = [operation for operation in operations if operation.is_listed]
    schemas, defined = models_json_schema(
        sorted(set(_models(listed)), key=lambda item: (item[0].__name__, item[1])),
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        described = _operation(operation, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": OPENAPI,
        "info": {"title": title, "version": version, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": defined.get("$defs", {}),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, a start token, or a call token.",
                }
            },
        },
    }


def _models(operations: Iterable[Operation]) -> Iterator[tuple[type[BaseModel], Mode]]:
    yield from ((model, "serialization") for model in (ErrorBody, OpenAIErrorBody))
    for operation in operations:
        for body in operation.body:
            if not isinstance(body, RawBody) and body.model is not None:
                yield body.model, "validation"
        for answer in operation.answers:
            if answer.model is not None:
                yield answer.model, "serialization"
            yield from ((model, "serialization") for model in answer.other_events)


def _operation(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _name(operation),
        "summary": operation.summary,
        "description": inspect.getdoc(operation.handler) or operation.summary,
        "tags": [operation.tag],
        "responses": _responses(operation, schemas),
        "security": [] if operation.access == "anyone" else [{"bearer": []}, {}],
    }
    if parameters := [*_in_path(operation.path), *_in_query(operation.query)]:
        described["parameters"] = parameters
    if operation.body:
        content: dict[str, Any] = {}
        for body in operation.body:
            content |= _content(body, schemas)
        may_be_none = any(isinstance(one, JsonBody) and one.is_optional for one in operation.body)
        described["requestBody"] = {"required": not may_be_none, "content": content}
    if operation.access == "admin":
        described["security"] = [{"bearer": []}]
    return described


def _name(operation: Operation) -> str:
    words = re.sub(r"\W+", " ", operation.path).split()
    return "_".join([operation.method.lower(), *words])


def _in_path(path: str) -> Iterator[dict[str, Any]]:
    for name in _PARAMETER.findall(path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _in_query(model: type[BaseModel] | None) -> Iterator[dict[str, Any]]:
    if model is None:
        return
    schema = model.model_json_schema()
    for name, member in schema.get("properties", {}).items():
        is_needed = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": is_needed, "schema": member}


def _content(body: Body, schemas: _Schemas) -> dict[str, Any]:
    match body:
        case JsonBody(model=model):
            return {"application/json": {"schema": schemas[model, "validation"]}}
        case FormBody(files=files, model=form):
            parts: dict[str, Any] = {name: {"type": "string", "format": "binary"} for name in files}
            own: dict[str, Any] = {"type": "object", "properties": parts, "required": [files[0]]}
            schema = {"allOf": [own, schemas[form, "validation"]]} if form else own
            return {"multipart/form-data": {"schema": schema}}
        case RawBody(media_types=kinds):
            return {kind: {"schema": {"type": "string"}} for kind in kinds}


def _responses(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    shape = ErrorBody if operation.errors == "native" else OpenAIErrorBody
    responses: dict[str, Any] = {}
    for answer in operation.answers:
        told = responses.setdefault(str(answer.status), {"description": answer.description})
        if answer.media_type:
            told.setdefault("content", {})[answer.media_type] = _media(answer, shape, schemas)
    error = {"application/json": {"schema": schemas[shape, "serialization"]}}
    refusals = {*_BY_ANYBODY, *operation.refusals}
    if operation.access != "anyone":
        refusals |= {401}
    for status in sorted(refusals):
        responses.setdefault(str(status), {"description": _REFUSED[status], "content": error})
    return responses


def _media(answer: Answer, shape: type[BaseModel], schemas: _Schemas) -> dict[str, Any]:
    if answer.model is None:
        return {"schema": {"type": "string"}}
    if answer.media_type != "text/event-stream":
        return {"schema": schemas[answer.model, "serialization"]}
    kinds = (answer.model, *answer.other_events, shape)
    data = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"anyOf": [schemas[kind, "serialization"] for kind in kinds]},
    }
    # Of one event.
    return {"schema": {"type": "object", "properties": {"event": {"type": "string"}, "data": data}}}
