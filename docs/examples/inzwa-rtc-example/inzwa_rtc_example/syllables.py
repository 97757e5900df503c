"""A recogniser that hears how much is said, but not what: a "da" for every syllable."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.engines.contracts import Ability, HeardWord, RecognizeRequest, TranscriptChunk
from inzwa_rtc.errors import EngineError
from inzwa_rtc_example.rhythm import Rhythm

LANGUAGES = ("en", "sn")  # those in which its author has tried it


class SyllablesOptions(BaseModel):
    """Options under `asr:` in the configuration; a name that is not here is refused by it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rise: Annotated[float, Field(gt=0, le=1)] = 0.4
    """How loud a syllable begins, compared to the loudest sound around it."""


class Syllables:
    """Hears syllables while they are spoken."""

    Options = SyllablesOptions
    abilities: tuple[Ability, ...] = ("partials", "word times")

    def __init__(self, options: SyllablesOptions) -> None:
        """Where a model would be loaded: this may block, and no event loop runs yet."""
        self._rise = options.rise
        self.details = {"model": "rhythm", "languages": ", ".join(LANGUAGES)}

    def close(self) -> None:
        """Where a model's memory would be given back."""

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Yield the syllables so far at each new one, then all of them.

        Raises `EngineError` for a language that it does not know, and for translation.
        """
        language = (request.language or LANGUAGES[0]).split("-")[0].lower()
        if language not in LANGUAGES or request.translate:
            raise EngineError(
                f"Syllables are not heard in the language `{request.language}`, nor translated.",
                action=f"Set `asr_language` to one of: {', '.join(LANGUAGES)}.",
                code="unknown_language",
            )
        rhythm = Rhythm(self._rise)
        async for piece in audio:
            # Microseconds. What computes for longer belongs into a thread (`asyncio.to_thread`):
            # a process whose loop is blocked for 2 s is taken for one that hangs.
            if rhythm.feed(piece):
                yield _chunk(rhythm, language, is_final=False)
        yield _chunk(rhythm, language, is_final=True)


def _chunk(rhythm: Rhythm, language: str, *, is_final: bool) -> TranscriptChunk:
    words = tuple(
        HeardWord("da", syllable.start_ms, syllable.end_ms, syllable.loudness)
        for syllable in rhythm.syllables
    )
    text = " ".join(word.text for word in words)
    return TranscriptChunk(
        text=text,
        start_ms=words[0].start_ms if words else 0,
        end_ms=words[-1].end_ms if words else 0,
        is_final=is_final,
        confidence=1.0 if words else 0.0,
        language=language,
        words=words,
        stable=len(text),  # a syllable that was heard stays
    )
