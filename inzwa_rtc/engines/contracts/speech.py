"""Speaking: texts, voices, and the sound that is made of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """Text to be spoken. `speed` is 0.25 to 4, 1 being the voice's own pace."""

    text: str
    voice: str | None = None
    language: str = "en"
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class WordTime:
    """When a word of the text starts.

    `offset` and `length` count characters of `SpeechRequest.text`, `start_ms`
    counts from the first sample of the request's audio. `is_estimated` where the engine
    has not told it.
    """

    offset: int
    length: int
    start_ms: int
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """Synthesized audio: int16 little-endian mono at the engine's `sample_rate`.

    `words` are those known by now; a word is told no later than the chunk in
    which it starts. An engine without word times gives none at all. Engines leave `engine`
    empty: it is filled in where several of them may have been asked.
    """

    pcm: bytes
    words: tuple[WordTime, ...] = ()
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that a caller can choose.

    `language` is BCP 47, empty for a voice that speaks any; `gender` is female, male or empty.
    `licence` is an SPDX identifier where there is one, `preview` the URL of a recording that the
    voice's provider has; both are empty where nothing is known. Engines leave `engine` empty:
    whoever lists the voices of several fills in the name.
    """

    id: str
    name: str
    language: str
    gender: str = ""
    engine: str = ""
    licence: str = ""
    preview: str = ""


class Synthesizer(Protocol):
    """Speaks a text."""

    @property
    def sample_rate(self) -> int:
        """Rate of all audio that it yields, in Hz."""
        ...

    @property
    def voices(self) -> Sequence[Voice]:
        """All voices, the default one first."""
        ...

    def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield audio as it is made. An unknown voice raises `EngineError`."""
        ...


@runtime_checkable
class LimitedSynthesizer(Protocol):
    """A `Synthesizer` that takes no text of any length."""

    @property
    def max_chars(self) -> int | None:
        """The longest text of one request, None for no limit after all. A longer one raises
        `EngineError` (`text_too_long`)."""
        ...


@runtime_checkable
class IdentifiedSynthesizer(Protocol):
    """A `Synthesizer` that tells its model from others."""

    @property
    def fingerprint(self) -> str:
        """Another string wherever the same request would sound otherwise: made of the model's
        content and of the options that its sound depends on. The default voice need not be in
        it: the first of `voices` tells that."""
        ...


@dataclass(frozen=True, slots=True)
class Speaker:
    """The engine that is first asked for a request, and its fingerprint with the default voice's
    id: another one wherever the same request would sound otherwise. It is empty where the engine
    tells none, or was never loaded."""

    engine: str
    fingerprint: str = ""


@runtime_checkable
class NamingSynthesizer(Protocol):
    """A `Synthesizer` that tells ahead which engine speaks."""

    def speaker(self, voice: str | None, language: str) -> Speaker:
        """Who would be asked first, were all engines well."""
        ...

    def model_of(self, engine: str) -> str:
        """The model that this engine speaks with, as it tells it; empty where that is unknown."""
        ...


@runtime_checkable
class PreferringSynthesizer(Protocol):
    """A `Synthesizer` that has others stand in for the preferred one."""

    @property
    def knows_all_voices(self) -> bool:
        """Whether `voices` are those of all of them: one may never have been loaded."""
        ...
