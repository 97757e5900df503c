"""Hearing: the words of an utterance, and what is done to sound before they are looked for."""

from __future__ import annotations

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


class Microphone(Protocol):
    """What one caller sends, before anybody has listened to it."""

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
        judged, in their order, within 20 ms."""
        ...


class NoiseSuppressor(Protocol):
    """Takes the noise out of one caller's audio, before it is judged and recognised."""

    def feed(self, pcm: bytes) -> bytes:
        """Take 20 ms of int16 LE mono 16 kHz audio; return as many samples, of which the first
        lie further back by the suppressor's delay. Synchronous and quick: it runs on the loop."""
        ...
