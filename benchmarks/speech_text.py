"""What it costs to read a text: its normalisation, and the memory that a long one takes."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

import psutil

from benchmarks.engine_processes import engine
from benchmarks.rounds import Rounds
from inzwa_rtc.engines.client import SynthesizerClient
from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.supervised import supervised
from inzwa_rtc.settings.speech import SpeechSettings
from inzwa_rtc.speech.manner import manner_of
from inzwa_rtc.speech.reading import Reading
from inzwa_rtc.speech.text.reader import TextReader

LONG = 50_000
_LIMIT = 300
_MIB = 2**20

_TEXTS = {
    "en": "On 3 March 2024 at 14:05 the river rose by 1.5 m, and Dr. Moyo paid $19.50 for 26 km. "
    "Nobody had listened to the reeds; the wind answered them slowly, as it always does. ",
    "sn": "Musi wa3 Kurume 2024 vanhu 10 vakaenda kumusika ne$4, uye mvura yakanaya kwazvo. "
    "Hapana akateerera shanga; mhepo yakadzipindura zvishoma nezvishoma. ",
    "de": "Am 3. März 2024 um 14:05 stieg der Fluss um 1,5 m, und Frau Moyo zahlte 19,50 €. "
    "Niemand hörte dem Schilf zu; der Wind antwortete ihm langsam, wie immer. ",
}


def normalised(rounds: int) -> Rounds:
    """How long it takes to make words of a text, for 1,000 characters of it."""
    table = Rounds("Texts, 1,000 characters", {"normalised in": "ms", "first piece after": "ms"})
    for number in range(rounds + 1):
        for language, text in _TEXTS.items():
            whole = text * (1000 // len(text) + 1)
            began, first = time.perf_counter(), 0.0
            for _ in TextReader(language).read(whole[:1000], _LIMIT):
                first = first or time.perf_counter() - began
            took = time.perf_counter() - began
            if number:  # the first one loads what the language needs
                table.add(
                    language, {"normalised in": 1000 * took, "first piece after": 1000 * first}
                )
    return table


async def long_text() -> Rounds:
    """What the reader's process and the engine's grow by while one text is read, the sound being
    taken as it comes and dropped."""
    table = Rounds(
        f"A text of {LONG:,} characters through eSpeak",
        {"reader grows by": "MiB", "engine grows by": "MiB", "sound": "s", "took": "s"},
    )
    process = engine("tts", "espeak", {})
    text = (_TEXTS["en"] * (LONG // len(_TEXTS["en"]) + 1))[:LONG]
    async with supervised([process]):
        synthesizer = SynthesizerClient(process)
        manner = manner_of(SpeechSettings())
        here, there = psutil.Process(), psutil.Process(process.pid)
        for part in (text[:2000], text):
            before = [one.memory_info().rss for one in (here, there)]
            most, samples, began = list(before), 0, time.perf_counter()
            reading = Reading(synthesizer, manner)
            async with aclosing(reading.synthesize(SpeechRequest(part))) as chunks:
                async for chunk in chunks:
                    samples += len(chunk.pcm) // 2
                    now = [one.memory_info().rss for one in (here, there)]
                    most = [max(pair) for pair in zip(most, now, strict=True)]
            if part is text:  # what came before it has loaded all that is loaded late
                grown = [(after - b) / _MIB for after, b in zip(most, before, strict=True)]
                table.add(
                    "espeak",
                    {
                        "reader grows by": grown[0],
                        "engine grows by": grown[1],
                        "sound": samples / synthesizer.sample_rate,
                        "took": time.perf_counter() - began,
                    },
                )
            await asyncio.sleep(0)
    return table
