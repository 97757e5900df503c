"""The server's own paths: `/v1/asr`, `/v1/chat`, `/v1/tts`."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.audio.container import Format
from inzwa_rtc.engines.contracts import Message, ToolCall
from inzwa_rtc.errors import InzwaError, PeerError
from inzwa_rtc.settings.groups import LimitSettings
from signaling.api.body import read_json, seconds_for
from signaling.api.errors import ErrorBody
from signaling.api.operation import Answer, JsonBody, Operation, caller_of
from signaling.api.streams import SentEvent, send_bytes, send_events
from signaling.operations.chatting import Reply, ReplyEnd, ReplyPart, ReplyText
from signaling.operations.transcribing import Transcript
from signaling.operations.work import Work
from signaling.rest.sound import SOUNDS, content_type

_DECODE_CHARS = 1 << 20  # of base64 at a time, which other threads wait for

Language = Annotated[str, Field(min_length=1, max_length=35)]
"""BCP 47."""

SSE = "text/event-stream"


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class AsrRequest(_Strict):
    """A recording: bare 16-bit mono samples of a rate, or a sound file and no rate."""

    audio_base64: str
    sample_rate: int | None = None
    language: Language | None = None


class AsrSegment(BaseModel):
    """One utterance."""

    text: str
    start_ms: int
    end_ms: int


class AsrWord(AsrSegment):
    """One word."""

    confidence: float


class AsrAnswer(BaseModel):
    """What was said. `duration` in seconds; `words` where the engine has times of them."""

    text: str
    segments: list[AsrSegment]
    words: list[AsrWord]
    language: str
    confidence: float
    duration: float

    @classmethod
    def of(cls, transcript: Transcript) -> AsrAnswer:
        """The answer of this transcript."""
        return cls(
            text=transcript.text,
            segments=[
                AsrSegment(text=one.text, start_ms=one.start_ms, end_ms=one.end_ms)
                for one in transcript.segments
            ],
            words=[
                AsrWord(
                    text=word.text,
                    start_ms=word.start_ms,
                    end_ms=word.end_ms,
                    confidence=word.confidence,
                )
                for word in transcript.words
            ],
            language=transcript.language,
            confidence=round(transcript.confidence, 3),
            duration=round(transcript.duration_s, 3),
        )


class ChatMessage(_Strict):
    """What one side has said."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatRequest(_Strict):
    """A dialogue to be continued."""

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    stream: bool = False
    language: Language | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None


class ChatUsage(BaseModel):
    """Tokens; `estimated` where the engine does not count them."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool


class ChatAnswer(BaseModel):
    """The whole reply."""

    text: str
    finish_reason: str
    usage: ChatUsage


class ChatToken(BaseModel):
    """A piece of the reply."""

    token: str


class ChatEnd(BaseModel):
    """The last event, `done`."""

    finish_reason: str
    usage: ChatUsage


class TtsRequest(_Strict):
    """A text to be read aloud."""

    text: str
    voice: Annotated[str, Field(max_length=500)] | None = None
    language: Language | None = None
    speed: float | None = None
    format: Format = "opus"


class NativeRest:
    """The handlers."""

    def __init__(self, work: Work, limits: LimitSettings) -> None:
        self._work = work
        self._limits = limits

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("POST", "/v1/asr", self.asr, "Write a recording down"),
                tag="speech",
                body=(JsonBody(AsrRequest),),
                answers=(Answer(200, "What was said.", AsrAnswer),),
                refusals=(413, 415),
            ),
            Operation(
                *("POST", "/v1/chat", self.chat, "Answer in text"),
                tag="speech",
                body=(JsonBody(ChatRequest),),
                answers=(
                    Answer(200, "The reply.", ChatAnswer),
                    Answer(200, "With `stream`.", ChatToken, SSE, (ChatEnd,)),
                ),
                refusals=(413, 415),
            ),
            Operation(
                *("POST", "/v1/tts", self.tts, "Read a text aloud"),
                tag="speech",
                body=(JsonBody(TtsRequest),),
                answers=SOUNDS,
                refusals=(413, 415),
            ),
        ]

    async def asr(self, request: web.Request) -> web.Response:
        """Write a recording down, base64 in JSON; it is recognised utterance by utterance."""
        limit = self._limits.audio_body
        asked = await read_json(request, AsrRequest, limit, seconds_for(limit))
        data = await asyncio.to_thread(_decoded, asked.audio_base64)
        caller = caller_of(request)
        recording = self._work.transcribing.begin(data, asked.language, caller, asked.sample_rate)
        answer = AsrAnswer.of(await recording.transcript())
        return web.json_response(answer.model_dump())

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Continue a dialogue. Without a message of the role `system` the server's own
        instructions stand before it."""
        asked = await read_json(request, ChatRequest, self._limits.json_body)
        messages = [Message(one.role, one.content) for one in asked.messages]
        chatting = self._work.chatting
        reply = chatting.begin(
            *(messages, asked.language, asked.max_tokens, caller_of(request)),
            instructions=chatting.instructions(messages, asked.language),
        )
        if asked.stream:
            return await send_events(request, reply.parts(), _events, _failed)
        return web.json_response((await _whole(reply)).model_dump())

    async def tts(self, request: web.Request) -> web.StreamResponse:
        """Read a text aloud. Opus in Ogg unless another `format` is asked for; the sound leaves
        as it is made."""
        asked = await read_json(request, TtsRequest, self._limits.json_body)
        spoken = self._work.speaking.begin(
            *(asked.text, asked.voice, asked.language, asked.speed, caller_of(request)),
            longest=self._limits.speech_chars,
        )
        return await send_bytes(request, spoken.encoded(asked.format), content_type(asked.format))


async def _whole(reply: Reply) -> ChatAnswer:
    text, _, end = await reply.whole()
    return ChatAnswer(text=text, finish_reason=end.finish_reason, usage=_usage(end))


def _events(part: ReplyPart) -> list[SentEvent]:
    match part:
        case ReplyText(text=text):
            return [SentEvent(ChatToken(token=text).model_dump_json())]
        case ReplyEnd():
            end = ChatEnd(finish_reason=part.finish_reason, usage=_usage(part))
            return [SentEvent(end.model_dump_json(), "done")]
        case ToolCall():
            return []  # the client has offered none


def _failed(error: InzwaError) -> SentEvent:
    told = ErrorBody(code=error.code, message=error.message, action=error.action)
    return SentEvent(told.model_dump_json(exclude_none=True), "error")


def _usage(end: ReplyEnd) -> ChatUsage:
    return ChatUsage(
        prompt_tokens=end.usage.prompt_tokens,
        completion_tokens=end.usage.completion_tokens,
        estimated=end.is_estimated,
    )


def _decoded(text: str) -> bytes:
    """The bytes of base64; in a thread. Raises `PeerError`."""
    try:
        parts = (
            base64.b64decode(text[at : at + _DECODE_CHARS], validate=True)
            for at in range(0, len(text), _DECODE_CHARS)
        )
        return b"".join(parts)
    except (binascii.Error, ValueError):
        raise PeerError(
            "`audio_base64` is not base64.",
            action="Encode the bytes as RFC 4648 says, without line ends.",
            code="bad_base64",
        ) from None
