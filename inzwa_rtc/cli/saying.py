"""A text becomes a sound file: what `inzwa-rtc say` does once it is asked."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import click

from inzwa_rtc.audio.container import Format, file_encoder
from inzwa_rtc.cli.bill import Bill
from inzwa_rtc.cli.listening import Listened
from inzwa_rtc.cli.speaking import NamedSynthesizer, speech_engine, told_if_slow
from inzwa_rtc.engines.contracts import SpeechRequest, Synthesizer, Voice, WordTime
from inzwa_rtc.errors import ConfigError, EngineError, PeerError
from inzwa_rtc.language import base_language
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.manner import manner_of
from inzwa_rtc.speech.progress import Progress, Tell, followed
from inzwa_rtc.speech.reading import Manner, Reading
from inzwa_rtc.speech.subtitles import WRITERS, WordsFormat, said

_WRONGLY_ASKED = ("unknown_voice", "unknown_language")


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be written, and where. Without `words` the sound alone."""

    sound: Path
    form: Format
    words: Path | None = None
    words_form: WordsFormat = "json"


@dataclass(frozen=True, slots=True)
class Asked:
    """A text, and how it is to be spoken as far as that was said."""

    text: str
    voice: str | None
    language: str | None
    speed: float
    is_ssml: bool = False
    begins_at: int = 0
    """How many characters are not of the text itself: what comes before SSML's `<speak`."""


async def say_into(target: Target, asked: Asked, settings: Settings) -> None:
    """Raises `ConfigError`, `EngineError`, and `PeerError` for a text with nothing to say; then,
    and when it is cancelled, the files are as they were."""
    manner = await asyncio.to_thread(manner_of, settings.speech)
    manner = replace(manner, rules=replace(manner.rules, ssml=asked.is_ssml))
    bill = Bill(settings.prices)
    try:
        async with speech_engine(settings) as engine:
            request = _request(engine, settings, asked)
            await asyncio.to_thread(_estimate, bill, engine, manner, request)
            speaking = _Speaking(engine, request, manner, settings, bill)
            total_ms = await _said_into(target, asked, speaking)
    except EngineError as error:
        if error.code in _WRONGLY_ASKED:
            raise ConfigError(error.message, action=error.action, code=error.code) from None
        raise
    finally:
        bill.tell()
    click.echo(f"{target.sound}: {total_ms / 1000:.1f} s", err=True)


@dataclass(frozen=True, slots=True)
class _Speaking:
    engine: NamedSynthesizer
    request: SpeechRequest
    manner: Manner
    settings: Settings
    bill: Bill


async def _said_into(target: Target, asked: Asked, speaking: _Speaking) -> int:
    """The length in milliseconds of what was written."""
    request, manner = speaking.request, speaking.manner
    with ExitStack() as stack:
        waiting = stack.enter_context(ExitStack())
        first = speaking.engine.speaker(request.voice, request.language).engine
        waiting.enter_context(told_if_slow(f"Waiting for `{first}` to begin to speak"))

        def count(engine: str, model: str, characters: int) -> None:
            waiting.close()
            speaking.bill.count(engine, model, characters)

        file = stack.enter_context(written(target.sound))
        engine = Listened(speaking.engine, count)
        loudness = await engine.listen(request, manner, speaking.settings)
        tell = stack.enter_context(_bar(target.sound.name))
        async with followed(len(request.text), tell) as follow:
            reading = Reading(engine, replace(manner, loudness=loudness), follow)
            times, total_ms = await _write(reading, request, file, target.form)
            reading.finish()
        if not total_ms:
            raise PeerError(
                "There is nothing to say in this text.",
                action="Give it words; emoji are named with `speech.emoji: name`.",
                code="nothing_to_say",
            )
        if target.words is not None:
            times = [replace(word, offset=word.offset + asked.begins_at) for word in times]
            with written(target.words) as words:
                listed = said(asked.text, times, total_ms)
                words.write(WRITERS[target.words_form](listed).encode())
    return total_ms


def _estimate(bill: Bill, engine: NamedSynthesizer, manner: Manner, request: SpeechRequest) -> None:
    """Read the text once for its price alone, where there is one."""
    first = engine.speaker(request.voice, request.language).engine
    model = engine.model_of(first)
    if bill.has_price(first, model):
        bill.estimate(first, model, Reading(engine, manner).pieces(request))


async def _write(
    reading: Reading, request: SpeechRequest, file: IO[bytes], form: Format
) -> tuple[list[WordTime], int]:
    """The words and the length in milliseconds of what was written."""
    times: list[WordTime] = []
    samples = 0
    with closing(file_encoder(form, reading.sample_rate, file)) as encoding:
        async with aclosing(reading.synthesize(request)) as chunks:
            async for chunk in chunks:
                encoding.feed(chunk.pcm)
                times += chunk.words
                samples += len(chunk.pcm) // 2
        encoding.finish()
    return times, samples * 1000 // reading.sample_rate


def _request(engine: Synthesizer, settings: Settings, asked: Asked) -> SpeechRequest:
    voice, language = _voice(engine, settings, asked)
    return SpeechRequest(asked.text[asked.begins_at :], voice, language, asked.speed)


def _voice(engine: Synthesizer, settings: Settings, asked: Asked) -> tuple[str | None, str]:
    """The voice (None: the engine chooses) and the language to speak in. Raises `ConfigError`."""
    voice, language = asked.voice, asked.language
    by_id = {known.id: known for known in engine.voices}
    if voice is not None and language is None and voice in by_id:
        language = by_id[voice].language
    spoken = language or settings.language
    fitting = [known.id for known in engine.voices if _speaks(known, spoken)]
    if not fitting and language is not None and voice is None:
        known = sorted({one.language for one in engine.voices if one.language})
        raise ConfigError(
            f"No voice speaks `{language}`.",
            action=f"Choose one of: {', '.join(known)}; or name a voice that is near to it.",
            code="unknown_language",
        )
    if voice is not None:
        return voice, spoken
    if settings.tts_voice is not None and settings.tts_voice in fitting:
        return settings.tts_voice, spoken
    return (fitting[0] if fitting else None), spoken


def _speaks(voice: Voice, language: str) -> bool:
    return base_language(voice.language) in (base_language(language), "")


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there once it is whole; until then what was there stays. Raises
    `ConfigError` where it cannot be written."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.", action="Choose another place."
        ) from None
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)  # as files usually are
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _bar(name: str) -> Iterator[Tell]:
    """A progress bar, where a person watches."""
    if not sys.stderr.isatty():
        yield _nobody_watches
        return
    with click.progressbar(
        length=100, label=name, file=sys.stderr, item_show_func=lambda passage: passage
    ) as bar:

        async def tell(progress: Progress) -> None:
            bar.update(int(progress.percentage) - bar.pos, progress.current_text[:40])

        yield tell


async def _nobody_watches(progress: Progress) -> None:
    pass
