"""A text read aloud: any text in, speech out, whatever the engine makes of single sentences."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import astuple, dataclass, field, replace
from typing import Protocol

from inzwa_rtc.engines.contracts import (
    LimitedSynthesizer,
    NamingSynthesizer,
    SpeechChunk,
    SpeechRequest,
    Synthesizer,
)
from inzwa_rtc.errors import EngineError
from inzwa_rtc.language import base_language
from inzwa_rtc.speech.ahead import made_ahead
from inzwa_rtc.speech.cache.key import PhraseKey
from inzwa_rtc.speech.joining import Joiner, Joints
from inzwa_rtc.speech.level import Level
from inzwa_rtc.speech.loudness import Loudness
from inzwa_rtc.speech.passage import Passage
from inzwa_rtc.speech.piece import Piece
from inzwa_rtc.speech.speed import bounded_speed, checked_speed
from inzwa_rtc.speech.text.rules import Rules
from inzwa_rtc.speech.timing import Paces
from inzwa_rtc.speech.words import SourceWords

PIECE_CHARS = 300
SILENCE_MS = 1_000  # of a pause in one chunk
READ_AT_ONCE_CHARS = 500  # full of figures they take 5 ms: more would hold up the packets of calls


class Reader(Protocol):
    """Makes pieces that can be spoken of any text, in one language; it knows from one text to
    the next what is still open (a block of code in a reply, say)."""

    def read(self, text: str, limit: int) -> Iterator[Piece]:
        """The pieces, one by one, each of at most `limit` characters."""
        ...

    def finish(self) -> None:
        """No more texts follow: raises `PeerError` where something is open that must not be."""
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
    loudness: Loudness = field(default_factory=lambda: Loudness(None), compare=False)


Count = Callable[[str, str, int], object]
"""Told of each piece that an engine has begun to speak: the engine, its model, and how many
characters it was given."""

Follow = Callable[[int, str], None]
"""Told of each passage as it begins to be given out: how many characters of the text lie behind,
and the passage as it is written. At the end there is no passage any more."""


def _nobody_counts(engine: str, model: str, characters: int) -> None:
    pass


class Reading:
    """One text, or one reply whose phrases come one after another, read by one synthesizer.

    What the reader finds open at the end of a phrase counts for the next one. Not for several
    phrases at the same time.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        manner: Manner,
        follow: Follow | None = None,
        count: Count = _nobody_counts,
    ) -> None:
        self.is_between_pieces = True
        """Whether the next audio is the first of a piece, for which an engine takes longer."""
        self._synthesizer = synthesizer
        self._manner = manner
        self._follow = follow or _nobody_follows
        self._count = count
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
        async with aclosing(self.speak(request, self.pieces(request))) as chunks:
            async for chunk in chunks:
                yield chunk

    def pieces(self, request: SpeechRequest) -> Iterator[Piece]:
        """What is said of `request.text`. What it leaves open counts for the next one, so it is
        to be asked for once. Raises `PeerError`, also for a speed that there is not."""
        checked_speed(request.speed)
        return self._reader_of(request.language).read(request.text, self._longest())

    def key(self, request: SpeechRequest, pieces: tuple[Piece, ...]) -> PhraseKey | None:
        """Under which name these pieces are kept, spoken as things are now; None where nobody
        knows who would speak them."""
        if not isinstance(self._synthesizer, NamingSynthesizer):
            return None
        speaker = self._synthesizer.speaker(request.voice, request.language)
        return PhraseKey(
            speaker.engine,
            speaker.fingerprint,
            request.voice or "",
            request.language,
            request.speed,
            self._level(request).gain(speaker.engine, request.voice or request.language),
            pieces,
            astuple(self._manner.joints),
        )

    def knows_loudness(self, request: SpeechRequest) -> bool:
        """Whether the voice that is asked for was measured, so that its sound will be the same
        for good."""
        if not isinstance(self._synthesizer, NamingSynthesizer):
            return True
        speaker = self._synthesizer.speaker(request.voice, request.language)
        voice = request.voice or request.language
        return self._manner.loudness.is_known(speaker.engine, voice, speaker.fingerprint)

    async def speak(
        self, request: SpeechRequest, pieces: Iterable[Piece]
    ) -> AsyncGenerator[SpeechChunk, None]:
        """The second half of `synthesize`: yield the speech of these pieces of the text."""
        self.is_between_pieces = True
        level = self._level(request)
        joiner = Joiner(self.sample_rate, self._manner.joints)
        words = SourceWords(request.text)
        passage: Passage | None = None
        behind = 0
        read = _read_beside if len(request.text) > READ_AT_ONCE_CHARS else _read_at_once
        speech = made_ahead(read(iter(pieces)), lambda piece: self._counted(piece, request))
        async with aclosing(speech) as parts:
            try:
                async for part in parts:
                    if isinstance(part, Piece):
                        self.is_between_pieces = True
                        for rest in _ended(passage):
                            yield rest
                        behind = self._tell(part, request.text, behind)
                        asked = self._asked(part, request)
                        passage = Passage(
                            part, asked, joiner, words, self._manner.paces, level, passage
                        )
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
        if level.has_learned:
            await asyncio.to_thread(self._manner.loudness.save)

    def finish(self) -> None:
        """The text was read to its end: raises `PeerError` where its marks are not all closed.
        A reply that was cut off needs none of this."""
        if self._reader is not None:
            self._reader.finish()

    def _reader_of(self, language: str) -> Reader:
        if self._reader is None or language != self._language:
            self._reader = self._manner.reader(language, self._manner.rules)
            self._language = language
        return self._reader

    async def _counted(
        self, piece: Piece, request: SpeechRequest
    ) -> AsyncGenerator[SpeechChunk, None]:
        """The piece's speech. It is counted once there is some, whoever hears it."""
        has_begun = False
        async with aclosing(self._spoken(piece, request)) as chunks:
            async for chunk in chunks:
                if not has_begun:
                    has_begun = True
                    self._count(chunk.engine, self._model_of(chunk.engine), len(piece.text))
                yield chunk

    def _model_of(self, engine: str) -> str:
        if isinstance(self._synthesizer, NamingSynthesizer):
            return self._synthesizer.model_of(engine)
        return ""

    def _level(self, request: SpeechRequest) -> Level:
        speaker = None
        if isinstance(self._synthesizer, NamingSynthesizer):
            speaker = self._synthesizer.speaker(request.voice, request.language)
        return Level(self._manner.loudness, self.sample_rate, speaker)

    def _longest(self) -> int:
        synthesizer, limit = self._synthesizer, None
        if isinstance(synthesizer, LimitedSynthesizer):
            limit = synthesizer.max_chars
        return min(limit or self._manner.piece_chars, self._manner.piece_chars)

    def _tell(self, piece: Piece, text: str, behind: int) -> int:
        """Say that this piece is next; returns how many characters lie behind when it is over."""
        if not piece.spans:
            return behind
        end = piece.spans[-1].source_end
        self._follow(behind, text[piece.spans[0].source_start : end])
        return max(behind, end)

    def _spoken(self, piece: Piece, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        return self._synthesizer.synthesize(self._asked(piece, request))

    def _asked(self, piece: Piece, request: SpeechRequest) -> SpeechRequest:
        """What the engine is asked for, of a piece of this request's text."""
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
        return asked


async def _read_at_once(pieces: Iterator[Piece]) -> AsyncGenerator[Piece, None]:
    for piece in pieces:
        yield piece


async def _read_beside(pieces: Iterator[Piece]) -> AsyncGenerator[Piece, None]:
    """The same in a thread, for a long text: its next piece is read while the last is spoken."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


def _ended(passage: Passage | None, *, is_last: bool = False) -> Iterator[SpeechChunk]:
    if passage is not None:
        yield from passage.end(SILENCE_MS)
        if is_last:
            yield from passage.finish()


def _nobody_follows(behind: int, passage: str) -> None:
    pass
