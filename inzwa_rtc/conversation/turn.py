"""One turn: the reply to what the caller said, from first word to last sample.

A turn owns all its tasks; cancelling it cancels the whole, and history keeps
what was heard of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal

from structlog.contextvars import bind_contextvars

from inzwa_rtc.conversation.checking import Told, checked_phrases, judged
from inzwa_rtc.conversation.dialogue import Dialogue
from inzwa_rtc.conversation.engines import EngineSet
from inzwa_rtc.conversation.history import History
from inzwa_rtc.conversation.latency import Latency
from inzwa_rtc.conversation.open_tools import OpenTools
from inzwa_rtc.conversation.prompt import Announcement, Prompt, Typed
from inzwa_rtc.conversation.replying import Replying
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.conversation.stages import (
    speak_kept,
    speak_phrase,
)
from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.engines.contracts import (
    SpeechRequest,
    TokenChunk,
    ToolCall,
)
from inzwa_rtc.errors import EngineError, leaves
from inzwa_rtc.events import (
    EndReason,
    Event,
    Failure,
    ReplyFinished,
    ReplyToken,
    TurnInterrupted,
    TurnRefused,
)
from inzwa_rtc.language import base_language
from inzwa_rtc.observer import CallObserver, Stage, observed
from inzwa_rtc.playout.speech import Speech
from inzwa_rtc.safety import Verdict, log_refusal
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.kept_reading import KeptReading

TOKENS_WAITING = 32  # a model may run a clause ahead of the phrase cutter
PHRASES_WAITING = 2  # two phrases hide synthesis latency
ANSWERS_WITHIN_MS = 1000  # into its last words, "yeah" answers a question


@dataclass(frozen=True, slots=True)
class TurnContext:
    """What all turns of one call share."""

    caller: str
    settings: Settings
    voice: VoiceSettings
    history: History
    dialogue: Dialogue
    tools: OpenTools
    emit: Callable[[Event], None]
    is_superseded: Callable[[int], bool]
    """Whether a prompt newer than this turn waits: its words then join it unanswered."""
    observer: CallObserver


@dataclass(slots=True, eq=False)
class Turn:
    """Made for one prompt; `run` it once."""

    prompt: Prompt
    speech: Speech
    engines: EngineSet
    context: TurnContext
    hang_up: EndReason | None = field(default=None, init=False)
    _is_answering: bool = field(default=False, init=False)
    _text: str = field(default="", init=False)
    _latency: Latency = field(default_factory=Latency, init=False)
    _task: asyncio.Task[Any] | None = field(default=None, init=False)

    async def run(self) -> None:
        """Returns when everything was played. `EngineError` ends in a spoken apology."""
        self._task = asyncio.current_task()
        bind_contextvars(turn=self.prompt.turn)  # in this task alone
        with observed(self.context.observer, self.prompt.turn, "turn", _kind(self.prompt)):
            try:
                try:
                    await self._answer()
                except EngineError as error:
                    await self._apologise(error)
                self.speech.finish()
                await self.speech.played_out()
            finally:
                if heard := self.speech.heard():
                    self.context.history.add_assistant(heard)
                    self.context.tools.heard(heard)

    def interrupt(self) -> None:
        """Cut the reply that is being prepared or spoken; the caller's words are kept."""
        if self._task is None or not self._is_answering or self.speech.is_over:
            return
        self.speech.cut()
        self._task.cancel()
        self.context.emit(TurnInterrupted(self.prompt.turn, self.speech.heard()))

    def can_go_on(self) -> bool:
        """Whether there is more to be said, so that a murmured "yeah" is no answer to it."""
        is_over = self.speech.is_over or self.speech.ends_within(ANSWERS_WITHIN_MS)
        return self._is_answering and not is_over

    def first_audio_left(self, lost_at: float) -> None:
        """To be called when the first audio leaves: tells where the time went, once. Of words
        from before the caller's connection was lost, if it was, it tells nothing."""
        latency, self._latency = self._latency, Latency()
        is_told = latency.origin is not None and latency.origin > lost_at
        if is_told and (metrics := latency.metrics(self.prompt.turn, _now())):
            self.context.emit(metrics)

    async def _answer(self) -> None:
        match self.prompt:
            case Announcement(text=text, hang_up=reason):
                self.hang_up = reason
                await self._tell(text)
            case Typed(text=text):
                self._latency = Latency(_now(), _now(), _now())
                await self._reply_to(text)
            case Utterance():
                await self._answer_speech(self.prompt)

    async def _answer_speech(self, utterance: Utterance) -> None:
        context = self.context
        await utterance.ended()
        voiced_until = utterance.ended_at - utterance.silence_ms / 1000
        self._latency = Latency(voiced_until, utterance.ended_at)
        final = await utterance.words()
        self._latency.transcript = _now()
        if final.text:
            await self._reply_to(final.text)
        elif not self._is_superseded():
            await self._tell(lines(context.voice.language).not_understood)

    async def _tell(self, line: str) -> None:
        """Speak a line of the server's own. In one phrase, as it was rehearsed."""
        self._is_answering = True
        if line:
            self._latency.first_token = self._latency.first_token or _now()
            self._say(line)
        self.context.emit(ReplyFinished(self.prompt.turn, self._text))
        if line:
            await self._speak_phrase(line, 0, self.engines.reading(self.context.caller))

    async def _reply_to(self, text: str) -> None:
        context = self.context
        verdict = await judged(text, context.dialogue, context.history, self.engines.safety)
        if not verdict.is_allowed:  # told whatever was said since: it may be a cry for help
            await self._tell(self._refusal(verdict, "caller"))
            return
        context.history.add_user(text)
        if self._is_superseded():
            return
        engines = self.engines
        replying = Replying(
            engines.llm,
            engines.tools,
            context.tools,
            context.history,
            engines.settings.tools,
            context.settings.timeouts,
        )
        await self._reply(replying.reply(context.dialogue.request(engines.settings), text))

    async def _reply(self, stream: AsyncGenerator[TokenChunk | ToolCall, None]) -> None:
        self._is_answering = True
        tokens: asyncio.Queue[str | None] = asyncio.Queue(TOKENS_WAITING)
        phrases: asyncio.Queue[Told | None] = asyncio.Queue(PHRASES_WAITING)
        failure: EngineError | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(stream, tokens))
                tasks.create_task(self._check(tokens, phrases, reading))
                tasks.create_task(self._speak(phrases))
        except* EngineError as group:
            failure = leaves(group)[0]
        if failure is not None:
            raise failure

    async def _read(
        self,
        stream: AsyncGenerator[TokenChunk | ToolCall, None],
        tokens: asyncio.Queue[str | None],
    ) -> None:
        with observed(self.context.observer, self.prompt.turn, "reply") as stage:
            await self._read_tokens(stream, tokens, stage)
        await tokens.put(None)

    async def _read_tokens(
        self,
        stream: AsyncGenerator[TokenChunk | ToolCall, None],
        tokens: asyncio.Queue[str | None],
        stage: Stage,
    ) -> None:
        async with aclosing(stream):
            async for item in stream:
                match item:
                    case ToolCall():
                        self.hang_up = "assistant"
                    case TokenChunk(token=token) if token:
                        self._latency.first_token = self._latency.first_token or _now()
                        stage.gave()
                        with stage.aside():
                            await tokens.put(token)
                        self.context.observer.waiting("tokens", tokens.qsize())

    async def _check(
        self,
        tokens: asyncio.Queue[str | None],
        phrases: asyncio.Queue[Told | None],
        reading: asyncio.Task[None],
    ) -> None:
        """Tell and have spoken what may be; of a reply that must not go on, a refusal."""
        safety, language = self.engines.safety, self.context.voice.language
        async with aclosing(checked_phrases(tokens, safety.reply(language))) as checked:
            async for phrase in checked:
                text = phrase.text
                if not phrase.verdict.is_allowed:
                    reading.cancel()  # the engine need not go on
                    self.hang_up = None  # a farewell behind what is refused was not told
                    text = self._refusal(phrase.verdict, "reply")
                    if self._text and not self._text[-1].isspace():
                        text = f" {text}"
                told = Told(len(self._text), text)
                self._say(text)
                await phrases.put(told)
                self.context.observer.waiting("phrases", phrases.qsize())
        self.context.emit(ReplyFinished(self.prompt.turn, self._text))
        await phrases.put(None)

    def _refusal(self, verdict: Verdict, whose: Literal["caller", "reply"]) -> str:
        turn = self.prompt.turn
        log_refusal(verdict, whose=whose, turn=turn)
        self.context.emit(TurnRefused(turn, verdict.category))
        return self.engines.safety.answer(verdict, self.context.voice.language)

    async def _speak(self, phrases: asyncio.Queue[Told | None]) -> None:
        reading = self.engines.reading(self.context.caller)
        while (told := await phrases.get()) is not None:
            await self._speak_phrase(told.text, told.offset, reading)

    async def _speak_phrase(self, phrase: str, offset: int, reading: KeptReading) -> None:
        context = self.context
        voice = self.engines.voices.nearest(context.voice)  # these may not have the newest
        request = SpeechRequest(phrase, voice.voice, voice.language, voice.speed)
        timeouts = context.settings.timeouts
        with observed(context.observer, self.prompt.turn, "synthesise", "made") as stage:
            await speak_phrase(phrase, offset, request, reading, self.speech, timeouts, stage)

    async def _apologise(self, error: EngineError) -> None:
        turn = self.prompt.turn
        self.context.emit(Failure(error.code, error.message, error.action, turn))
        if self._is_superseded():
            return  # the caller has gone on, and is answered next
        self._is_answering = True
        faults = self.engines.faults
        line = faults.get(base_language(self.context.voice.language)) or next(iter(faults.values()))
        self.speech.abandon_phrase()
        if self._text and not self._text[-1].isspace():
            self._say(" ")
        offset = len(self._text)
        self._say(line.text)
        self.context.emit(ReplyFinished(turn, self._text))
        await speak_kept(line.text, line.phrase, offset, self.speech)

    def _is_superseded(self) -> bool:
        return self.context.is_superseded(self.prompt.turn)

    def _say(self, token: str) -> None:
        self._text += token
        self.context.emit(ReplyToken(self.prompt.turn, token))


def _kind(prompt: Prompt) -> str:
    match prompt:
        case Utterance():
            return "voice"
        case Typed():
            return "text"
        case Announcement():
            return "line"


def _now() -> float:
    return asyncio.get_running_loop().time()
