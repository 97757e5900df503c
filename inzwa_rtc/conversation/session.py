"""One call: listens without ever waiting for a model, and answers turn by turn.

Three tasks with one owner. `listen` feeds the turn detector and the caller's
utterance; `converse` runs the turns one after another; the third waits for the
server to end the call. Time is the caller's sample count.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.conversation.clock import CallClock, Due
from inzwa_rtc.conversation.history import History
from inzwa_rtc.conversation.peer import (
    Command,
    EndTurn,
    HangUp,
    Peer,
    Played,
    TypedText,
    UpdateVoice,
)
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.conversation.stages import EngineSet, Faults
from inzwa_rtc.conversation.turn import (
    Announcement,
    Prompt,
    Turn,
    TurnContext,
    Typed,
    VoiceSettings,
)
from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, VoiceDetector
from inzwa_rtc.events import (
    EndReason,
    Event,
    Failure,
    PlaybackStarted,
    SessionEnded,
    SessionStarted,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    TurnInterrupted,
)
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.settings import Settings
from inzwa_rtc.turntaking import detector as turns

PROMPTS_WAITING = 4  # utterances while a recogniser is stuck until its time limit
PREROLL_KEPT_MS = 2000  # more than preroll_ms and start_ms can add up to


class _CallEnded(Exception):  # an outcome, not an error
    def __init__(self, reason: EndReason) -> None:
        self.reason = reason


class Session:
    """One caller's conversation. `run` it once; `end` ends it from outside."""

    def __init__(
        self,
        session_id: str,
        call_token: str,
        peer: Peer,
        engines: EngineSet,
        detector: VoiceDetector,
        settings: Settings,
        voice: VoiceSettings,
        faults: Faults,
    ) -> None:
        self.session_id = session_id
        self.turns = 0
        self._call_token = call_token
        self._peer = peer
        self._engines = engines
        self._settings = settings
        self._voice = voice
        self._vad = detector
        self._detector = turns.TurnDetector(settings.turn)
        self._playout = Playout(peer.out_sample_rate, self._on_playout)
        self._prompts: asyncio.Queue[Prompt] = asyncio.Queue(PROMPTS_WAITING)
        self._context = TurnContext(
            engines=engines,
            settings=settings,
            voice=voice,
            history=History(settings.call.system_prompt, settings.call.history_messages),
            faults=faults,
            emit=peer.send,
            is_superseded=lambda: not self._prompts.empty(),
        )
        self._numbers = itertools.count()
        self._turn: Turn | None = None
        self._turn_task: asyncio.Task[None] | None = None
        self._utterance: Utterance | None = None
        self._recent: deque[Frame] = deque(maxlen=PREROLL_KEPT_MS // 20)
        self._now = 0  # samples of the caller's audio so far
        self._clock = CallClock(settings.call)
        self._end: asyncio.Future[EndReason] = asyncio.get_running_loop().create_future()

    @property
    def elapsed_s(self) -> float:
        """Length of the call so far, in seconds of the caller's audio."""
        return self._clock.elapsed_s

    def end(self, reason: EndReason) -> None:
        """End the call at once."""
        if not self._end.done():
            self._end.set_result(reason)

    async def run(self) -> EndReason:
        """Hold the call until it ends; returns why it did."""
        voice = self._voice
        self._peer.send(
            SessionStarted(
                self.session_id,
                self._call_token,
                self._peer.out_sample_rate,
                voice.language,
                voice.voice,
                voice.speed,
            )
        )
        self._peer.play(self._playout)
        greeting = self._settings.call.greeting
        if greeting is None:
            greeting = lines(voice.language).greeting
        self._announce(greeting)
        reason: EndReason = "error"
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                tasks.create_task(self._converse())
                tasks.create_task(self._wait_for_end())
        except* _CallEnded as ended:
            reason = _first(ended).reason
        finally:
            self._playout.stop()
            self._peer.send(SessionEnded(reason))
        return reason

    # --- what the caller does ---

    async def _listen(self) -> None:
        async for item in self._peer.receive():
            if isinstance(item, Frame):
                self._hear(item)
            else:
                self._obey(item)
        raise _CallEnded("connection_lost")

    async def _wait_for_end(self) -> None:
        raise _CallEnded(await self._end)

    def _hear(self, frame: Frame) -> None:
        self._now = frame.index + frame.samples
        self._recent.append(frame)
        if self._utterance is not None:
            self._utterance.feed(frame.pcm)
        probability = self._vad.feed(frame.pcm)
        self._on_turn_events(self._detector.feed(frame, probability))
        is_busy = self._turn is not None or self._utterance is not None
        self._on_due(self._clock.tick(frame.samples, is_busy))

    def _obey(self, command: Command) -> None:
        match command:
            case EndTurn():
                self._on_turn_events(self._detector.end_turn(self._now))
            case TypedText(text=text):
                self._clock.caller_is_active()
                self._interrupt()
                self._prompt(Typed(self._next_turn(), text))
            case Played(turn=turn, samples=samples):
                self._playout.report_played(turn, samples)
            case UpdateVoice():
                self._update(command)
            case HangUp():
                raise _CallEnded("caller")

    def _on_turn_events(self, events: list[turns.TurnEvent]) -> None:
        for event in events:
            match event:
                case turns.SpeechMaybe():
                    if self._turn is not None:
                        self._turn.speech.hold()
                case turns.FalseAlarm():
                    if self._turn is not None:
                        self._turn.speech.release()
                case turns.SpeechStarted(start=start):
                    self._speech_started(start)
                case turns.SpeechEnded():
                    if self._utterance is not None:
                        self._peer.send(SpeechStopped(self._utterance.turn))
                case turns.TurnEnded(end=end, now=now, voiced_ms=voiced_ms):
                    if self._utterance is not None:
                        silence_ms = (now - end) * 1000 // ASR_SAMPLE_RATE
                        self._utterance.end(voiced_ms, silence_ms)
                        self._utterance = None

    def _speech_started(self, start: int) -> None:
        self._clock.caller_is_active()
        if self._utterance is None:
            self._interrupt()
            begin = max(0, start - self._settings.turn.preroll_ms * ASR_SAMPLE_RATE // 1000)
            heard = [frame for frame in self._recent if frame.index >= begin]
            self._utterance = Utterance(
                self._next_turn(),
                heard[0].index,
                b"".join(frame.pcm for frame in heard),
                self._settings.limits.waiting_audio_s,
            )
            self._prompt(self._utterance)
        self._peer.send(SpeechStarted(self._utterance.turn))

    def _update(self, update: UpdateVoice) -> None:
        voices = {voice.id for voice in self._engines.tts.voices}
        if update.voice is not None and update.voice not in voices:
            self._peer.send(
                Failure(
                    "unknown_voice",
                    "There is no such voice.",
                    f"Choose one of: {', '.join(sorted(voices))}.",
                )
            )
            return
        voice = self._voice
        voice.voice = update.voice or voice.voice
        voice.language = update.language or voice.language
        voice.speed = update.speed or voice.speed
        self._peer.send(SessionUpdated(voice.language, voice.voice, voice.speed))

    # --- what the server does ---

    async def _converse(self) -> None:
        while True:
            prompt = await self._prompts.get()
            turn = Turn(prompt, self._playout.speech(prompt.turn), self._context)
            self._turn = turn
            async with asyncio.TaskGroup() as tasks:  # a cancelled turn ends only itself
                self._turn_task = tasks.create_task(turn.run())
            was_cut = self._turn_task.cancelled()
            self._turn = self._turn_task = None
            self.turns += 1
            if turn.hang_up is not None and not was_cut:
                raise _CallEnded(turn.hang_up)

    def _interrupt(self) -> None:
        """Cut the reply that is being prepared or spoken; words being recognised are kept."""
        turn, task = self._turn, self._turn_task
        if turn is None or task is None or not turn.is_answering or turn.speech.is_over:
            return
        turn.speech.cut()
        task.cancel()
        self._peer.send(TurnInterrupted(turn.prompt.turn, turn.speech.heard()))

    def _announce(self, text: str, hang_up: EndReason | None = None) -> None:
        if text or hang_up:
            self._prompt(Announcement(self._next_turn(), text, hang_up))

    def _prompt(self, prompt: Prompt) -> None:
        try:
            self._prompts.put_nowait(prompt)
        except asyncio.QueueFull:
            self._peer.send(
                Failure(
                    "busy",
                    "Too much is waiting to be answered.",
                    "Wait for the answer, then say it again.",
                    prompt.turn,
                )
            )

    def _on_due(self, due: Due | None) -> None:
        say = lines(self._voice.language)
        match due:
            case None:
                return
            case Due.IDLE_PROMPT:
                self._announce(say.idle)
            case Due.IDLE_LIMIT:
                self._announce(say.idle_limit, "idle")
            case Due.TIME_LIMIT:
                self._interrupt()
                self._announce(say.time_limit, "time_limit")
            case Due.FORCED_END:
                raise _CallEnded("time_limit")

    def _next_turn(self) -> int:
        return next(self._numbers)

    def _on_playout(self, event: Event) -> None:
        self._peer.send(event)
        if isinstance(event, PlaybackStarted) and self._turn is not None:
            self._turn.first_audio_left()


def _first(group: BaseExceptionGroup[_CallEnded]) -> _CallEnded:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
