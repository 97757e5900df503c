"""eSpeak NG: a small formant synthesizer that speaks at once and needs no download.

The library is GPL-3. It is loaded only here, in the process that the server
starts for this engine, and it is an optional part of the installation
(`inzwa-rtc[embedded]`).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from importlib.metadata import version
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.engines.contracts import Ability, SpeechChunk, SpeechRequest, Voice, WordTime
from inzwa_rtc.engines.tts.clauses import (
    Clause,
    Said,
    as_written,
    clauses,
    digits_apart,
    word_spans,
)
from inzwa_rtc.engines.tts.espeak.data import rules_digest
from inzwa_rtc.engines.tts.espeak.library import ESpeakLibrary, WordMark
from inzwa_rtc.engines.tts.espeak.voices import VOICES, VoiceFile
from inzwa_rtc.errors import EngineError
from inzwa_rtc.language import base_language

_NORMAL_WPM = 175  # eSpeak's own default pace
_SLOWEST_WPM = 80  # it speaks no slower: what is asked for below speed 0.46 is stretched
_TAIL_MS = 150  # after the last sentence; eSpeak's own 300 ms would drag between phrases


class ESpeakOptions(BaseModel):
    """Options under `tts:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    voice: str = "en-gb"
    """The default voice: one of the ids that `voices` lists."""
    clause_chars: Annotated[int, Field(ge=20, le=1000)] = 160
    """The longest stretch of text that one caller may have synthesized before others have
    their turn. It bounds the memory that a request takes, however long its text is."""


class ESpeak:
    """Speaks text in clauses, one caller's clause at a time.

    Clauses of all callers queue for the one library in the order in which they
    are asked for, so a long text never keeps a short one waiting for more than
    a clause. A request's next clause is asked for when its last was consumed.
    """

    Options = ESpeakOptions
    abilities: tuple[Ability, ...] = ("word times", "streams")

    def __init__(self, options: ESpeakOptions) -> None:
        default = _known(options.voice)
        self._clause_chars = options.clause_chars
        self._voices = sorted(
            (file.voice for file in VOICES.values()), key=lambda voice: voice.id != default.voice.id
        )
        self._library = ESpeakLibrary()
        self.details = {
            "model": "eSpeak NG",
            "device": "cpu",
            "threads": "1",
            "languages": ", ".join(dict.fromkeys(voice.language for voice in self._voices)),
        }
        # One thread: its queue is the fair order of clauses, at most one per running request.
        self._speaker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="espeak")

    @property
    def sample_rate(self) -> int:
        """22,050 Hz."""
        return self._library.sample_rate

    @property
    def fingerprint(self) -> str:
        """The library's release, whose voices come with it, and the content of our own rules."""
        return f"espeak-ng {version('espeakng-loader')}, sn {rules_digest()}"

    @property
    def voices(self) -> Sequence[Voice]:
        """All voices, the default one first."""
        return self._voices

    def close(self) -> None:
        """Free the library; a clause that is being synthesized is waited for."""
        self._speaker.shutdown(wait=True, cancel_futures=True)
        self._library.close()

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield audio as it is made, with the words that start in it.

        Text without anything to speak yields nothing.
        """
        wpm = _NORMAL_WPM * request.speed
        speech = self._clauses(request, max(_SLOWEST_WPM, round(wpm)))
        if wpm < _SLOWEST_WPM:
            # Imported late: few callers want it, and it takes its share of memory.
            from inzwa_rtc.engines.tts.stretch import stretched

            speech = stretched(speech, self.sample_rate, wpm / _SLOWEST_WPM)
        async with aclosing(speech) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _clauses(
        self, request: SpeechRequest, rate_wpm: int
    ) -> AsyncGenerator[SpeechChunk, None]:
        file = self._file_for(request)
        samples = 0
        clause = None
        for clause in clauses(request.text, self._clause_chars):
            is_last = clause.offset + len(clause.text) == len(request.text)
            said = as_written(clause) if file.reads_numbers else digits_apart(clause)
            utterance = _Utterance(clause, said, samples, self.sample_rate)
            async with aclosing(
                self._speak(utterance, file, rate_wpm, clause.ends_in_pause and not is_last)
            ) as chunks:
                async for chunk in chunks:
                    yield chunk
            samples += utterance.samples
        if samples and clause and clause.ends_in_pause:
            yield SpeechChunk(bytes(2 * (self.sample_rate * _TAIL_MS // 1000)))

    async def _speak(
        self, utterance: _Utterance, file: VoiceFile, rate_wpm: int, end_pause: bool
    ) -> AsyncGenerator[SpeechChunk, None]:
        loop = asyncio.get_running_loop()
        # Holds one clause's audio at most: the next is asked for when this one is consumed.
        made: asyncio.Queue[SpeechChunk | None] = asyncio.Queue()
        stopped = threading.Event()

        def receive(pcm: bytes, marks: list[WordMark]) -> bool:
            for chunk in utterance.take(pcm, marks):
                loop.call_soon_threadsafe(made.put_nowait, chunk)
            return not stopped.is_set()

        def work() -> None:
            if not stopped.is_set():
                self._library.speak(
                    utterance.said, file.path, rate_wpm, receive, end_pause=end_pause
                )

        speaking = loop.run_in_executor(self._speaker, work)
        speaking.add_done_callback(lambda _: made.put_nowait(None))
        try:
            while (chunk := await made.get()) is not None:
                yield chunk
            await speaking
        finally:
            # The callback sees it within one buffer, a fraction of a millisecond of work.
            stopped.set()
            speaking.cancel()

    def _file_for(self, request: SpeechRequest) -> VoiceFile:
        if request.voice is not None:
            return _known(request.voice)
        wanted = base_language(request.language)
        speakers = [voice for voice in self._voices if base_language(voice.language) == wanted]
        return VOICES[(speakers or self._voices)[0].id]


class _Utterance:
    """One clause on its way from marks in its own text to words of the whole request."""

    def __init__(self, clause: Clause, said: Said, first_sample: int, sample_rate: int) -> None:
        self.said = said.text
        self.samples = 0
        self._clause = clause
        self._places = said.places
        self._first_sample = first_sample
        self._sample_rate = sample_rate
        self._ahead = word_spans(clause.text)
        self._held: list[bytes] = []
        self._speaks = False

    def take(self, pcm: bytes, marks: list[WordMark]) -> Iterator[SpeechChunk]:
        """Yield what came, once the first word did: a clause without words stays silent."""
        begin = self.samples + sum(map(len, self._held)) // 2
        words = tuple(
            word for mark in marks for word in self._words(mark, begin, begin + len(pcm) // 2)
        )
        self._held.append(pcm)
        self._speaks = self._speaks or bool(marks)
        audio = b"".join(self._held)
        if self._speaks and (audio or words):
            self._held.clear()
            self.samples += len(audio) // 2
            yield SpeechChunk(audio, words)

    def _words(self, mark: WordMark, begin: int, end: int) -> Iterator[WordTime]:
        """The word that holds the marked character, once.

        A number or an emoji is several spoken words and brings several marks;
        some of them lie behind its end. At high speeds eSpeak's sample counts
        run ahead of the audio, so they are held to the chunk they came with.
        """
        index = self._places[min(mark.index, len(self._places) - 1)]
        if self._ahead and index >= self._ahead[0].start:
            passed = [span for span in self._ahead if span.start <= index]
            span = passed[-1]
            del self._ahead[: len(passed)]
            sample = self._first_sample + min(max(mark.sample, begin), end)
            yield WordTime(
                self._clause.offset + span.start,
                span.end - span.start,
                sample * 1000 // self._sample_rate,
            )


def _known(voice: str) -> VoiceFile:
    if voice not in VOICES:
        raise EngineError(
            "eSpeak has no voice of that name.",
            action=f"Choose one of: {', '.join(VOICES)}.",
            code="unknown_voice",
        )
    return VOICES[voice]
