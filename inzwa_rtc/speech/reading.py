"""A text read aloud: any text in, speech out, whatever the engine makes of single sentences."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest, Synthesizer
from inzwa_rtc.errors import EngineError
from inzwa_rtc.language import base_language
from inzwa_rtc.speech.ahead import made_ahead
from inzwa_rtc.speech.joining import Joiner, Joints
from inzwa_rtc.speech.passage import Passage
from inzwa_rtc.speech.piece import Piece
from inzwa_rtc.speech.speed import bounded_speed, checked_speed
from inzwa_rtc.speech.text.rules import Rules
from inzwa_rtc.speech.timing import Paces
from inzwa_rtc.speech.words import SourceWords

PIECE_CHARS = 300
SILENCE_MS = 1_000  # of a pause in one chunk


class Reader(Protocol):
    """Makes pieces that can be spoken of any text, in one language; it knows from one text to
    the next what is still open (a block of code in a reply, say)."""

    def read(self, text: str, limit: int) -> Iterator[Piece]:
        """The pieces, one by one, each of at most `limit` characters."""
        ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How texts are read. `reader` makes the reader of a language (BCP 47) with the operator's
    rules. `piece_chars` is the longest piece of which an engine is asked at once, however much
    it would take."""

    reader: Callable[[str, Rules], Reader]
    rules: Rules = field(default_factory=Rules)
    joints: Joints = field(default_factory=Joints)
    piece_chars: int = PIECE_CHARS
    paces: Paces = field(default_factory=Paces, compare=False)


Follow = Callable[[int, str], None]
"""Told of each passage as it begins to be given out: how many characters of the text lie behind,
and the passage as it is written. At the end there is no passage any more."""


class Reading:
    """One text, or one reply whose phrases come one after another, read by one synthesizer.

    What the reader finds open at the end of a phrase counts for the next one. Not for several
    phrases at the same time.
    """

    def __init__(
        self, synthesizer: Synthesizer, manner: Manner, follow: Follow | None = None
    ) -> None:
        self.is_between_pieces = True
        """Whether the next audio is the first of a piece, for which an engine takes longer."""
        self._synthesizer = synthesizer
        self._manner = manner
        self._follow = follow or _nobody_follows
        self._reader: Reader | None = None
        self._language = ""

    @property
    def sample_rate(self) -> int:
        """Rate of all audio, in Hz: the synthesizer's."""
        return self._synthesizer.sample_rate

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield the speech of `request.text`, as it may have been written by anybody.

        Words are those of this text, with its offsets; where the engine tells no times they are
        estimated. A text with nothing to say yields nothing. An error of the engine is raised
        behind what was spoken. Raises `PeerError` for a speed that there is not.
        """
        checked_speed(request.speed)
        self.is_between_pieces = True
        pieces = self._reader_of(request.language).read(request.text, self._longest())
        joiner = Joiner(self.sample_rate, self._manner.joints)
        words = SourceWords(request.text)
        passage: Passage | None = None
        behind = 0
        speech = made_ahead(pieces, lambda piece: self._spoken(piece, request))
        async with aclosing(speech) as parts:
            try:
                async for part in parts:
                    if isinstance(part, Piece):
                        self.is_between_pieces = True
                        for rest in _ended(passage):
                            yield rest
                        behind = self._tell(part, request.text, behind)
                        passage = Passage(part, request, joiner, words, self._manner.paces, passage)
                    else:
                        assert passage is not None, "audio follows its piece"
                        self.is_between_pieces = False
                        if chunk := passage.feed(part):
                            yield chunk
            except EngineError:
                for chunk in _ended(passage, is_last=True):
                    yield chunk
                raise
        for chunk in _ended(passage, is_last=True):
            yield chunk
        self._follow(len(request.text), "")

    def _reader_of(self, language: str) -> Reader:
        if self._reader is None or language != self._language:
            self._reader = self._manner.reader(language, self._manner.rules)
            self._language = language
        return self._reader

    def _longest(self) -> int:
        # Of an engine in a process None, where there is no limit; other engines have no such name.
        limit: int | None = getattr(self._synthesizer, "max_chars", None)
        return min(limit or self._manner.piece_chars, self._manner.piece_chars)

    def _tell(self, piece: Piece, text: str, behind: int) -> int:
        """Say that this piece is next; returns how many characters lie behind when it is over."""
        if not piece.spans:
            return behind
        end = piece.spans[-1].source_end
        self._follow(behind, text[piece.spans[0].source_start : end])
        return max(behind, end)

    def _spoken(self, piece: Piece, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        asked = replace(request, text=piece.text, speed=bounded_speed(piece.speed * request.speed))
        base = base_language(piece.language)
        if base != base_language(request.language):
            # A passage in another language: in a voice of that language, if there is one.
            voices = self._synthesizer.voices
            own = next((voice for voice in voices if voice.id == request.voice), None)
            fitting = (voice for voice in voices if base_language(voice.language) == base)
            if own is not None and not own.language:
                asked = replace(asked, language=piece.language)
            elif voice := next(fitting, None):
                asked = replace(asked, voice=voice.id, language=piece.language)
        return self._synthesizer.synthesize(asked)


def _ended(passage: Passage | None, *, is_last: bool = False) -> Iterator[SpeechChunk]:
    if passage is not None:
        yield from passage.end(SILENCE_MS)
        if is_last:
            yield from passage.finish()


def _nobody_follows(behind: int, passage: str) -> None:
    pass
