"""Which part of a text has been heard, told from how many samples were played.

No clock and no I/O: the ledger is written while speech is synthesized and read
with a count of samples, so it can be tested with any order of events.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace

from inzwa_rtc.engines.contracts import WordTime

LATER_PERCENT = 20  # by which a voice may be slower than it was before


@dataclass(frozen=True, slots=True)
class CaptionCue:
    """A word or phrase and the sample of the turn's audio at which it starts.

    `offset` counts characters into the reply's text; `is_estimated` where nobody told the sample.
    """

    sample: int
    offset: int
    text: str
    is_estimated: bool = False


class Ledger:
    """Maps samples of one turn's audio onto the text spoken in it.

    Phrases follow one another. Where an engine tells word times, the text
    before a word counts as heard when the word starts; a phrase counts as heard
    whole when its last sample was played.

    Estimated times may be early, and what was not heard must never count as heard: such a word
    counts when the next but one starts, a fifth later than was estimated.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._text = ""
        self._marks: list[tuple[int, int]] = [(0, 0)]  # (sample, characters heard by then)
        self._cues: list[CaptionCue] = []
        self._told = 0  # of them
        self._written = 0
        self._phrase = ""
        self._phrase_sample = 0
        self._phrase_offset = 0  # of the phrase in the reply's text
        self._phrase_start = 0  # of the phrase in self._text
        self._is_open = False
        self._has_words = False
        self._captioned = 0  # characters of the phrase that have a caption
        self._last_word = 0  # where in the phrase the word begins that was told last

    @property
    def text(self) -> str:
        """All phrases begun so far, joined."""
        return self._text

    def begin_phrase(self, text: str, offset: int) -> None:
        """A phrase starts; `offset` is its place in the reply's text."""
        self._phrase = text
        self._phrase_sample = self._written
        self._phrase_offset = offset
        self._phrase_start = len(self._text)
        self._text += text
        self._is_open = True
        self._has_words = False
        self._captioned = 0
        self._last_word = 0

    def add(self, samples: int, words: tuple[WordTime, ...] = ()) -> None:
        """Audio of the phrase was written, with the words known by now."""
        for word in words:
            self._add_word(word)
        self._written += samples

    def add_silence(self, samples: int) -> None:
        """Silence was written that belongs to no phrase. A phrase that was begun and has no
        audio yet starts after it."""
        if self._phrase_sample == self._written:
            self._phrase_sample += samples
        self._written += samples

    def end_phrase(self) -> None:
        """All audio of the phrase was written."""
        if not self._has_words and self._written > self._phrase_sample and self._phrase.strip():
            # Nobody told of its words: the phrase is one caption.
            self._cue(CaptionCue(self._phrase_sample, self._phrase_offset, self._phrase))
        while self._marks[-1][0] > self._written:
            self._marks.pop()  # a word said to start after the end of its phrase
        self._mark(self._written, len(self._text))
        self._is_open = False

    def abandon_phrase(self) -> None:
        """No more of the phrase follows, and another sentence does: of its text stays what
        counts as heard when the audio written so far was played."""
        if self._is_open:
            self._is_open = False
            while self._marks[-1][0] > self._written:
                self._marks.pop()
            self._text = self._text[: self._marks[-1][1]]
            self._cues = [cue for cue in self._cues if cue.sample < self._written]
        if self._text and not self._text[-1].isspace():
            self._text += " "

    def heard(self, played_samples: int) -> str:
        """The text heard once `played_samples` of the turn were played: always a prefix
        of `text`, without trailing white space."""
        index = bisect_right(self._marks, played_samples, key=lambda mark: mark[0]) - 1
        return self._text[: self._marks[index][1]].rstrip() if index >= 0 else ""

    def cues_before(self, played_samples: int) -> list[CaptionCue]:
        """Take the captions that start before sample `played_samples`, in order."""
        told = self._told
        self._told = max(told, self._cues_until(played_samples))
        return self._cues[told : self._told]

    def go_back(self, played_samples: int) -> None:
        """What starts from this sample on is played again, and its captions are taken again."""
        self._told = min(self._told, self._cues_until(played_samples))

    def _cues_until(self, sample: int) -> int:
        return bisect_right(self._cues, sample - 1, key=lambda cue: cue.sample)

    def _add_word(self, word: WordTime) -> None:
        end = word.offset + word.length
        if not 0 <= word.offset < end <= len(self._phrase):
            return  # an engine counting wrongly must not corrupt what was heard
        sample = self._phrase_sample + word.start_ms * self._rate // 1000
        begin = min(word.offset, self._after_spaces(self._captioned))
        if end <= begin:
            return
        self._has_words = True
        self._captioned = end
        if word.is_estimated:
            late = word.start_ms * self._rate * LATER_PERCENT // 100_000
            self._mark(sample + late, self._phrase_start + self._last_word)
        else:
            self._mark(sample, self._phrase_start + begin)
        self._last_word = begin
        spoken = self._phrase[begin:end]
        self._cue(CaptionCue(sample, self._phrase_offset + begin, spoken, word.is_estimated))

    def _after_spaces(self, position: int) -> int:
        """Where the next word begins: an engine may tell one time for two words."""
        rest = self._phrase[position:]
        return position + next((i for i, char in enumerate(rest) if char.isalnum()), len(rest))

    def _cue(self, cue: CaptionCue) -> None:
        earliest = self._cues[-1].sample if self._cues else 0
        self._cues.append(replace(cue, sample=max(cue.sample, earliest)))

    def _mark(self, sample: int, characters: int) -> None:
        last_sample, last_characters = self._marks[-1]
        if characters >= last_characters:
            self._marks.append((max(sample, last_sample), characters))
