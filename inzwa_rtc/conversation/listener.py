"""Cuts what the microphone hears into utterances. Never waits for anything."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from inzwa_rtc.audio.frame import FRAME_MS, Frame
from inzwa_rtc.conversation.floor import busy
from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, Haste
from inzwa_rtc.events import Event, SpeechStarted, SpeechStopped
from inzwa_rtc.observer import CallObserver
from inzwa_rtc.settings import Settings
from inzwa_rtc.turntaking import detector as turns

PREROLL_KEPT_MS = 2000  # more than preroll_ms and start_ms can add up to


class Recognition(Protocol):
    """Whoever recognises utterances."""

    def add(self, utterance: Utterance) -> bool:
        """Recognise it in its turn. False: too many wait already."""
        ...


class Attention(Protocol):
    """Whoever weighs the sounds that a caller makes."""

    def sound(self) -> bool:
        """There may be speech. Tells whether something was silenced for it."""
        ...

    def no_speech(self) -> None:
        """It was none, or none that can be taken."""
        ...

    def weigh(self, utterance: Utterance) -> None:
        """It is speech."""
        ...

    def sustained(self, utterance: Utterance) -> None:
        """It has gone on for longer than anybody murmurs assent."""
        ...


class Listener:
    """Feed it each frame of the caller's; utterances go to `hearing`, sounds to `floor`. Of one
    utterance at most `waiting_s` of audio waits for its recogniser."""

    def __init__(
        self,
        settings: Settings,
        hearing: Recognition,
        floor: Attention,
        emit: Callable[[Event], None],
        new_turn: Callable[[], int],
        observer: CallObserver,
        waiting_s: float | None = None,
    ) -> None:
        self._detector = turns.TurnDetector(settings.turn)
        self._preroll_samples = settings.turn.preroll_ms * ASR_SAMPLE_RATE // 1000
        self._limit_s = waiting_s or settings.limits.waiting_audio_s
        self._hearing = hearing
        self._floor = floor
        self._emit = emit
        self._new_turn = new_turn
        self._observer = observer
        self._utterance: Utterance | None = None
        self._recent: deque[Frame] = deque(maxlen=PREROLL_KEPT_MS // FRAME_MS)
        self._now = 0  # samples of the caller's audio so far
        self._last_end = 0  # the sample at which the voice of the utterance before ended

    @property
    def now_ms(self) -> int:
        """Time of the call, counted by the caller's audio."""
        return self._now * 1000 // ASR_SAMPLE_RATE

    @property
    def is_hearing(self) -> bool:
        """Whether the caller is speaking, or pausing within a turn."""
        return self._utterance is not None

    @property
    def haste(self) -> Haste:
        """How soon the next frames are wanted, as long as nothing is said to the caller."""
        return self._detector.haste

    @property
    def is_deciding(self) -> bool:
        """Whether a voice is one frame short of being told of: as possible, begun, or lasting."""
        return self._detector.is_deciding

    def feed(self, frame: Frame) -> None:
        """The next 20 ms, which the voice detector has heard."""
        self._now = frame.index + frame.samples
        self._recent.append(frame)
        if self._utterance is not None:
            self._utterance.feed(frame.pcm)
        self._on_events(self._detector.feed(frame, frame.speech))

    def pass_over(self, frame: Frame) -> None:
        """The next 20 ms of a caller who is not listened to."""
        self._now = frame.index + frame.samples

    def start_turn(self) -> None:
        """The caller opened the microphone by hand: silence does not end the turn any more."""
        self._on_events(self._detector.hold_turn())

    def end_turn(self) -> None:
        """The caller has finished: do not wait for silence."""
        self._on_events(self._detector.end_turn(self._now))

    def _on_events(self, events: list[turns.TurnEvent]) -> None:
        for event in events:
            match event:
                case turns.SpeechMaybe(start=start):
                    if self._floor.sound():
                        self._observer.barge_in((self._now - start) * 1000 // ASR_SAMPLE_RATE)
                case turns.FalseAlarm():
                    self._floor.no_speech()
                case turns.SpeechStarted(start=start):
                    self._on_speech(start)
                case turns.SpeechSustained() if self._utterance is not None:
                    self._floor.sustained(self._utterance)
                case turns.SpeechEnded() if self._utterance is not None:
                    self._emit(SpeechStopped(self._utterance.turn))
                case turns.TurnEnded(end=end, now=now, is_cut=is_cut):
                    self._last_end = end
                    if self._utterance is not None:
                        self._utterance.is_cut = is_cut
                        self._utterance.end((now - end) * 1000 // ASR_SAMPLE_RATE)
                        self._utterance = None

    def _on_speech(self, start: int) -> None:
        if self._utterance is None:
            utterance = self._begin(start)
            if not self._hearing.add(utterance):
                self._floor.no_speech()
                self._emit(busy(utterance.turn))
                return
            self._utterance = utterance
            self._floor.weigh(utterance)
        self._emit(SpeechStarted(self._utterance.turn))

    def _begin(self, start: int) -> Utterance:
        """An utterance with what was heard just before its first voice, but for what another
        utterance has had: an overlong one is cut in the midst of speech."""
        begin = max(start - self._preroll_samples, self._last_end)
        heard = [frame for frame in self._recent if frame.index >= begin]
        pcm = b"".join(frame.pcm for frame in heard)
        return Utterance(self._new_turn(), heard[0].index, pcm, self._limit_s)
