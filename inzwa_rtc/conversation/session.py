"""One call: listens without ever waiting for a model, and answers turn by turn.

Four tasks with one owner. One takes what the caller sends and feeds the listener; one
recognises what was said; one has it read ahead; one runs the turns one after another.
Time is the caller's sample count.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from contextlib import aclosing
from dataclasses import replace

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.conversation.absence import taken_back
from inzwa_rtc.conversation.attentiveness import Attentiveness
from inzwa_rtc.conversation.clock import CallClock, Due
from inzwa_rtc.conversation.dialogue import Dialogue
from inzwa_rtc.conversation.engines import EngineSource
from inzwa_rtc.conversation.floor import Floor
from inzwa_rtc.conversation.hearing import Hearing
from inzwa_rtc.conversation.history import History
from inzwa_rtc.conversation.listener import Listener
from inzwa_rtc.conversation.open_tools import OpenTools
from inzwa_rtc.conversation.peer import (
    Back,
    Command,
    EndTurn,
    Gone,
    HangUp,
    Peer,
    Played,
    StartTurn,
    TypedText,
    UpdateVoice,
)
from inzwa_rtc.conversation.preparation import Preparation
from inzwa_rtc.conversation.prompt import Announcement, Typed
from inzwa_rtc.conversation.scribe import written_down
from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.conversation.turn import Turn, TurnContext
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.errors import PeerError
from inzwa_rtc.events import (
    EndReason,
    Event,
    Failure,
    PlaybackStarted,
    SessionEnded,
    SessionStarted,
    SessionUpdated,
    Transcript,
)
from inzwa_rtc.observer import CallObserver
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.playout.unheard import Unheard
from inzwa_rtc.settings import Settings
from inzwa_rtc.users import VoiceMode

DISMISSAL_S = 6.0  # for the goodbye, of which a caller who speaks into it hears less


class Session:
    """One caller's conversation. `run` it once; `end` ends it from outside."""

    def __init__(
        self,
        session_id: str,
        call_token: str,
        peer: Peer,
        engines: EngineSource,
        settings: Settings,
        voice: VoiceSettings,
        shedding: Shedding,
        observer: CallObserver,
        mode: VoiceMode = "conversation",
    ) -> None:
        self.session_id = session_id
        self.turns = 0
        self._call_token = call_token
        self._mode = mode
        self._is_answered = mode != "transcribe_only"
        self._ends_at_s: float | None = None
        self._lost_at = -math.inf  # the connection, the last time
        self._peer = peer
        self._engines = engines
        self._settings = settings
        self._wish = voice  # what other engines may not have, and later ones have again
        self._voice = voice = replace(voice)
        self._numbers = itertools.count()
        self._clock = CallClock(settings.call)
        self._playout = Playout(peer.out_sample_rate, self._on_playout)
        self._floor = Floor(self._playout, peer.send)
        history = History(settings.call.history_messages)
        dialogue = Dialogue(settings, voice, history, shedding)
        self._preparation = Preparation(engines, dialogue, shedding, settings.timeouts.engine_start)
        self._hearing = Hearing(
            engines, settings, self._floor, self._preparation.heard, peer.send, observer
        )
        self._listener = Listener(
            settings, self._hearing, self._floor, peer.send, self._next_turn, observer
        )
        self._attentiveness = Attentiveness(self._listener, self._floor, peer.listen)
        self._context = TurnContext(
            caller=session_id,
            settings=settings,
            voice=voice,
            history=history,
            dialogue=dialogue,
            tools=OpenTools(),
            emit=peer.send,
            is_superseded=self._floor.is_superseded,
            observer=observer,
        )
        self._turn: Turn | None = None
        self._end: asyncio.Future[EndReason] = asyncio.get_running_loop().create_future()

    @property
    def elapsed_s(self) -> float:
        """Length of the call so far, in seconds of the caller's audio."""
        return self._clock.elapsed_s

    @property
    def dropped_s(self) -> float:
        """Seconds of the caller's speech that a lagging recogniser was not given."""
        return self._hearing.dropped_samples / ASR_SAMPLE_RATE

    def engines_exchanged(self) -> None:
        """Other engines are given out from now on."""
        self._preparation.begin_anew()

    def end(self, reason: EndReason) -> None:
        """End the call at once."""
        if not self._end.done():
            self._end.set_result(reason)

    def dismiss(self) -> None:
        """Voice was taken from the caller: they are told, and the call ends."""
        if self._ends_at_s is None:
            self._ends_at_s = self.elapsed_s + DISMISSAL_S
            self._announce(lines(self._voice.language).disabled, "disabled")

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
                self._mode,
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
                parts = [self._listen(), self._hearing.run(), self._converse()]
                if self._is_answered:
                    parts.append(self._preparation.run())
                running = [tasks.create_task(part) for part in parts]
                reason = await self._end
                for task in running:
                    task.cancel()
        finally:
            self._playout.stop()
            self._peer.send(SessionEnded(reason))
        return reason

    # --- what the caller does ---

    async def _listen(self) -> None:
        async with aclosing(self._peer.receive()) as items:
            async for item in items:
                if isinstance(item, Frame):
                    self._hear(item)
                else:
                    self._obey(item)
                self._attentiveness.review()
                if self._end.done():
                    return
        self.end("connection_lost")

    def _hear(self, frame: Frame) -> None:
        if self._mode == "tts_only":
            self._listener.pass_over(frame)
        else:
            self._listener.feed(frame)
        if self._listener.is_hearing:
            self._clock.caller_is_active()
        is_busy = self._floor.is_taken or self._listener.is_hearing
        self._on_due(self._clock.tick(frame.samples, is_busy))
        if self._ends_at_s is not None and self.elapsed_s >= self._ends_at_s:
            self.end("disabled")

    def _obey(self, command: Command | Gone | Back) -> None:
        match command:
            case StartTurn() if self._mode == "tts_only":
                self._tell_mode("Type a message: it is answered aloud.")
            case TypedText() if not self._is_answered:
                self._tell_mode("Speak: your words are written down.")
            case StartTurn():
                self._clock.caller_is_active()
                self._floor.interrupt()
                self._listener.start_turn()
            case EndTurn():
                self._listener.end_turn()
            case TypedText(text=text):
                self._clock.caller_is_active()
                self._take_typed(text)
            case Played(turn=turn, samples=samples):
                self._playout.report_played(turn, samples)
            case UpdateVoice():
                self._update(command)
            case HangUp():
                self.end("caller")
            case Gone(unheard=unheard):
                self._lose(unheard)
            case Back(away_s=away_s):
                self._clock.been_away(away_s)

    def _lose(self, unheard: tuple[Unheard, ...]) -> None:
        if self._ends_at_s is not None:
            self.end("disabled")  # who was dismissed is not waited for
        self._listener.end_turn()
        self._lost_at = asyncio.get_running_loop().time()
        rest = taken_back(unheard, self._context.history, self._peer.send)
        if not self._floor.is_taken:  # else what they said themselves comes first
            self._announce(rest)

    def _tell_mode(self, action: str) -> None:
        what = f"The voice mode of this call is `{self._mode}`."
        self._peer.send(Failure("not_in_voice_mode", what, action))

    def _take_typed(self, text: str) -> None:
        typed = Typed(self._next_turn(), text)
        if self._floor.claim(typed):
            at = self._listener.now_ms
            language = self._voice.language
            self._peer.send(Transcript(typed.turn, text, at, at, True, 1.0, language))

    def _update(self, update: UpdateVoice) -> None:
        with self._engines.lent() as engines:
            voices = engines.voices
        try:
            chosen = voices.choose(update, voices.nearest(self._wish))
        except PeerError as error:
            self._peer.send(Failure(error.code, error.message, error.action))
            return
        is_only_speed = update.language is None and update.voice is None
        self._wish = replace(self._wish, speed=chosen.speed) if is_only_speed else chosen
        self._speak_as(chosen)

    def _speak_as(self, chosen: VoiceSettings) -> None:
        voice = self._voice
        voice.language, voice.voice, voice.speed = chosen.language, chosen.voice, chosen.speed
        voice.wished = chosen.wished
        self._peer.send(SessionUpdated(voice.language, voice.voice, voice.speed))

    # --- what the server does ---

    async def _converse(self) -> None:
        while True:
            prompt = await self._floor.next_prompt()
            if not self._is_answered:
                self.turns += 1
                if reason := await written_down(prompt, self._peer.send):
                    self.end(reason)
                continue
            with self._engines.lent() as engines:  # what began with these ends with them
                if (voice := engines.voices.nearest(self._wish)) != self._voice:
                    self._speak_as(voice)
                speech = self._playout.speech(prompt.turn)
                turn = Turn(prompt, speech, engines, self._context)
                self._turn = self._floor.speaker = turn
                async with asyncio.TaskGroup() as tasks:  # a cancelled turn ends only itself
                    answering = tasks.create_task(turn.run())
                self._turn = self._floor.speaker = None
            self.turns += 1
            if turn.hang_up is not None and not answering.cancelled():
                self.end(turn.hang_up)
                return

    def _announce(self, text: str, hang_up: EndReason | None = None) -> None:
        if (text or hang_up) and self._floor.claim(Announcement(self._next_turn(), text, hang_up)):
            self._attentiveness.review()

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
                self._announce(say.time_limit, "time_limit")
            case Due.FORCED_END:
                self.end("time_limit")

    def _next_turn(self) -> int:
        return next(self._numbers)

    def _on_playout(self, event: Event) -> None:
        self._peer.send(event)
        self._attentiveness.review()
        if isinstance(event, PlaybackStarted) and self._turn is not None:
            self._turn.first_audio_left(self._lost_at)
