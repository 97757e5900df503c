"""A reader that knows no language, and an engine whose sound a test decides."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest, Voice, WordTime
from inzwa_rtc.speech.joining import Joints
from inzwa_rtc.speech.piece import Piece, Span
from inzwa_rtc.speech.reading import Manner, Reader, Reading
from inzwa_rtc.speech.text.rules import Rules

RATE = 16_000
TEXT = "The river listens. The wind in the reeds answers slowly! Who asked it?"
Sound = Callable[[str], NDArray[np.int16]]


@dataclass
class SentenceReader:
    """A piece for each sentence; `said` are words that are spoken otherwise."""

    language: str = "en"
    said: dict[str, str] = field(default_factory=dict)
    limits: list[int] = field(default_factory=list)
    read_pieces: int = 0

    def read(self, text: str, limit: int) -> Iterator[Piece]:
        self.limits.append(limit)
        for sentence in re.finditer(r"[^.!?]+[.!?]*\s*", text):
            spans: list[Span] = []
            spoken = ""
            for word in re.finditer(r"\S+", sentence.group()):
                words = self.said.get(word.group(), word.group())
                start = len(spoken) + bool(spoken)
                spoken = f"{spoken} {words}".strip()
                first = sentence.start() + word.start()
                spans.append(Span(start, len(spoken), first, first + len(word.group())))
            if spans:
                self.read_pieces += 1
                yield Piece(spoken, self.language, tuple(spans))


class PhraseReader:
    """Each text is a piece, as it is."""

    def __init__(self, language: str, rules: Rules) -> None:
        self._language = language

    def read(self, text: str, limit: int) -> Iterator[Piece]:
        if any(char.isalnum() for char in text):
            words = re.finditer(r"\S+", text)
            spans = tuple(Span(*word.span(), *word.span()) for word in words)
            yield Piece(text, self._language, spans)


AS_IT_IS = Manner(PhraseReader, joints=Joints(0, 0))
"""Neither text nor sound is changed, but for the silence around it."""


@dataclass
class PieceList:
    """Reads the same pieces whatever the text."""

    pieces: Sequence[Piece]

    def read(self, text: str, limit: int) -> Iterator[Piece]:
        yield from self.pieces


def tone(samples: int, hertz: float = 180.0, level: float = 9000.0) -> NDArray[np.int16]:
    """A tone that neither starts nor ends at zero."""
    turns = 2 * np.pi * hertz * np.arange(samples) / RATE
    return (level * np.cos(turns)).astype(np.int16)


class Engine:
    """Speaks a piece as the sound that it is given for it, in chunks of `chunk` samples."""

    sample_rate = RATE
    voices: Sequence[Voice] = (Voice("one", "One", "en"), Voice("two", "Two", "sn"))

    def __init__(self, sound: Sound | None = None, *, chunk: int = 800) -> None:
        self.sound: Sound = sound or (lambda text: tone(len(text.split()) * RATE // 5))
        self.chunk = chunk
        self.words: Callable[[str], Sequence[WordTime]] = lambda text: ()
        self.requests: list[SpeechRequest] = []
        self.asked = asyncio.Event()
        self.open = 0
        self.most_open = 0
        self.failures: dict[int, Exception] = {}
        """By the number of the request, raised behind its audio."""

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        number = len(self.requests)
        self.requests.append(request)
        self.asked.set()
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            audio = self.sound(request.text)
            words = list(self.words(request.text))
            for start in range(0, len(audio), self.chunk):
                part = audio[start : start + self.chunk]
                until = (start + len(part)) * 1000 // RATE
                told = tuple(word for word in words if word.start_ms <= until)
                del words[: len(told)]
                yield SpeechChunk(part.astype("<i2").tobytes(), told, "test")
                await asyncio.sleep(0)
            if failure := self.failures.get(number):
                raise failure
        finally:
            self.open -= 1


def audio_of(chunks: Sequence[SpeechChunk]) -> NDArray[np.int16]:
    """All of it, joined."""
    return np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2")


def reading(engine: Engine, reader: Reader | None = None, **manner: object) -> Reading:
    own = reader or SentenceReader()
    return Reading(engine, Manner(lambda language, rules: own, **manner))  # type: ignore[arg-type]


async def read(text: str, of: Reading, **values: object) -> list[SpeechChunk]:
    request = SpeechRequest(text, **values)  # type: ignore[arg-type]
    async with aclosing(of.synthesize(request)) as chunks:
        return [chunk async for chunk in chunks]


def told(chunks: list[SpeechChunk]) -> list[WordTime]:
    return [word for chunk in chunks for word in chunk.words]
