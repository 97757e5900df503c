"""The engine `kokoro`: Kokoro 82M as ONNX.

The phonemes are eSpeak NG's, GPL-3. It is loaded only here, in the process that the server starts
for this engine, and it is an optional part of the installation (`inzwa-rtc[kokoro]`).
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated
from weakref import WeakSet

import numpy as np
import numpy.typing as npt
import structlog
from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.engines.contracts import Ability, SpeechChunk, SpeechRequest, Voice, WordTime
from inzwa_rtc.engines.hardware import cpus, described
from inzwa_rtc.engines.tts.clauses import Clause, Span
from inzwa_rtc.engines.tts.espeak.library import ESpeakLibrary
from inzwa_rtc.engines.tts.kokoro.files import model_in, voices_beside
from inzwa_rtc.engines.tts.kokoro.model import SAMPLE_RATE, KokoroModel, Sound
from inzwa_rtc.engines.tts.kokoro.phonemes import Speller, Spelling
from inzwa_rtc.engines.tts.kokoro.units import audible, units
from inzwa_rtc.engines.tts.kokoro.voice_book import Reader, VoiceBook
from inzwa_rtc.engines.tts.kokoro.voices import read_voices
from inzwa_rtc.engines.tts.onnx.runtime import Stop, Stopped, chosen
from inzwa_rtc.engines.tts.onnx.threads import Threads
from inzwa_rtc.engines.tts.stretch import stretched
from inzwa_rtc.errors import EngineError

_log = structlog.get_logger(__name__)

_CHUNK = SAMPLE_RATE // 2  # samples

MixName = Annotated[str, Field(pattern=r"^[\w-]{1,60}$")]


class KokoroOptions(BaseModel):
    """Options under `tts:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Path
    """An `.onnx` file, or a folder with one."""
    voices: Path | None = None
    """The file of voices; None: the one beside the model."""
    voice: str | None = None
    """The default voice, or a mix of voices; None: the file's first."""
    mixes: Mapping[MixName, str] = Field(default_factory=dict)
    """Mixes by names of their own, listed as voices: `{thandi: af_bella*0.7+af_sarah*0.3}`."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$")] = "auto"
    """`cpu`, `cuda`, `cuda:1`; `auto` takes a GPU that ONNX Runtime can use."""
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    """Of one run; 0 is one per processor."""


class Kokoro:
    """Speaks clause by clause, as many requests at once as there are."""

    Options = KokoroOptions
    abilities: tuple[Ability, ...] = ("word times", "mixes voices")
    sample_rate = SAMPLE_RATE

    def __init__(self, options: KokoroOptions) -> None:
        """Load the model. Raises `EngineUnavailable` when it or its voices are broken, or when
        the device asked for is not there."""
        path = model_in(options.model)
        file = read_voices(options.voices or voices_beside(path))
        self._book = VoiceBook(file.styles, options.mixes, options.voice)
        device, threads = chosen(options.device), options.threads or cpus()
        self._model = KokoroModel(path, device, threads, next(iter(file.styles.values()))[0])
        self._library = ESpeakLibrary()
        self._speller = Speller(self._library, self._model.vocabulary)
        if not self._model.tells_times:
            self.abilities = ("mixes voices",)
        if self._model.has_whole_speeds:
            _log.warning("tts.speeds_are_whole", model=path.name)
        made_of = (self._model.digest, file.digest, options.mixes, options.voice)
        self.fingerprint = hashlib.sha256(
            f"{made_of} {version('espeakng-loader')}".encode()
        ).hexdigest()
        self.details = {
            **described(device, path, path),
            "threads": str(threads),
            "languages": ", ".join(dict.fromkeys(voice.language for voice in self.voices)),
            "pace": "stretched" if self._model.has_whole_speeds else "the model's",
        }
        self._threads = Threads("kokoro")
        self._stops: WeakSet[Stop] = WeakSet()

    @property
    def voices(self) -> Sequence[Voice]:
        """All voices that can be read here, the default one first."""
        return self._book.voices

    def close(self) -> None:
        """Break off what is under way, and free the model."""
        for stop in list(self._stops):
            stop.set()
        self._threads.close()
        self._model.close()
        self._library.close()

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield audio clause by clause, with the words that start in it.

        Text without anything to speak yields nothing.
        """
        reader = self._book.reader(request.voice, request.language)
        own = self._model.nearest(request.speed)
        speech = stretched(self._units(request.text, reader, own), SAMPLE_RATE, request.speed / own)
        async with aclosing(speech) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _units(
        self, text: str, reader: Reader, speed: float
    ) -> AsyncGenerator[SpeechChunk, None]:
        stop = Stop()
        self._stops.add(stop)
        samples = 0
        try:
            for unit in units(text):
                spellings = self._speller.spell(unit.text, reader.language, stop)
                while spelling := await self._threads.run(partial(next, spellings, None)):
                    style = reader.style[min(len(spelling.ids), len(reader.style)) - 1]
                    run = partial(self._model.speak, spelling.ids, style, speed, stop)
                    for chunk in _chunks(await self._threads.run(run), spelling, unit, samples):
                        samples += len(chunk.pcm) // 2
                        yield chunk
        except Stopped:
            raise EngineError("The voice was closed while it had text to speak.") from None
        finally:
            stop.set()


def _chunks(sound: Sound, spelling: Spelling, unit: Clause, begun: int) -> Iterator[SpeechChunk]:
    """One run's sound in pieces; `begun` counts the samples before it."""
    kept = audible(sound.samples, SAMPLE_RATE)
    samples = sound.samples[kept]
    words = deque(_words(sound, spelling, unit, kept.start, len(samples)))
    for start in range(0, len(samples), _CHUNK):
        piece = samples[start : start + _CHUNK]
        starting = []
        while words and words[0][0] < start + len(piece):
            sample, span = words.popleft()
            starting.append(
                WordTime(span.start, span.end - span.start, (begun + sample) * 1000 // SAMPLE_RATE)
            )
        yield SpeechChunk(_pcm(piece), tuple(starting))


def _words(
    sound: Sound, spelling: Spelling, unit: Clause, cut: int, length: int
) -> Iterator[tuple[int, Span]]:
    """For each word its first sample, and its place in the request's text."""
    if sound.begins is None:
        return
    for place, span in spelling.words:
        sample = int(sound.begins[place]) - cut
        yield (
            min(max(sample, 0), length - 1),
            Span(unit.offset + span.start, unit.offset + span.end),
        )


def _pcm(samples: npt.NDArray[np.float32]) -> bytes:
    return (np.clip(np.nan_to_num(samples), -1, 1) * 32767).astype("<i2").tobytes()
