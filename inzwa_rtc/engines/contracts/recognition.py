"""Hearing: the words of an utterance, and what is done to sound before they are looked for."""

from __future__ import annotations

import enum
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

ASR_SAMPLE_RATE = 16_000
"""Rate in Hz of all audio that a recogniser or a voice detector is fed."""


@dataclass(frozen=True, slots=True)
class RecognizeRequest:
    """Settings of one utterance's recognition.

    `language` is the one spoken (BCP 47), None to detect it; `translate` asks for English
    text whatever is spoken. An engine that cannot do what is asked raises `EngineError`.
    """

    language: str | None = None
    translate: bool = False


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A recognised word with the punctuation at it, and no white space.

    Times are milliseconds from the first sample fed; `confidence` is 0 to 1.
    """

    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, slots=True)
class TranscriptChunk:
    """Words recognised so far, or for good.

    Times are milliseconds from the first sample fed. `confidence` is 0 to 1.
    A final chunk with an empty `text` means that there was sound but no words
    that the engine is ready to stand for. `words` is empty where the engine has no
    times of them. Later chunks will most probably begin with the first `stable`
    characters of `text`.
    """

    text: str
    start_ms: int
    end_ms: int
    is_final: bool
    confidence: float
    language: str
    words: tuple[HeardWord, ...] = ()
    stable: int = 0

    def later(self, ms: int) -> TranscriptChunk:
        """The same, its times counted from a moment `ms` before."""
        words = tuple(
            replace(word, start_ms=word.start_ms + ms, end_ms=word.end_ms + ms)
            for word in self.words
        )
        return replace(self, start_ms=self.start_ms + ms, end_ms=self.end_ms + ms, words=words)


class Recognizer(Protocol):
    """Turns the audio of one utterance into text."""

    def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Yield partial chunks while audio (int16 LE mono 16 kHz, pieces of any even
        length) comes in, and exactly one final chunk after it ended."""
        ...


@runtime_checkable
class LanguageKnowingRecognizer(Protocol):
    """A `Recognizer` that tells which languages it understands."""

    @property
    def languages(self) -> Sequence[str]:
        """Their tags (BCP 47); none where that is not known."""
        ...


class VoiceDetector(Protocol):
    """Tells speech from other sound, in one stream."""

    def feed(self, pcm: bytes) -> float:
        """Take 20 ms of int16 LE mono 16 kHz audio; return the probability (0 to 1) that
        the newest analysed window holds speech. Synchronous and quick."""
        ...


class Haste(enum.Enum):
    """How soon what a caller says is to be listened to. To listen to much of it at a time costs
    a fraction of listening to each piece as it comes."""

    EACH_FRAME = enum.auto()
    """At once: something hangs on the very next 20 ms, such as the end of a turn."""
    EACH_WINDOW = enum.auto()
    """As soon as the detector has a whole window more: a voice may interrupt something."""
    EACH_SOUND = enum.auto()
    """The same, but silence within 160 ms: so far there is no voice."""
    SOON = enum.auto()
    """Within 60 ms: there is a sound, which may become speech."""
    IN_TIME = enum.auto()
    """Within 160 ms: nobody speaks, or somebody goes on speaking."""


class Microphone(Protocol):
    """What one caller sends, before anybody has listened to it."""

    @property
    def haste(self) -> Haste:
        """How soon it is to be asked for what it has. It may be asked sooner."""
        ...

    def is_silent(self, now: float) -> bool:
        """Whether it has nothing but silence, as far as can be told without taking it. `now` is
        in seconds, monotonic."""
        ...

    def take(self, most: int, now: float) -> Sequence[bytes]:
        """Up to `most` frames that were not taken yet, the oldest first: 20 ms of int16 LE mono
        16 kHz audio each. `now` is in seconds, monotonic."""
        ...

    def give(self, pcm: bytes, speech: float) -> None:
        """The next of those that were taken, as it is to be listened to, and how probable
        speech is in it, 0 to 1."""
        ...

    def give_up(self, error: Exception) -> None:
        """Nothing more will be given: listening failed."""
        ...


class SharedVoiceDetector(Protocol):
    """Tells speech from other sound, for all callers at once."""

    def listening(self, microphone: Microphone) -> AbstractContextManager[None]:
        """While the block runs, frames are taken from this caller's microphone and given back
        judged, in their order, as soon as its `haste` says."""
        ...


class NoiseSuppressor(Protocol):
    """Takes the noise out of one caller's audio, before it is judged and recognised."""

    def feed(self, pcm: bytes) -> bytes:
        """Take 20 ms of int16 LE mono 16 kHz audio; return as many samples, of which the first
        lie further back by the suppressor's delay. Synchronous and quick: it runs on the loop."""
        ...
