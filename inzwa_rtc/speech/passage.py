"""One piece of a text on its way from the engine's audio to that of the whole text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest, WordTime
from inzwa_rtc.speech.joining import Joiner, longest_silence_ms
from inzwa_rtc.speech.level import Level
from inzwa_rtc.speech.piece import Piece, Span
from inzwa_rtc.speech.timing import LEAST_LEARNED_MS, Estimate, Paces
from inzwa_rtc.speech.words import SourceWords

UNDECIDED_MS = 200  # of sound, within which an engine that tells when words start tells the first


class Passage:
    """`feed` it the piece's audio, then take what `end` yields; of the text's last one also what
    `finish` does. Words are told in the chunk in which they start: of a voice that has not spoken
    yet the first audio is kept back until it is clear whether they have to be estimated.

    `asked` is what the engine was asked for, which may be another voice than that of the text;
    `before` is the passage before it, whose last words may start in this one's audio.
    """

    def __init__(
        self,
        piece: Piece,
        asked: SpeechRequest,
        joiner: Joiner,
        words: SourceWords,
        paces: Paces,
        level: Level,
        before: Passage | None = None,
    ) -> None:
        self.piece = piece
        self._joiner = joiner
        self._words = words
        self._paces = paces
        self._speed = asked.speed
        self._voice: tuple[str, ...] = (asked.voice or "", piece.language)
        self._level = level
        self._speaks_as = asked.voice or asked.language
        self._estimate: Estimate | None = None
        self._unplaced: list[tuple[int, int, int]] = []  # offset, length, ms of the piece
        self._untold: list[WordTime] = before._untold if before else []
        self._engine: str = before._engine if before else ""
        self._is_begun = False
        self._is_undecided = False
        self._kept_back = b""
        joiner.begin()

    def feed(self, chunk: SpeechChunk) -> SpeechChunk | None:
        """What becomes of the engine's chunk; None where nothing of it can be given yet."""
        if not self._is_begun:
            self._begin(chunk.engine)
        for word in chunk.words:
            self._take(word)
        sound = self._level.levelled(chunk.engine, self._speaks_as, chunk.pcm, self.piece.gain_db)
        return self._chunk(self._joiner.feed(sound))

    def end(self, silence_ms: int) -> Iterator[SpeechChunk]:
        """The engine has made all of it: what is left, and the pause behind it in chunks of at
        most `silence_ms`."""
        piece, joiner = self.piece, self._joiner
        told_until = joiner.given_ms
        pcm = joiner.end(longest_silence_ms(piece.text))
        if self._kept_back:
            told_until = 0
        self._is_undecided = False
        self._learn(told_until)
        self._place()
        last = joiner.end_ms
        self._untold[:] = [
            word if word.start_ms <= last else replace(word, start_ms=last) for word in self._untold
        ]
        if chunk := self._chunk(pcm):
            yield chunk
        if piece.pause_ms <= 0:
            return
        if chunk := self._chunk(joiner.pause()):
            yield chunk
        left = joiner.samples(piece.pause_ms)
        while left > 0:
            samples = min(left, joiner.samples(silence_ms))
            left -= samples
            if chunk := self._chunk(joiner.silence(samples)):
                yield chunk

    def finish(self) -> Iterator[SpeechChunk]:
        """The text is over."""
        if chunk := self._chunk(self._joiner.finish()):
            yield chunk

    def _begin(self, engine: str) -> None:
        self._is_begun = True
        self._engine = engine
        self._voice = (engine, *self._voice)
        tells_times = self._paces.tells_times(self._voice)
        self._is_undecided = tells_times is None
        if not tells_times:
            pace = self._paces.of(self._voice, self.piece.language) * self._speed
            self._estimate = Estimate(self.piece, pace)

    def _take(self, word: WordTime) -> None:
        if self._estimate is not None:
            self._estimate = None
            self._paces.has_told_times(self._voice)
        if found := self._words.written(self.piece, word.offset, word.length):
            self._unplaced.append((*found, word.start_ms))

    def _chunk(self, pcm: bytes) -> SpeechChunk | None:
        """This audio, which the joiner gave last, with the words that start in it."""
        pcm = self._kept_back + pcm
        if self._may_yet_tell():
            self._kept_back = pcm
            return None
        self._kept_back = b""
        self._place()
        if not pcm:
            return None
        given = self._joiner.given_ms
        count = next(
            (n for n, word in enumerate(self._untold) if word.start_ms > given), len(self._untold)
        )
        told = tuple(self._untold[:count])
        del self._untold[:count]
        return SpeechChunk(pcm, told, self._engine)

    def _may_yet_tell(self) -> bool:
        """Whether it is too early to estimate when the first words start."""
        start = self._joiner.start_ms
        self._is_undecided = (
            self._is_undecided
            and self._estimate is not None
            and (start is None or self._joiner.given_ms - start < UNDECIDED_MS)
        )
        return self._is_undecided

    def _place(self) -> None:
        """Tell where in the text's audio words lie, as soon as that is known."""
        start = self._joiner.start_ms
        if start is None:
            return
        for offset, length, ms in self._unplaced:
            self._add(offset, length, self._joiner.place_ms(ms))
        self._unplaced.clear()
        if self._estimate is not None:
            for span, ms_in in self._estimate.take(self._joiner.given_ms - start):
                self._add_estimated(span, start + ms_in)

    def _learn(self, told_until: int) -> None:
        """The piece is as long as this: tell its last words, and know the voice better."""
        start, sounding = self._joiner.start_ms, self._joiner.sounding_ms
        if self._estimate is None or start is None:
            return
        for span, ms in self._estimate.rest(max(0, told_until - start), sounding):
            self._add_estimated(span, start + ms)
        self._paces.has_told_none(self._voice)
        if sounding >= LEAST_LEARNED_MS:
            self._paces.learn(self._voice, self._estimate.syllables * 1000 / sounding / self._speed)

    def _add_estimated(self, span: Span, ms: float) -> None:
        if found := self._words.of(span):
            self._add(*found, int(ms), is_estimated=True)

    def _add(self, offset: int, length: int, ms: int, *, is_estimated: bool = False) -> None:
        earliest = self._untold[-1].start_ms if self._untold else 0
        self._untold.append(WordTime(offset, length, max(ms, earliest), is_estimated))
