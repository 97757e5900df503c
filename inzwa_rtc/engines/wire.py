"""How the contracts' data travel between the server and an engine's process.

Requests are JSON objects. Answers are streams of JSON objects: `application/x-ndjson`
lines over HTTP, text messages over a WebSocket. The last one is `{"done": true}` or
`{"error": {"code", "message", "action"}}`: a stream that ends without either was cut.
JSON is written as pure ASCII, so that any `str`, lone surrogates included, comes back
as it was.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from dataclasses import asdict
from typing import Any

from inzwa_rtc.engines.contracts import (
    HeardWord,
    SpeechChunk,
    SpeechRequest,
    TranscriptChunk,
    Voice,
    WordTime,
)
from inzwa_rtc.errors import EngineError, EngineTimeout, EngineUnavailable, InzwaError

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Bound on one answer object: over four minutes of audio at 22 kHz in one chunk."""

WINDOW_PIECES = 8
"""Pieces of audio on their way to a recogniser that it has not taken yet."""

PIECE_BYTES = 8 * 1024
"""Longest piece of audio in one message. A full window (64 KiB, 2 s) stays below the
131 kB at which aiohttp stops reading, so that the child always notices a hang-up."""

DONE: Mapping[str, Any] = {"done": True}
END: Mapping[str, Any] = {"type": "end"}
TAKEN: Mapping[str, Any] = {"taken": 1}


def to_line(data: Mapping[str, Any]) -> bytes:
    """The object as one line, its end included."""
    return json.dumps(data).encode("ascii") + b"\n"


async def from_lines(pieces: AsyncIterable[bytes]) -> AsyncGenerator[dict[str, Any], None]:
    """Cut a byte stream into its objects, up to the one that ends it.

    Raises the engine's own error when the stream carries one, and `EngineError`
    when it is cut, garbled, or holds a line longer than `MAX_LINE_BYTES`.
    """
    held: list[bytes] = []
    size = 0
    async for piece in pieces:
        *ended, rest = piece.split(b"\n")
        for line in ended:
            data = from_json(b"".join([*held, line]))
            held.clear()
            size = 0
            if is_last(data):
                return
            yield data
        held.append(rest)
        size += len(rest)
        if size > MAX_LINE_BYTES:
            raise garbled()
    raise cut()


def from_json(text: str | bytes) -> dict[str, Any]:
    """The object that a line or message holds. Raises `EngineError` when there is none."""
    try:
        data = json.loads(text)
    except ValueError:
        raise garbled() from None
    if not isinstance(data, dict):
        raise garbled()
    return data


def is_last(data: Mapping[str, Any]) -> bool:
    """Whether this object ends a stream well; raises the error that it carries otherwise."""
    if "error" in data:
        raise error_from(data["error"])
    return data.get("done") is True


def cut() -> EngineError:
    """To be raised where an answer ended before its last object."""
    return EngineError(
        "The engine's answer was cut off in the middle.",
        action="Its process probably ended; it is restarted by itself.",
    )


def garbled() -> EngineError:
    """To be raised where an answer has not the form described above."""
    return EngineError(
        "The engine's process sent something that is not an answer.",
        action="Check that it runs the same version of inzwa-rtc.",
    )


def error_to(error: InzwaError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "action": error.action}


def error_from(data: Any) -> EngineError:
    """The engine's error in this process: its code decides the class."""
    if not isinstance(data, dict):
        return garbled()
    kinds = {kind.code: kind for kind in (EngineTimeout, EngineUnavailable)}
    code = str(data.get("code", EngineError.code))
    return kinds.get(code, EngineError)(
        str(data.get("message", "")), action=str(data.get("action", "")), code=code
    )


def speech_request_to(request: SpeechRequest) -> dict[str, Any]:
    return asdict(request)


def speech_request_from(data: Mapping[str, Any]) -> SpeechRequest:
    return SpeechRequest(data["text"], data["voice"], data["language"], data["speed"])


def speech_to(chunk: SpeechChunk) -> dict[str, Any]:
    return {
        "pcm": base64.b64encode(chunk.pcm).decode("ascii"),
        "words": [
            [word.offset, word.length, word.start_ms, word.is_estimated] for word in chunk.words
        ],
    }


def speech_from(data: Mapping[str, Any]) -> SpeechChunk:
    words = tuple(WordTime(*word) for word in data["words"])
    return SpeechChunk(base64.b64decode(data["pcm"]), words)


def transcript_to(chunk: TranscriptChunk) -> dict[str, Any]:
    return asdict(chunk)


def transcript_from(data: Mapping[str, Any]) -> TranscriptChunk:
    words = tuple(HeardWord(**word) for word in data["words"])
    return TranscriptChunk(**{**data, "words": words})


def voice_from(data: Mapping[str, Any]) -> Voice:
    return Voice(**data)
