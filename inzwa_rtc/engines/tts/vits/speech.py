"""Speaking with a VITS model: what the engines `vits` and `piper` have in common.

A text is taken sentence by sentence. Of each, the encoder makes latent frames at once, which
takes a small part of the work; then the decoder turns them into sound window by window, the next
when the last was consumed. A model that cannot be divided is run clause by clause instead.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated
from weakref import WeakSet

import numpy as np
import structlog
from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.engines.contracts import Ability, SpeechChunk, SpeechRequest, Voice, WordTime
from inzwa_rtc.engines.hardware import cpus, described
from inzwa_rtc.engines.tts.clauses import Clause, clauses
from inzwa_rtc.engines.tts.onnx.runtime import Stop, Stopped, chosen
from inzwa_rtc.engines.tts.onnx.threads import Threads
from inzwa_rtc.engines.tts.stretch import stretched
from inzwa_rtc.engines.tts.vits.files import Described, licence_of, numbered, wrong
from inzwa_rtc.engines.tts.vits.model import Encoded, Manner, Samples, VitsModel
from inzwa_rtc.engines.tts.vits.symbols import Spelling
from inzwa_rtc.errors import ConfigError, EngineError
from inzwa_rtc.language import base_language

_log = structlog.get_logger(__name__)

_LONGEST_CHARS = 300  # of a sentence read at once; what it becomes is bounded by `MOST_IDS`
_NAMED = 20  # voices in a message
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n+\s*")
_CLAUSE = re.compile(r"(?<=[.!?…,;:–—])[\"'”’)\]]*\s+|\n+\s*")

Scale = Annotated[float, Field(ge=0, le=2)]


class VoiceOptions(BaseModel):
    """Options that all VITS voices have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Path
    """An `.onnx` file with what describes it beside it, or a folder with both."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$")] = "auto"
    """`cpu`, `cuda`, `cuda:1`; `auto` takes a GPU that ONNX Runtime can use."""
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    """Of one run; 0 is one per processor."""
    speaker: str | None = None
    """The default speaker of a model that has several; None: the model's own."""
    length_scale: Annotated[float, Field(gt=0, le=10)] | None = None
    """Above 1 slower; None: as the model's files say."""
    noise_scale: Scale | None = None
    """Chance in the sound; None: as the model's files say."""
    noise_w: Scale | None = None
    """Chance in the lengths of sounds; None: as the model's files say."""


class VitsVoice:
    """Speaks with one model, as many requests at once as there are."""

    abilities: tuple[Ability, ...] = ("word times", "streams")

    def __init__(
        self, options: VoiceOptions, path: Path, told: Described, language: str = ""
    ) -> None:
        """`told` is what the files beside the model at `path` tell, `language` what is told in
        its stead. Raises `EngineUnavailable` where they do not fit the model."""
        device = chosen(options.device)
        threads = options.threads or cpus()
        self._told = told
        self._manner = Manner(
            told.noise if options.noise_scale is None else options.noise_scale,
            options.length_scale or told.length,
            told.noise_w if options.noise_w is None else options.noise_w,
        )
        self._model = VitsModel(path, device, threads)
        _check(path, told, self._model)
        self.sample_rate = told.sample_rate
        self._language = language or told.language
        named = told.speakers or numbered({}, self._model.speakers)
        self._speakers = dict(named) if self._model.speakers > 1 else {_name(path): 0}
        self.voices = _voices(self._speakers, options.speaker, self._language, licence_of(path))
        self.abilities = (
            *(("word times",) if self._model.tells_durations else ()),
            *(() if self._model.undivided else ("streams",)),
        )
        self.fingerprint = _fingerprint(self._model.digest, self._manner, told)
        self.details = {
            **described(device, path, path),
            "threads": str(threads),
            "languages": ", ".join(told.languages) or self._language or "unknown",
            "sound": "in windows",
            "pace": "the model's" if self._model.has_pace else "stretched",
        }
        if self._model.undivided:
            self.details["sound"] = f"clause by clause: {self._model.undivided}"
            _log.warning("tts.model_not_divided", model=path.name, reason=self._model.undivided)
        self._threads = Threads("vits")
        self._stops: WeakSet[Stop] = WeakSet()

    def close(self) -> None:
        """Break off what is under way, and free the model."""
        for stop in list(self._stops):
            stop.set()
        self._threads.close()
        self._model.close()

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield audio as it is made, with the words that start in it.

        Text without anything to speak yields nothing. Raises `EngineError` for a voice, and for
        a language of a model with several, that it does not have.
        """
        paced = self._manner.length / request.speed
        tempo = 1.0 if self._model.has_pace else self._told.length / paced
        manner = replace(
            self._manner,
            length=paced,
            speaker=self._speakers[self._voice(request.voice)],
            language=self._language_id(request.language),
        )
        speech = stretched(self._sentences(request.text, manner), self.sample_rate, tempo)
        async with aclosing(speech) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _sentences(self, text: str, manner: Manner) -> AsyncGenerator[SpeechChunk, None]:
        stop = Stop()
        self._stops.add(stop)
        samples = 0
        try:
            for unit in _units(text, _CLAUSE if self._model.undivided else _SENTENCE):
                async with aclosing(self._speak(unit, manner, samples, stop)) as chunks:
                    async for chunk in chunks:
                        samples += len(chunk.pcm) // 2
                        yield chunk
        except Stopped:
            raise EngineError("The voice was closed while it had text to speak.") from None
        finally:
            stop.set()

    async def _speak(
        self, unit: Clause, manner: Manner, begun: int, stop: Stop
    ) -> AsyncGenerator[SpeechChunk, None]:
        """A sentence; `begun` counts the samples before it."""
        for spelling in await self._threads.run(partial(self._told.speller.spell, unit.text, stop)):
            encoded = await self._threads.run(
                partial(self._model.encode, spelling.ids, manner, stop)
            )
            total = encoded.frames * (self._model.hop or 1)
            words = deque(_words(spelling, encoded, unit, total))
            sounds = self._model.sound(encoded, self.sample_rate, stop)
            made = 0
            while (sound := await self._threads.run(partial(next, sounds, None))) is not None:
                made += len(sound)
                starting = []
                while words and words[0][0] < made:
                    sample, offset, length = words.popleft()
                    start_ms = (begun + sample) * 1000 // self.sample_rate
                    starting.append(WordTime(offset, length, start_ms))
                yield SpeechChunk(_pcm(sound), tuple(starting))
            begun += made

    def _voice(self, asked: str | None) -> str:
        if asked is None:
            return self.voices[0].id
        if asked not in self._speakers:
            raise EngineError(
                "The model has no voice of that name.",
                action=f"Choose one of: {_some(self._speakers, self.voices[0].id)}.",
                code="unknown_voice",
            )
        return asked

    def _language_id(self, asked: str) -> int:
        known = self._told.languages
        if not known:
            return 0  # it reads any text in its own
        for same in (str.lower, base_language):
            for name, number in known.items():
                if same(name) == same(asked):
                    return number
        raise EngineError(
            "The model does not speak that language.",
            action=f"Choose one of: {_some(known, next(iter(known)))}.",
            code="unknown_language",
        )


def _check(path: Path, told: Described, model: VitsModel) -> None:
    if model.symbols is not None and told.speller.largest_id >= model.symbols:
        raise wrong(
            path,
            f"its files have symbols up to number {told.speller.largest_id}, the model knows "
            f"{model.symbols}: they are of another voice",
        )
    if told.hop and model.hop and told.hop != model.hop:
        raise wrong(
            path, f"its files tell of frames of {told.hop} samples, the model's have {model.hop}"
        )
    for what, names, count in (
        ("speakers", told.speakers, model.speakers),
        ("languages", told.languages, model.languages),
    ):
        if names and max(names.values()) >= count:
            raise wrong(path, f"its files name more {what} than the {count} that the model has")


def _voices(
    speakers: Mapping[str, int], default: str | None, language: str, licence: str
) -> list[Voice]:
    if default is not None and default not in speakers:
        raise ConfigError(
            f"The model has no speaker `{default[:60]}`.",
            action=f"Set `tts.speaker` to one of: {_some(speakers, next(iter(speakers)))}.",
        )
    voices = [Voice(name, name, language, licence=licence) for name in speakers]
    return sorted(voices, key=lambda voice: voice.id != default) if default else voices


def _name(path: Path) -> str:
    """Of a voice: its file's, or its folder's where each file is called alike."""
    return path.resolve().parent.name if path.stem == "model" else path.stem


def _some(names: Iterable[str], first: str) -> str:
    """Names to choose from; there may be hundreds."""
    others = [name for name in names if name != first]
    more = ["..."] if len(others) > _NAMED else []
    return ", ".join([first, *others[:_NAMED], *more])


def _units(text: str, end: re.Pattern[str]) -> Iterator[Clause]:
    """The text in order, cut at each `end`, and where it is too long between two."""
    start = 0
    for place in [*(match.end() for match in end.finditer(text)), len(text)]:
        for one in clauses(text[start:place], _LONGEST_CHARS):
            yield Clause(one.text, start + one.offset)
        start = place


def _words(
    spelling: Spelling, encoded: Encoded, unit: Clause, total: int
) -> Iterator[tuple[int, int, int]]:
    """For each word its first sample, and its offset and length in the request's text."""
    if encoded.durations is None or not total:
        return
    ends = np.cumsum(encoded.durations.astype(np.float64))
    for word in spelling.words:
        before = ends[word.id_index - 1] if word.id_index else 0.0
        sample = min(total - 1, int(before / max(ends[-1], 1.0) * total))
        yield sample, unit.offset + word.span.start, word.span.end - word.span.start


def _pcm(sound: Samples) -> bytes:
    return (np.clip(np.nan_to_num(sound), -1, 1) * 32767).astype("<i2").tobytes()


def _fingerprint(digest: str, manner: Manner, told: Described) -> str:
    # A name that has another number is another's voice.
    names = (dict(told.speakers), dict(told.languages))
    made_of = (digest, manner, told.sample_rate, told.speller.identity, names)
    return hashlib.sha256(repr(made_of).encode()).hexdigest()
