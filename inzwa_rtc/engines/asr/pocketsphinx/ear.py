"""Hearing one utterance: what is understood while it is spoken, and judged when it is over.

While somebody speaks, a decoder follows for the captions. The transcript comes from a
judge, which hears the utterance whole, cleaned (see `voice`). That takes 140 ms of work
for two seconds of voice, and up to three times that where it is unsure, so the judge is
asked as soon as the voice has paused: by the time that the turn detector calls the turn
over, the answer waits, unless the voice went on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inzwa_rtc.engines.asr.pocketsphinx.confidence import confidence, other_words
from inzwa_rtc.engines.asr.pocketsphinx.model import Hypothesis, Model, decode, hypothesis
from inzwa_rtc.engines.asr.pocketsphinx.voice import FRAME_MS, Span, at_tempo, energies, find, ready
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE

_BYTES_PER_S = 2 * ASR_SAMPLE_RATE
_FRAME_BYTES = _BYTES_PER_S * FRAME_MS // 1000
_MOST_BYTES = 30 * _BYTES_PER_S  # the rest is dropped: no phrase is as long
_LONGEST_VOICE = 1_000  # frames: ten seconds, longer than the longest sum
_PAUSE = 24  # frames of quiet after which the voice may be over; the judge hears 20 of them
_SAME_END = 3  # frames by which the end of a voice may move when more quiet is known


_TEMPOS = (1.0, 0.93, 1.07)
_SURE = 0.5


@dataclass(frozen=True, slots=True)
class Heard:
    """Words, when they were said, and how sure the ear is of them (0 to 1)."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float


NOTHING = Heard("", 0, 0, 0.0)


class Judge:
    """Finds the phrase in a whole utterance. One serves all ears: it keeps nothing.

    A voice unlike those that the acoustic model was made from may be understood when it is
    played a little slower or faster, so where it is unsure it tries that: of the phrases of
    six eSpeak and four Flite voices, half of them in noise, 5% more pass.
    """

    def __init__(self, model: Model) -> None:
        self._phrases = model.for_phrases()
        self._words = model.for_words()
        self._grammar = model.grammar

    def hear(self, pcm: bytes, span: Span) -> Heard:
        """The phrase of the voice at `span`, and how sure that is."""
        samples, first = ready(np.frombuffer(pcm, "<i2"), span)
        best = NOTHING
        for tempo in _TEMPOS:
            found = self._at(tempo, samples, first)
            best = found if found.confidence > best.confidence else best
            if best.confidence >= _SURE:
                break
        return best

    def _at(self, tempo: float, samples: NDArray[np.int16], first: int) -> Heard:
        played = samples if tempo == 1 else at_tempo(samples, tempo)
        pcm = played.astype("<i2").tobytes()
        phrase, free = decode(self._phrases, pcm), decode(self._words, pcm)
        if phrase is None or free is None:
            return NOTHING
        start, end = phrase.words[0].start, phrase.words[-1].end
        differ = other_words(phrase.text, free.text)
        sure = confidence(phrase.score, end - start, free.score, differ)
        # Where both hear a phrase and not the same one, the free one is right far more often:
        # the other likes to add short numbers, as in "add ten to twenty eight".
        text = free.text if self._grammar.accepts(free.text) else phrase.text
        ms = FRAME_MS * tempo
        return Heard(
            text, round(first * FRAME_MS + start * ms), round(first * FRAME_MS + end * ms), sure
        )


class Ear:
    """Hears one utterance after another: `begin`, then `feed` and `pause`, `finish`, `end`."""

    def __init__(self, model: Model, judge: Judge) -> None:
        self._decoder = model.for_words()
        self._judge = judge
        self._running = False
        self._pcm = bytearray()

    def begin(self) -> None:
        """Forget everything and listen."""
        self._pcm = bytearray()
        self._levels = np.empty(0)
        self._judged: tuple[Span, Heard] | None = None
        self._fed = 0
        self._decoder.reinit_feat()  # forgets the level and noise of the utterance before
        self._decoder.start_utt()
        self._running = True

    def feed(self, pcm: bytes) -> None:
        """Take int16 LE mono 16 kHz audio, of any length."""
        self._pcm += pcm[: _MOST_BYTES - len(self._pcm)]
        whole = len(self._pcm) & ~1
        if whole > self._fed:  # of no samples at all, the library makes an error
            self._decoder.process_raw(bytes(self._pcm[self._fed : whole]), False, False)
        self._fed = whole

    def so_far(self) -> Heard:
        """What was understood by now; nobody stands for it yet."""
        found = hypothesis(self._decoder)
        return _heard(found) if found else NOTHING

    def pause(self) -> None:
        """Where the voice has paused, judge what was said: it may have been all."""
        span = self._voice()
        if span and len(self._levels) - span.end >= _PAUSE and not self._is_judged(span):
            self._hear(span)

    def finish(self) -> Heard:
        """The utterance is over: what was understood."""
        span = self._voice()
        if span is None or span.end - span.start > _LONGEST_VOICE:
            return NOTHING
        if self._judged is None or not self._is_judged(span):
            return self._hear(span)
        return self._judged[1]

    def end(self) -> None:
        """Stop, whether finished or not."""
        if self._running:
            self._running = False
            self._decoder.end_utt()
        self._pcm = bytearray()

    def _voice(self) -> Span | None:
        known = len(self._levels) * _FRAME_BYTES
        new = np.frombuffer(bytes(self._pcm[known : len(self._pcm) & ~1]), "<i2")
        self._levels = np.concatenate((self._levels, energies(new)))
        return find(self._levels)

    def _is_judged(self, span: Span) -> bool:
        return self._judged is not None and abs(self._judged[0].end - span.end) <= _SAME_END

    def _hear(self, span: Span) -> Heard:
        if span.end - span.start > _LONGEST_VOICE:
            return NOTHING
        heard = self._judge.hear(bytes(self._pcm[: len(self._pcm) & ~1]), span)
        self._judged = (span, heard)
        return heard


def _heard(found: Hypothesis) -> Heard:
    return Heard(found.text, found.words[0].start * FRAME_MS, found.words[-1].end * FRAME_MS, 0.0)
