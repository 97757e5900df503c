"""What speech engines have in common that ask a server elsewhere.

An attempt to ask gives bytes; here they become chunks, or it is said what is wrong with them.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Annotated, Any

from pydantic import Field

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest, Voice
from inzwa_rtc.engines.remote import answers
from inzwa_rtc.engines.remote.answers import Failed
from inzwa_rtc.engines.remote.asking import Limit, Seconds
from inzwa_rtc.engines.remote.options import RemoteOptions, Server
from inzwa_rtc.engines.tts.samples import Samples
from inzwa_rtc.errors import EngineError

_SPARE_S = 10.0
_SLOWEST_S = 1.0
"""For a character: five times slower than anybody speaks, Chinese included."""
_NAMED = 20
"""How many voices an error names."""

SampleRate = Annotated[int, Field(ge=8000, le=48_000)]


class SpeakingOptions(RemoteOptions):
    """Options of every speech engine on a server."""

    first_audio_timeout_s: Seconds = 3.0
    """How long a turn waits for the first sound: for its turn, for all attempts to ask, and for
    the model. Raise it, and `timeouts.first_audio`, for a model that is slow to begin."""
    next_audio_timeout_s: Seconds = 3.0
    """How long it waits for each 20 ms of sound after that."""

    @property
    def first_limit(self) -> Limit:
        """Of the first sound."""
        return Limit("first_audio_timeout_s", self.first_audio_timeout_s)

    @property
    def next_limit(self) -> Limit:
        """Of each sound after that."""
        return Limit("next_audio_timeout_s", self.next_audio_timeout_s)


def sendable(text: str) -> str:
    """The text with a space for each character that no server could say: control characters,
    halves of characters. It is as long as before, so that places in it stay."""
    return "".join(" " if unicodedata.category(one) in ("Cc", "Cs") else one for one in text)


def says_something(text: str) -> bool:
    """Whether there is anything to be spoken. A provider would bill points and dashes too."""
    return any(one.isalnum() for one in text)


def check_length(server: Server, text: str, max_chars: int) -> None:
    """Raise `EngineError` for a text that the server would refuse or cut."""
    if len(text) > max_chars:
        raise EngineError(
            f"{server} takes texts of at most {max_chars} characters.",
            action=f"Split the text, or raise `{server.group}.max_chars` if its model takes more.",
            code="text_too_long",
        )


def unknown_voice(server: Server, voices: Sequence[Voice], advice: str = "") -> EngineError:
    """The server has no such voice."""
    named = ", ".join(voice.id for voice in voices[:_NAMED])
    more = f" and {len(voices) - _NAMED} more" if len(voices) > _NAMED else ""
    return EngineError(
        f"{server} has no voice of that name.",
        action=f"Choose one of: {named}{more}. {advice}".rstrip(),
        code="unknown_voice",
    )


def longest_s(request: SpeechRequest, speed: float = 1.0) -> float:
    """The longest that the speech of this text can be. Speech models may talk on for ever."""
    return _SPARE_S + len(request.text) * _SLOWEST_S / min(speed, 1.0)


async def sound(
    server: Server, data: AsyncIterator[bytes], samples: Samples
) -> AsyncGenerator[SpeechChunk, None]:
    """The chunks of a speech that comes as bytes. Raises `Failed`, for one without a sound too."""
    try:
        async for piece in data:
            for chunk in samples.feed(piece):
                yield SpeechChunk(chunk)
    except ValueError:
        raise answers.garbled(server) from None
    yield last_of(server, samples)


def last_of(server: Server, samples: Samples) -> SpeechChunk:
    """The last chunk of a speech. Raises `Failed` where there was none, or it breaks off."""
    try:
        chunk = samples.end()
    except ValueError:
        raise answers.cut(server) from None
    if not samples.made:
        raise answers.empty(server)
    return SpeechChunk(chunk)


def no_sound(server: Server, kind: str, body: bytes) -> Failed:
    """What a server said, with status 200, in place of a sound. `kind` is its content type."""
    if "json" in kind:
        try:
            told: Any = json.loads(body)
        except answers.UNREADABLE:
            return answers.garbled(server)
        if is_error(told):
            return answers.given_up(server)
    return answers.garbled(server)


def is_error(told: Any) -> bool:
    """Whether a JSON value is of the form in which servers tell their errors."""
    return isinstance(told, dict) and bool({"error", "detail", "message"} & told.keys())


def is_text(kind: str) -> bool:
    """Whether a content type is none that a sound could have."""
    return kind.startswith(("application/json", "application/problem", "text/"))


def begins_as_text(piece: bytes) -> bool:
    """Whether samples begin as a page or as JSON would, whatever their content type. A sound
    would have to begin with just these loud samples."""
    return piece[:32].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b'{"'))
