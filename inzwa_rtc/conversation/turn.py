"""One turn: what the caller said, and the reply to it, from first word to last sample.

A turn owns all its tasks; cancelling it cancels the whole, and history keeps
what was heard of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from inzwa_rtc.conversation.history import History
from inzwa_rtc.conversation.phrases import PhraseCutter
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.conversation.stages import (
    EngineSet,
    Faults,
    next_within,
    recognise,
    speak_phrase,
    speak_rendered,
)
from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.engines.contracts import (
    RecognizeRequest,
    ReplyRequest,
    SpeechRequest,
    TokenChunk,
    ToolCall,
    TranscriptChunk,
)
from inzwa_rtc.errors import EngineError
from inzwa_rtc.events import (
    EndReason,
    Event,
    Failure,
    ReplyFinished,
    ReplyToken,
    Transcript,
    TurnMetrics,
)
from inzwa_rtc.playout.playout import Speech
from inzwa_rtc.settings import Settings

TOKENS_WAITING = 32  # a model may run a clause ahead of the phrase cutter
PHRASES_WAITING = 2  # two phrases hide synthesis latency
UNDERSTOOD_VOICE_MS = 500  # shorter sounds without words are let pass in silence


@dataclass(frozen=True, slots=True)
class Typed:
    """A prompt that was typed."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """A line of the server's own; `hang_up` ends the call after it."""

    turn: int
    text: str
    hang_up: EndReason | None = None


Prompt = Utterance | Typed | Announcement


@dataclass(slots=True)
class VoiceSettings:
    """How one caller is spoken to; changes count from the next phrase on."""

    language: str
    voice: str
    speed: float


@dataclass(frozen=True, slots=True)
class TurnContext:
    """What all turns of one call share."""

    engines: EngineSet
    settings: Settings
    voice: VoiceSettings
    history: History
    faults: Faults
    emit: Callable[[Event], None]
    is_superseded: Callable[[], bool]
    """Whether a newer prompt waits: the words of this turn then join it unanswered."""


@dataclass(slots=True)
class _Times:
    """When each stage was done, on the loop's clock; `origin` is the last voiced sample's."""

    origin: float = 0.0
    silence: float = 0.0
    transcript: float = 0.0
    first_token: float = 0.0
    is_reported: bool = False


@dataclass(slots=True, eq=False)
class Turn:
    """Made for one prompt; `run` it once."""

    prompt: Prompt
    speech: Speech
    context: TurnContext
    hang_up: EndReason | None = None
    is_answering: bool = False
    _text: str = ""
    _times: _Times = field(default_factory=_Times)

    async def run(self) -> None:
        """Returns when everything was played. `EngineError` ends in a spoken apology."""
        try:
            try:
                await self._answer()
            except EngineError as error:
                await self._apologise(error)
            self.speech.finish()
            await self.speech.played_out()
        finally:
            self.context.history.add_assistant(self.speech.heard())

    def first_audio_left(self) -> None:
        """To be called when the first audio leaves: tells where the time went."""
        times = self._times
        if times.origin and not times.is_reported:
            times.is_reported = True
            marks = (times.silence, times.transcript, times.first_token, _now())
            self.context.emit(
                TurnMetrics(
                    self.prompt.turn, *(round((mark - times.origin) * 1000) for mark in marks)
                )
            )

    async def _answer(self) -> None:
        match self.prompt:
            case Announcement(text=text, hang_up=reason):
                self.hang_up = reason
                await self._reply(_tokens_of(text))
            case Typed(text=text):
                self._times = _Times(origin=_now(), silence=_now(), transcript=_now())
                await self._reply_to(text)
            case Utterance():
                await self._answer_speech(self.prompt)

    async def _answer_speech(self, utterance: Utterance) -> None:
        context = self.context
        try:
            final = await recognise(
                utterance,
                context.engines.asr,
                RecognizeRequest(context.settings.asr_language),
                context.settings.timeouts.recognition,
                self._transcribed,
            )
        except EngineError:
            await utterance.ended()  # nobody apologises into the caller's sentence
            raise
        self._times.transcript = _now()
        self._times.silence = utterance.ended_at
        self._times.origin = utterance.ended_at - utterance.silence_ms / 1000
        if final.text:
            await self._reply_to(final.text)
        elif utterance.voiced_ms >= UNDERSTOOD_VOICE_MS and not context.is_superseded():
            await self._reply(_tokens_of(lines(context.voice.language).not_understood))

    async def _reply_to(self, text: str) -> None:
        context = self.context
        context.history.add_user(text)
        if context.is_superseded():
            return
        request = ReplyRequest(
            context.history.messages,
            language=context.voice.language,
            max_tokens=context.settings.llm_max_tokens,
        )
        await self._reply(context.engines.llm.reply(request))

    async def _reply(self, stream: AsyncGenerator[TokenChunk | ToolCall, None]) -> None:
        self.is_answering = True
        tokens: asyncio.Queue[str | None] = asyncio.Queue(TOKENS_WAITING)
        phrases: asyncio.Queue[str | None] = asyncio.Queue(PHRASES_WAITING)
        failure: EngineError | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(stream, tokens))
                tasks.create_task(_cut(tokens, phrases))
                tasks.create_task(self._speak(phrases))
        except* EngineError as group:
            failure = _first(group)
        if failure is not None:
            raise failure

    async def _read(
        self,
        stream: AsyncGenerator[TokenChunk | ToolCall, None],
        tokens: asyncio.Queue[str | None],
    ) -> None:
        timeouts = self.context.settings.timeouts
        limit = timeouts.first_token
        async with aclosing(stream):
            while item := await next_within(stream, limit, "The reply engine"):
                limit = timeouts.next_token
                match item:
                    case ToolCall(name="hang_up"):
                        self.hang_up = "assistant"
                    case ToolCall(name=name):
                        raise EngineError(f"The reply engine asked for an unknown tool: {name}.")
                    case TokenChunk(token=token) if token:
                        self._times.first_token = self._times.first_token or _now()
                        self._say(token)
                        await tokens.put(token)
        self.context.emit(ReplyFinished(self.prompt.turn, self._text))
        await tokens.put(None)

    async def _speak(self, phrases: asyncio.Queue[str | None]) -> None:
        context = self.context
        offset = 0
        while (phrase := await phrases.get()) is not None:
            voice = context.voice
            request = SpeechRequest(phrase, voice.voice, voice.language, voice.speed)
            await speak_phrase(
                phrase,
                offset,
                request,
                context.engines.tts,
                self.speech,
                context.settings.timeouts,
            )
            offset += len(phrase)

    async def _apologise(self, error: EngineError) -> None:
        self.is_answering = True
        turn = self.prompt.turn
        self.context.emit(Failure(error.code, error.message, error.action, turn))
        faults = self.context.faults
        line = faults.get(self.context.voice.language.split("-")[0]) or faults["en"]
        if self._text and not self._text[-1].isspace():
            self._say(" ")
        offset = len(self._text)
        self._say(line.text)
        self.context.emit(ReplyFinished(turn, self._text))
        await speak_rendered(line, offset, self.speech)

    def _say(self, token: str) -> None:
        self._text += token
        self.context.emit(ReplyToken(self.prompt.turn, token))

    def _transcribed(self, chunk: TranscriptChunk) -> None:
        self.context.emit(
            Transcript(
                self.prompt.turn,
                chunk.text,
                chunk.start_ms,
                chunk.end_ms,
                chunk.is_final,
                chunk.confidence,
                chunk.language,
            )
        )


async def _cut(tokens: asyncio.Queue[str | None], phrases: asyncio.Queue[str | None]) -> None:
    cutter = PhraseCutter()
    while True:
        try:
            async with asyncio.timeout_at(cutter.deadline):
                token = await tokens.get()
        except TimeoutError:
            complete = cutter.on_time(_now())
        else:
            if token is None:
                break
            complete = cutter.feed(token, _now())
        for phrase in complete:
            await phrases.put(phrase)
    for phrase in cutter.flush():
        await phrases.put(phrase)
    await phrases.put(None)


async def _tokens_of(text: str) -> AsyncGenerator[TokenChunk | ToolCall, None]:
    if text:
        yield TokenChunk(text, is_final=True)


def _first(group: ExceptionGroup[EngineError]) -> EngineError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


def _now() -> float:
    return asyncio.get_running_loop().time()
