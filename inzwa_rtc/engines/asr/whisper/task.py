"""What all engines that run Whisper share: their options, what they ask of the model with each
stretch of audio, and when they do not believe its answer.

The libraries pad every utterance with zeros to Whisper's 30 s and encode them all, which is
most of the work on a CPU. All of them take less: 15 s are encoded 3.7 to 6 times, 5 s 14 to 27
times as fast. Models were trained on 30 s, though, and may loop or drop words on much less. So
the window is never shorter than the operator allows, and a final transcript that looks wrong is
made once more in the stock window.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import ConfigDict, Field

from inzwa_rtc.engines.asr.decoding import Decoded, Stretch
from inzwa_rtc.engines.asr.hotwords import HotwordOptions, Hotwords
from inzwa_rtc.engines.asr.prompt import prompt_of
from inzwa_rtc.engines.asr.stoppable import Stoppable, StoppableWorkers, Wanted
from inzwa_rtc.engines.asr.windows import Streaming, in_windows
from inzwa_rtc.engines.contracts import (
    ASR_SAMPLE_RATE,
    Ability,
    HeardWord,
    RecognizeRequest,
    TranscriptChunk,
)
from inzwa_rtc.errors import EngineError

STOCK_WINDOW_S = 30.0
FRAMES_PER_S = 100
NO_SPEECH = 0.6  # probability, as Whisper's own decoder has it,
UNLIKELY = -1.0  # and mean log probability of a token,
REPETITIVE = 2.4  # and compression ratio of the text

ABILITIES: tuple[Ability, ...] = (
    "partials",
    "word times",
    "detects language",
    "translates",
    "hotwords",
)
"""Of every engine that runs Whisper."""

_MARGIN_S = 1.0  # of silence after the utterance, by which a model knows that it has ended
_TOKENS_PER_S = 20  # more than any speech has, also where a letter takes two: the rest is a loop
_SAME_LANGUAGE = {"cmn": "zh", "fil": "tl", "jv": "jw", "nb": "no"}  # as Whisper calls them
_ITS_OWN_NAMES = {"jw": "jv"}  # in the other direction


class WhisperOptions(HotwordOptions):
    """Options under `asr:` that every engine with a Whisper model has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu_model: Path | None = None
    """A smaller model, for a machine without a GPU: taken instead of `model` where `device` is
    `auto` and there is no GPU that works. Both have to be there."""
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    """Threads of one decoding on the CPU; 0 for a worker's share of the processors."""
    beam_size: Annotated[int, Field(ge=1, le=8)] = 1
    """Beams of the final decoding. 5 hears slightly better and takes much longer."""
    window_s: Annotated[float, Field(ge=2, le=STOCK_WINDOW_S)] = 15.0
    """The shortest window that is encoded. 30 is stock Whisper; 5 is the quickest, and needs a
    model that bears it (fine-tuned on short utterances): measure yours."""
    partial_ms: Annotated[int, Field(ge=0, le=10_000)] = 600
    """New audio before the next partial transcript; 0 for none."""
    word_times: bool = True
    """Whether final transcripts have the times of their words; costs a little more."""
    prompt: str | None = None
    """Text that the model is to believe was said before; its style and spelling rub off."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of the model with every stretch of one utterance."""

    language: str | None
    """As Whisper calls it; None to detect it."""
    translate: bool = False
    expected: tuple[str, ...] = ()
    before: str = ""

    def prompt(self, context: str, count: Callable[[str], int]) -> str:
        """What the model is to take for said before: the words to expect, the operator's text
        and the utterance's own, as much of them as fits. `count` tells the tokens of a text."""
        return prompt_of(self.expected, f"{self.before} {context}", count)

    def written(self, spoken: str) -> str:
        """The language (BCP 47) of the text for a language spoken, as Whisper calls that."""
        return "en" if self.translate else _ITS_OWN_NAMES.get(spoken, spoken)


def task_of(
    request: RecognizeRequest, options: WhisperOptions, hotwords: Hotwords, known: Collection[str]
) -> Task:
    """Raises `EngineError` for what a model that knows these languages cannot do."""
    is_english_only = list(known) == ["en"]
    if request.translate and is_english_only:
        raise EngineError(
            "This Whisper model knows English only: it cannot translate.",
            action="Set `asr_model` to a multilingual one, without `.en` in its name.",
            code="cannot_translate",
        )
    language = "en" if is_english_only else None
    if request.language is not None:
        primary = request.language.split("-")[0].lower()
        language = _SAME_LANGUAGE.get(primary, primary)
        if language not in known:
            raise EngineError(
                f"This Whisper model does not know the language `{request.language}`.",
                action="Use a multilingual model, or leave `asr_language` empty to detect it.",
                code="unknown_language",
            )
    expected = hotwords.of(request.language or language)
    return Task(language, request.translate, expected, options.prompt or "")


def abilities_of(options: WhisperOptions, languages: Collection[str]) -> tuple[Ability, ...]:
    """What an engine can do with these options and a model that knows these languages."""
    lacking: set[Ability] = set()
    if not options.partial_ms:
        lacking.add("partials")
    if not options.word_times:
        lacking.add("word times")
    if list(languages) == ["en"]:
        lacking |= {"detects language", "translates"}
    return tuple(ability for ability in ABILITIES if ability not in lacking)


def describe(languages: Collection[str]) -> str:
    """The languages of a model, for people."""
    return "en" if list(languages) == ["en"] else f"{len(languages)}, English among them"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a model wrote for a stretch. Without a text it heard nothing, or was stopped."""

    text: str = ""
    language: str = ""
    likelihood: float = 0.0
    """Mean log probability of a token."""
    words: tuple[HeardWord, ...] = ()
    no_speech: float = 0.0
    """Probability."""
    has_ended: bool = True
    """Whether the model came to an end by itself."""

    @property
    def is_silence(self) -> bool:
        """Whether the model made the text up."""
        return self.no_speech > NO_SPEECH and self.likelihood < UNLIKELY

    @property
    def is_repetitive(self) -> bool:
        """Whether the text says the same over and over."""
        data = self.text.encode()
        return len(data) > REPETITIVE * len(zlib.compress(data))

    @property
    def is_doubtful(self) -> bool:
        """Whether the model seems to have lost its way."""
        # Not a number is not likely either.
        return self.is_repetitive or not self.likelihood >= UNLIKELY

    def decoded(self) -> Decoded:
        """The transcript, empty for silence and for a loop."""
        if not self.text or self.is_silence or (self.is_repetitive and not self.has_ended):
            return Decoded("", self.language, 0.0)
        return Decoded(self.text, self.language, _unit(math.exp(self.likelihood)), self.words)


Attempting: TypeAlias = Callable[[Stretch, float, Wanted], Attempt]
"""Has the model write what it hears in a stretch, in a window of at least so many seconds."""


async def recognized(
    audio: AsyncIterator[bytes],
    attempt: Attempting,
    workers: StoppableWorkers,
    options: WhisperOptions,
) -> AsyncGenerator[TranscriptChunk, None]:
    """`Recognizer.recognize` for an engine that makes attempts."""

    def decode(stretch: Stretch) -> Stoppable:
        return partial(_believed, partial(attempt, stretch), stretch, options.window_s)

    streaming = Streaming(partial_ms=options.partial_ms)
    async with aclosing(in_windows(audio, decode, workers, streaming)) as chunks:
        async for chunk in chunks:
            yield chunk


def frames_of(samples: int, window_s: float) -> int:
    """How many frames to encode for so much audio: an even number, at most 3,000."""
    seconds = max(window_s, samples / ASR_SAMPLE_RATE + _MARGIN_S)
    return 2 * math.ceil(min(seconds, STOCK_WINDOW_S) * FRAMES_PER_S / 2)


def token_limit(samples: int) -> int:
    """How many tokens a model may write for so much audio."""
    return min(220, 16 + _TOKENS_PER_S * samples // ASR_SAMPLE_RATE)


def heard_word(text: str, start_s: float, end_s: float, probability: float) -> HeardWord:
    """A word with its times in whole milliseconds, whatever types the library gives."""
    start_ms = max(0, round(float(start_s) * 1000))
    end_ms = max(start_ms, round(float(end_s) * 1000))
    return HeardWord("".join(text.split()), start_ms, end_ms, _unit(probability))


def _believed(
    attempt: Callable[[float, Wanted], Attempt],
    stretch: Stretch,
    window_s: float,
    is_wanted: Wanted,
) -> Decoded:
    found = attempt(window_s, is_wanted)
    is_lost = found.is_doubtful and not found.is_silence
    if is_lost and stretch.is_final and window_s < STOCK_WINDOW_S and is_wanted():
        # What a short window did to it, the window that it was trained on undoes.
        stock = attempt(STOCK_WINDOW_S, is_wanted)
        if found.is_repetitive or not stock.is_repetitive:
            found = stock
    return found.decoded()


def _unit(probability: float) -> float:
    value = float(probability)
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
