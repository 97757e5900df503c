"""Dictation: what one person says, written down utterance by utterance, and answered by nobody.

The same voice detector, turn detector and recognisers as in a call. Of the audio that was not
given to a recogniser yet a bounded length is kept; what comes beyond that is not taken, and the
one who dictates is told so.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, FRAME_MS, Frame, frame_bytes
from inzwa_rtc.conversation.engines import EngineSource
from inzwa_rtc.conversation.listener import Listener
from inzwa_rtc.conversation.stages import recognise
from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.engines.contracts import (
    ASR_SAMPLE_RATE,
    Haste,
    RecognizeRequest,
    SharedVoiceDetector,
    TranscriptChunk,
)
from inzwa_rtc.errors import EngineError
from inzwa_rtc.events import EndReason, Event, Failure, SpeechStarted
from inzwa_rtc.observer import CallObserver, Unobserved, observed
from inzwa_rtc.settings import Settings

FASTER = 4.0  # than real time audio is listened to: one recording costs no more than four calls
PAUSE_S = 1.0  # without audio: who sends none has stopped speaking
STALL_S = 0.04  # between two looks for audio: what is longer is a stall of the server's own
ROOM = 0.5  # of the limit may wait when audio is taken again, so that nobody is told in a row
LAST_WORDS_S = 4.0  # to recognise what waits when the server ends it, before it is forced to


@dataclass(frozen=True, slots=True)
class Wish:
    """How the one who dictates wants it. Without a `language` the server's own settings count;
    `partials`: words are told while they are still being spoken."""

    language: str | None = None
    partials: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """An utterance, for good (`is_final`) or so far; `duration_s` is the length of its audio."""

    text: str
    duration_s: float
    is_final: bool


@dataclass(frozen=True, slots=True)
class BufferFull:
    """`limit_s` of audio waits. What comes now is lost, until half of it was taken."""

    limit_s: float


Told = Written | BufferFull | Failure

_FRAME_BYTES = frame_bytes(ASR_SAMPLE_RATE)
_BY_THE_SERVER: tuple[EndReason, ...] = ("shutdown", "time_limit", "idle")
_DISMISSED = Failure(
    "voice_disabled_for_user",
    "Voice was switched off for this user.",
    "An administrator can switch it on.",
)
_CUT_SHORT = Failure(
    "cut_short", "Not all that was said is written down.", "Send what is missing again."
)


class Dictation:
    """`feed` it audio, tell it when it is over with `finish`; `run` it once beside that."""

    haste = Haste.EACH_FRAME  # what is sent at once is to be written down at once

    def __init__(
        self,
        engines: EngineSource,
        detector: SharedVoiceDetector,
        settings: Settings,
        tell: Callable[[Told], None],
        observer: CallObserver | None = None,
    ) -> None:
        self.wish = Wish()
        self.turns = 0
        self._engines = engines
        self._settings = settings
        self._limit_s = settings.limits.dictation_s
        self._tell = tell
        self._observer = observer or Unobserved()
        numbers = itertools.count()
        self._detector = detector
        self._listener = Listener(
            settings,
            self,
            _NobodySpeaks(),
            self._on_event,
            lambda: next(numbers),
            self._observer,
            self._limit_s,
        )
        self._audio = bytearray()  # not listened to yet; bounded by the limit
        self._utterances: deque[Utterance] = deque()  # their audio is bounded by it as well
        self._changed = asyncio.Event()
        self._is_full = self._is_finished = self._is_heard = False
        self._samples = self._dropped_bytes = 0
        self._allowed_frames = 0.0
        self._taken_at: float | None = None
        self._quiet_s = 0.0
        self._idle: asyncio.TimerHandle | None = None
        self._end: asyncio.Future[EndReason] = asyncio.get_running_loop().create_future()

    @property
    def elapsed_s(self) -> float:
        """How much audio was listened to."""
        return self._samples / ASR_SAMPLE_RATE

    @property
    def dropped_s(self) -> float:
        """How much audio was not taken."""
        return self._dropped_bytes / BYTES_PER_SAMPLE / ASR_SAMPLE_RATE

    @property
    def waiting_s(self) -> float:
        """How much audio no recogniser has taken yet."""
        unheard = len(self._audio) / BYTES_PER_SAMPLE / ASR_SAMPLE_RATE
        return unheard + sum(utterance.waiting_s for utterance in self._utterances)

    def feed(self, pcm: bytes) -> None:
        """Take audio: int16 LE mono 16 kHz, any whole number of samples."""
        if self._is_finished:
            return
        if not self._has_room_for(len(pcm) / BYTES_PER_SAMPLE / ASR_SAMPLE_RATE):
            self._dropped_bytes += len(pcm)
            return
        self._audio += pcm
        self._changed.set()

    def finish(self) -> None:
        """No more audio comes; what is there is still written down."""
        self._is_finished = True
        self._changed.set()

    def end(self, reason: EndReason) -> None:
        """End it from outside."""
        if not self._end.done():
            self._end.set_result(reason)

    def dismiss(self) -> None:
        """Voice was taken from whoever dictates."""
        self._tell(_DISMISSED)
        self.end("disabled")

    def engines_exchanged(self) -> None:
        """Other engines are given out from the next utterance on."""

    def add(self, utterance: Utterance) -> bool:
        """As in `Recognition`."""
        self._utterances.append(utterance)
        self._changed.set()
        return True

    async def run(self) -> EndReason:
        """Returns when all is written down, or why it ended before."""
        loop = asyncio.get_running_loop()
        longest = loop.call_later(self._settings.call.max_length_s, self.end, "time_limit")
        self._is_active()
        try:
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(self._listen())
                writing = tasks.create_task(self._write())
                either: tuple[asyncio.Future[Any], ...] = (writing, self._end)
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if self._end.done() and self._end.result() in _BY_THE_SERVER:
                    self.finish()
                    await asyncio.wait([writing], timeout=LAST_WORDS_S)
                    if not writing.done():
                        self._tell(_CUT_SHORT)
                listening.cancel()
                writing.cancel()
        finally:
            longest.cancel()
            if self._idle is not None:
                self._idle.cancel()
        return self._end.result() if self._end.done() else "caller"

    # --- listening ---

    def is_silent(self, now: float) -> bool:
        """As in `Microphone`. Nothing asks: all is wanted at once."""
        return False

    def take(self, most: int, now: float) -> list[bytes]:
        """As in `Microphone`, at no more than `FASTER` times the audio's pace."""
        gone_s = 0.0 if self._taken_at is None else now - self._taken_at
        self._taken_at = now
        self._allowed_frames = min(most, self._allowed_frames + gone_s * FASTER * 1000 / FRAME_MS)
        frames: list[bytes] = []
        while self._has_frame and self._allowed_frames >= 1:
            self._allowed_frames -= 1
            frames.append(bytes(self._audio[:_FRAME_BYTES]))
            del self._audio[:_FRAME_BYTES]
        # What came during a stall of the server's own is not there yet.
        self._quiet_s = 0.0 if frames else self._quiet_s + min(gone_s, STALL_S)
        if self._quiet_s >= PAUSE_S:
            self._quiet_s = 0.0
            self._listener.end_turn()
        return frames

    def give(self, pcm: bytes, speech: float) -> None:
        """As in `Microphone`."""
        frame = Frame(pcm, ASR_SAMPLE_RATE, self._samples, speech)
        self._samples += frame.samples
        self._listener.feed(frame)
        if not self._has_frame:
            self._changed.set()

    def give_up(self, error: Exception) -> None:
        """As in `Microphone`."""
        if not self._end.done():
            self._end.set_exception(error)

    @property
    def _has_frame(self) -> bool:
        return len(self._audio) >= _FRAME_BYTES

    async def _listen(self) -> None:
        with self._detector.listening(self):
            while self._has_frame or not self._is_finished:
                self._changed.clear()
                await self._changed.wait()
                if self._is_full and not self._has_frame:
                    self._listener.end_turn()
        self._listener.end_turn()
        self._is_heard = True
        self._changed.set()

    def _has_room_for(self, seconds: float) -> bool:
        waiting_s = self.waiting_s
        if self._is_full and waiting_s <= self._limit_s * ROOM and not self._audio:
            self._is_full = False
            self._listener.end_turn()  # what was lost lies between two utterances
        if not self._is_full and waiting_s + seconds > self._limit_s:
            self._is_full = True
            self._tell(BufferFull(self._limit_s))
        return not self._is_full

    def _on_event(self, event: Event) -> None:
        if isinstance(event, SpeechStarted):
            self._is_active()

    def _is_active(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self._settings.call.idle_limit_s, self.end, "idle")

    # --- writing ---

    async def _write(self) -> None:
        while True:
            if self._utterances:
                await self._write_down(self._utterances[0])
                self._utterances.popleft()
                self._is_active()
            elif self._is_heard:
                return
            else:
                self._changed.clear()
                await self._changed.wait()

    async def _write_down(self, utterance: Utterance) -> None:
        def partly(chunk: TranscriptChunk) -> None:
            if wish.partials and chunk.text:
                self._tell(Written(chunk.text, utterance.duration_s, False))

        wish = self.wish
        try:
            with self._engines.lent() as engines:
                settings = engines.settings
                request = RecognizeRequest(
                    wish.language or settings.asr_language,
                    translate=settings.asr_task == "translate",
                )
                limit_s = max(settings.timeouts.recognition, utterance.duration_s)
                with observed(self._observer, utterance.turn, "recognise") as stage:
                    final = await recognise(utterance, engines.asr, request, limit_s, partly, stage)
        except EngineError as error:
            self._tell(Failure(error.code, error.message, error.action, utterance.turn))
            await utterance.ended()
            return
        self.turns += 1
        if final.text:
            self._tell(Written(final.text, utterance.duration_s, True))


class _NobodySpeaks:
    """`Attention` where there is no answer that a sound could interrupt."""

    def sound(self) -> bool:
        return False

    def no_speech(self) -> None:
        pass

    def weigh(self, utterance: Utterance) -> None:
        pass

    def sustained(self, utterance: Utterance) -> None:
        pass
