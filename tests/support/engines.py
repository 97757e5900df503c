"""Small engines without processes or models, whose timing a test decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from inzwa_rtc.engines.contracts import (
    RecognizeRequest,
    ReplyRequest,
    SpeechChunk,
    SpeechRequest,
    TokenChunk,
    ToolCall,
    TranscriptChunk,
    Voice,
    WordTime,
)

WORD_MS = 200


class ScriptedRecognizer:
    """Takes all audio, then says the next of its texts."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.requests: list[RecognizeRequest] = []
        self.fed: list[bytes] = []

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        self.requests.append(request)
        pcm = b"".join([piece async for piece in audio])
        self.fed.append(pcm)
        text = self.texts.pop(0)
        end_ms = len(pcm) // 32
        yield TranscriptChunk(text, 0, end_ms, True, 1.0 if text else 0.0, "en")


class ScriptedModel:
    """Replies with the next of its texts, word by word; waits where a reply is an event. A reply
    that is a list says its words and asks for its calls."""

    takes_tools = True

    def __init__(
        self, *replies: str | asyncio.Event | ToolCall | Sequence[str | ToolCall] | Exception
    ) -> None:
        self.replies = list(replies)
        self.requests: list[ReplyRequest] = []
        self.closed = 0

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        self.requests.append(request)
        try:
            while self.replies:
                reply = self.replies.pop(0)
                if isinstance(reply, Exception):
                    raise reply
                if isinstance(reply, asyncio.Event):
                    await reply.wait()
                elif isinstance(reply, ToolCall):
                    yield reply
                else:
                    for part in [reply] if isinstance(reply, str) else reply:
                        if isinstance(part, ToolCall):
                            yield part
                        else:
                            first, *more = part.split(" ")
                            for token in (first, *(f" {word}" for word in more)):
                                yield TokenChunk(token)
                    return
        finally:
            self.closed += 1


class ToneSynthesizer:
    """Speaks each word as `WORD_MS` of a constant level, and tells when."""

    sample_rate = 16_000
    voices: Sequence[Voice] = (Voice("tone", "Tone", "en"), Voice("low", "Low", "en"))

    def __init__(self) -> None:
        self.requests: list[SpeechRequest] = []
        self.failures: list[Exception] = []

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        self.requests.append(request)
        if self.failures:
            raise self.failures.pop(0)
        at = 0
        for number, word in enumerate(request.text.split()):
            offset = request.text.index(word, at)
            at = offset + len(word)
            level = (1000 + number).to_bytes(2, "little")
            pcm = level * (self.sample_rate * WORD_MS // 1000)
            yield SpeechChunk(pcm, (WordTime(offset, len(word), number * WORD_MS),))


class LoudIsSpeech:
    """A voice detector that a test can steer: loud frames are speech."""

    def feed(self, pcm: bytes) -> float:
        return 0.9 if any(pcm) else 0.05
