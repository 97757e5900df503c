"""When the caller's turn begins and ends, decided from speech probabilities.

Three states, driven by samples alone:

| state    | leaves when                                   | event                     |
|----------|-----------------------------------------------|---------------------------|
| silent   | `maybe_ms` of voice                           | `SpeechMaybe`             |
| maybe    | `start_ms` of voice in all                    | `SpeechStarted`           |
| maybe    | `FALSE_ALARM_MS` of silence before that       | `FalseAlarm` (a cough)    |
| speaking | `silence_ms` without voice                    | `TurnEnded`               |

While speaking, `SpeechSustained` tells once of `interrupt_ms` of voice in all, which is
no "mm-hm" any more, `SpeechEnded` of `stop_ms` without voice, and `SpeechStarted`
that the caller goes on before the turn has ended. A turn longer than
`max_utterance_ms` ends at its next short pause, and at half as much again anyway.

A caller who opened the microphone by hand (push-to-talk) means to speak: from `hold_turn`
to `end_turn` possible speech is speech, and no shorter silence ends the turn.

The probability of a recurrent detector stays high for 60 to 100 ms after the sound has
stopped. What is far quieter than the voice just heard is silence, whatever it says, and so is
what hardly moves at all.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

import numpy as np

from inzwa_rtc.audio.frame import FRAME_MS, Frame
from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.settings import TurnSettings
from inzwa_rtc.turntaking.looks import CYCLE

FALSE_ALARM_MS = 160  # longer than the closure of a stop consonant within a word
SILENT = 10  # of 32,767: a voice as quiet as that, Silero takes for none
DROP = 0.01  # 40 dB under the voice: more than between its loudest vowel and weakest consonant
FADE = 0.977  # of the level that this is measured from, each frame: 10 dB a second
LOOK_MS = (CYCLE + 1) * FRAME_MS  # from one look to the next of whoever is in no haste, and a frame


@dataclass(frozen=True, slots=True)
class SpeechMaybe:
    """Voice was heard since sample `start`; it may be a cough."""

    start: int


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller speaks; the voice began at sample `start`."""

    start: int


@dataclass(frozen=True, slots=True)
class SpeechSustained:
    """The caller has spoken for longer than anybody murmurs assent."""


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """What began at `SpeechMaybe` was not speech."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The caller fell silent after sample `end`; the turn may go on."""

    end: int


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller's turn, from sample `start` to the last voiced one, `end`.

    `now` is the sample at which this was decided. `is_cut`: not because the caller had fallen
    silent, but because the turn had become too long.
    """

    start: int
    end: int
    now: int
    is_cut: bool = False


TurnEvent = SpeechMaybe | SpeechStarted | SpeechSustained | FalseAlarm | SpeechEnded | TurnEnded


class _State(enum.Enum):
    SILENT = enum.auto()
    MAYBE = enum.auto()
    SPEAKING = enum.auto()


class TurnDetector:
    """Feed it each frame with the voice detector's probability; it returns what happened."""

    def __init__(self, settings: TurnSettings) -> None:
        self._settings = settings
        self._state = _State.SILENT
        self._start = self._end = 0
        self._voiced_ms = self._silence_ms = self._length_ms = 0
        self._stopped = False
        self._sustained = False
        self._by_hand = False
        self._voice_level = 0.0

    @property
    def haste(self) -> Haste:
        """How soon the next frames are wanted: the end of a turn hangs on each, once it may come
        before whoever is in no haste looks again, and it may come at any time where it is told
        by hand. Speech that goes on only has to be taken down."""
        if self._by_hand:
            return Haste.EACH_FRAME
        if self._state is _State.SPEAKING:
            settings = self._settings
            silence_left_ms = settings.silence_ms - self._silence_ms
            length_left_ms = settings.max_utterance_ms - self._length_ms
            is_near = min(silence_left_ms, length_left_ms) <= LOOK_MS
            return Haste.EACH_FRAME if is_near else Haste.IN_TIME
        is_roused = self._state is _State.MAYBE or self._voiced_ms > 0
        return Haste.SOON if is_roused else Haste.IN_TIME

    @property
    def is_deciding(self) -> bool:
        """Whether one frame of voice more would bring about the next of `SpeechMaybe`, the first
        `SpeechStarted` and `SpeechSustained`, all of which its length decides. (The very first
        frame of a voice has no length before it.)"""
        if not self._voiced_ms:
            return False
        settings, voiced_ms = self._settings, self._voiced_ms + FRAME_MS
        match self._state:
            case _State.SILENT:
                return voiced_ms >= settings.maybe_ms
            case _State.MAYBE:
                return voiced_ms >= settings.start_ms
            case _State.SPEAKING:
                return not self._sustained and voiced_ms >= settings.interrupt_ms

    def feed(self, frame: Frame, probability: float) -> list[TurnEvent]:
        """Events that this frame brings about, in order."""
        end = frame.index + frame.samples
        ms = frame.samples * 1000 // frame.rate
        if self._is_voice(frame, probability):
            if not self._voiced_ms:
                self._start = frame.index
            self._voiced_ms += ms
            self._silence_ms = 0
            self._end = end
        else:
            self._silence_ms += ms
        self._length_ms += ms
        match self._state:
            case _State.SILENT:
                return self._feed_silent()
            case _State.MAYBE:
                return self._feed_maybe()
            case _State.SPEAKING:
                return self._feed_speaking(end)

    def hold_turn(self) -> list[TurnEvent]:
        """The caller opens the microphone by hand, for what is said until `end_turn`."""
        self._by_hand = True
        return self._feed_maybe() if self._state is _State.MAYBE else []

    def end_turn(self, now: int) -> list[TurnEvent]:
        """The caller says that the turn is over (push-to-talk), at sample `now`."""
        events: list[TurnEvent] = []
        if self._state is _State.MAYBE:
            events.append(SpeechStarted(self._start))
        if self._state is not _State.SILENT:
            events += self._end_speech(now, is_cut=False)
        self._reset()
        self._by_hand = False
        return events

    def _is_voice(self, frame: Frame, probability: float) -> bool:
        self._voice_level *= FADE  # so that one bang does not mute the words after it
        is_probable = probability >= self._settings.threshold
        if not is_probable:
            wavers = self._state is _State.SPEAKING and self._silence_ms < self._settings.stop_ms
            if not wavers or probability < self._settings.release_threshold:
                return False  # most frames of a call: their level need not be known
        level = _level(frame)
        if level <= max(SILENT, self._voice_level * DROP):
            return False
        if is_probable:
            self._voice_level = max(level, self._voice_level)
        return True

    def _feed_silent(self) -> list[TurnEvent]:
        if self._silence_ms:
            self._reset()
            return []
        if self._voiced_ms < self._settings.maybe_ms:
            return []
        self._state = _State.MAYBE
        return [SpeechMaybe(self._start), *self._feed_maybe()]

    def _feed_maybe(self) -> list[TurnEvent]:
        if self._by_hand or self._voiced_ms >= self._settings.start_ms:
            self._state = _State.SPEAKING
            return [SpeechStarted(self._start), *self._sustain()]
        if self._silence_ms >= FALSE_ALARM_MS:
            self._reset()
            return [FalseAlarm()]
        return []

    def _feed_speaking(self, now: int) -> list[TurnEvent]:
        events: list[TurnEvent] = []
        if self._stopped and not self._silence_ms:
            self._stopped = False
            events.append(SpeechStarted(self._start))
        events += self._sustain()
        if self._is_silent_for_long() or self._is_too_long():
            events += self._end_speech(now, is_cut=not self._is_silent_for_long())
            self._reset()
        elif not self._stopped and self._silence_ms >= self._settings.stop_ms:
            self._stopped = True
            events.append(SpeechEnded(self._end))
        return events

    def _sustain(self) -> list[TurnEvent]:
        if self._sustained or self._voiced_ms < self._settings.interrupt_ms:
            return []
        self._sustained = True
        return [SpeechSustained()]

    def _is_silent_for_long(self) -> bool:
        return not self._by_hand and self._silence_ms >= self._settings.silence_ms

    def _is_too_long(self) -> bool:
        settings = self._settings
        if self._length_ms >= settings.max_utterance_ms * 3 // 2:
            return True
        is_pausing = self._silence_ms >= settings.stop_ms
        return self._length_ms >= settings.max_utterance_ms and is_pausing

    def _end_speech(self, now: int, *, is_cut: bool) -> list[TurnEvent]:
        ended = TurnEnded(self._start, self._end, now, is_cut)
        return [ended] if self._stopped else [SpeechEnded(self._end), ended]

    def _reset(self) -> None:
        self._state = _State.SILENT
        self._start = self._end = 0
        self._voiced_ms = self._silence_ms = self._length_ms = 0
        self._stopped = self._sustained = False
        self._voice_level = 0.0


def _level(frame: Frame) -> float:
    """Root mean square, in steps of int16."""
    samples = np.frombuffer(frame.pcm, np.int16).astype(np.float32)
    return math.sqrt(np.dot(samples, samples) / samples.size) if samples.size else 0.0
