"""Reads `multipart/form-data`: files in memory, bounded in bytes, parts and time."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ValidationError

from inzwa_rtc.errors import PeerError
from signaling.api.body import (
    bad_json,
    check_plain,
    seconds_for,
    too_large,
    unsupported_media_type,
)
from signaling.api.uploads import room_for

MOST_PARTS = 40
_FIELD_BYTES = 64 * 1024
_PIECE_BYTES = 64 * 1024
_ROOM_BYTES = 256 * 1024  # of fields and headers beside the file

_BROKEN = (
    *(ValueError, RuntimeError, AssertionError, EOFError),
    *(HttpProcessingError, web.RequestPayloadError),
)
"""What aiohttp raises for forms that are none."""

M = TypeVar("M", bound=BaseModel)


@dataclass(slots=True)
class Form:
    """A form that was sent: its files by name, and its other fields; those of one name that ends
    in `[]` are a list."""

    files: dict[str, bytes] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)

    def file(self, name: str) -> bytes:
        """The file of this name. Raises `PeerError`."""
        if not self.files.get(name):
            raise PeerError(
                f"The form has no file `{name}`.",
                action=f"Send the recording as a part of the name `{name}`.",
                code="no_file",
            )
        return self.files[name]

    def as_model(self, model: type[M]) -> M:
        """The other fields. Raises `PeerError`."""
        try:
            return model.model_validate(self.fields)
        except ValidationError as error:
            raise bad_json(error) from None


async def read_form(request: web.Request, files: Collection[str], limit: int) -> Form:
    """The form; each file of at most `limit` bytes. Raises `PeerError`, `Unavailable` (there is
    no room for it now) and `TimeoutError`."""
    if request.content_type != "multipart/form-data":
        raise unsupported_media_type("multipart/form-data")
    check_plain(request)
    if request.content_length is not None and request.content_length > limit + _ROOM_BYTES:
        raise too_large(limit)
    try:
        with room_for(request, limit + _ROOM_BYTES):
            async with asyncio.timeout(seconds_for(limit)):
                return await _read(request, files, limit)
    except _BROKEN:
        raise PeerError(
            "The form cannot be read.",
            action="Send multipart/form-data as RFC 7578 describes it.",
            code="bad_form",
        ) from None


async def _read(request: web.Request, files: Collection[str], limit: int) -> Form:
    form = Form()
    parts = 0
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        parts += 1
        if not isinstance(part, BodyPartReader) or not part.name or parts > MOST_PARTS:
            raise ValueError("no plain form")
        if part.name in files:
            form.files[part.name] = await _bytes(part, limit)
        else:
            _add(form.fields, part.name, (await _bytes(part, _FIELD_BYTES)).decode())
    return form


async def _bytes(part: BodyPartReader, limit: int) -> bytes:
    body = bytearray()
    while piece := await part.read_chunk(_PIECE_BYTES):
        body += piece
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def _add(fields: dict[str, Any], name: str, value: str) -> None:
    if name.endswith("[]"):
        fields.setdefault(name.removesuffix("[]"), []).append(value)
    else:
        fields[name] = value
