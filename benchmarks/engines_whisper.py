"""Whisper: how long after the end of an utterance its transcript is there, and at what cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine_processes import all_running, cpu_ms, engine, memory, own_engine, settled
from benchmarks.random_models import (
    HOTWORD_TOKENS,
    TOKENS,
    hotwords,
    whisper_ct2_int8,
    whisper_ggml_f16,
)
from benchmarks.rounds import Rounds
from inzwa_rtc.engines.client import RecognizerClient
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, RecognizeRequest
from inzwa_rtc.engines.process import EngineProcess

SPEECH_S = 4.0
SILENCE_S = 0.5  # the server's turn.silence_ms, which a call's recogniser hears as well
PIECE_S = 0.02
SIZES = ("tiny", "base", "small")

STOCK, SAFE, FITTED = "stock library, 30 s", "15 s (default)", "5 s"
TARGETS = {("base", SAFE): 400, ("base", FITTED): 250}
TARGETS |= {("small", SAFE): 1500, ("small", FITTED): 750}

# What every model here takes for speech: noise, without a pause.
_SPEECH = (np.random.default_rng(0).normal(0, 0.1, int(SPEECH_S * ASR_SAMPLE_RATE)) * 32767).astype(
    "<i2"
)
_SILENCE = np.zeros(int(SILENCE_S * ASR_SAMPLE_RATE), "<i2")
_WAIT, _COST = "end of the turn to the transcript", "CPU per second of speech"
_PARTIALS = "partials"
_REQUEST = RecognizeRequest("en")


@dataclass(frozen=True, slots=True)
class Way:
    """One way of recognising: an engine and its options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    engine: str = "faster-whisper"


BARE = {"word_times": False, "partial_ms": 0}
WAYS = (
    Way(STOCK, engine="stock"),
    Way("30 s", {**BARE, "window_s": 30}),
    Way(SAFE, {**BARE, "window_s": 15}),
    Way("8 s", {**BARE, "window_s": 8}),
    Way(FITTED, {**BARE, "window_s": 5}),
    Way("15 s, word times", {**BARE, "window_s": 15, "word_times": True}),
    *(
        Way(f"15 s, hotwords of {tokens} tokens", {**BARE, "hotwords": hotwords(tokens)})
        for tokens in HOTWORD_TOKENS[1:]
    ),
    Way("whisper.cpp f16, 15 s", {**BARE, "window_s": 15}, "whisper.cpp"),
    Way("whisper.cpp f16, 5 s", {**BARE, "window_s": 5}, "whisper.cpp"),
)
NO_PARTIALS = ", no partials"
IN_A_CALL = (
    Way("15 s", {"window_s": 15}),
    Way(f"15 s{NO_PARTIALS}", {"window_s": 15, "partial_ms": 0}),
    Way("5 s", {"window_s": 5}),
    Way(f"5 s{NO_PARTIALS}", {"window_s": 5, "partial_ms": 0}),
)


async def measure(folder: Path, size: str, rounds: int) -> list[Rounds]:
    """All ways with one size of model."""
    return [
        await _after_the_end(folder, size, rounds),
        await _in_a_call(folder, size, max(1, rounds // 2)),
    ]


async def _after_the_end(folder: Path, size: str, rounds: int) -> Rounds:
    table = Rounds(
        f"Whisper {size}: end of the audio to the transcript ({SPEECH_S:g} s, {TOKENS} tokens)",
        {"wall": "ms", "CPU": "ms", "memory at rest": "MiB", "memory at last": "MiB"},
        baseline=STOCK,
        compared=("wall", "CPU"),
    )
    for (of, way), target in TARGETS.items():
        if of == size:
            table.aim(way, "wall", target)
    running = {way.name: _engine(folder, size, way) for way in _installed(WAYS)}
    async with all_running(running.values()):
        resting = {name: memory(process).resident for name, process in running.items()}
        for process in running.values():  # the first decoding of all allocates
            await _recognize(process, _at_once())
        for _ in range(rounds):
            for name, process in running.items():
                await settled()
                before = cpu_ms(process)
                took_ms, _ = await _recognize(process, _at_once())
                await settled()
                table.add(name, {"wall": took_ms, "CPU": cpu_ms(process) - before})
        for name, process in running.items():
            last = memory(process).resident
            table.add(name, {"memory at rest": resting[name], "memory at last": last})
    return table


async def _in_a_call(folder: Path, size: str, rounds: int) -> Rounds:
    """At the speed of speech, with the server's half second of silence after it."""
    table = Rounds(
        f"Whisper {size}, in a call: decoded while the caller speaks, and at the pause",
        {
            "end of the turn to the transcript": "ms",
            "CPU per second of speech": "s",
            "partials": "",
        },
    )
    given = {"hotwords": hotwords(HOTWORD_TOKENS[1])}  # as many tokens as the English list has
    ways = [Way(way.name, {**way.options, **given}) for way in IN_A_CALL]
    running = {way.name: _engine(folder, size, way) for way in ways}
    async with all_running(running.values()):
        for process in running.values():
            await _recognize(process, _at_once())
        for _ in range(rounds):
            for name, process in running.items():
                await settled()
                before = cpu_ms(process)
                took_ms, partials = await _recognize(process, _as_spoken())
                await settled()
                spent_s = (cpu_ms(process) - before) / 1000
                table.add(
                    name,
                    {
                        _WAIT: took_ms,
                        _COST: spent_s / SPEECH_S,
                        _PARTIALS: partials,
                    },
                )
    for name in running:
        if f"{name}{NO_PARTIALS}" in running:
            cost = table.median(name, _COST) - table.median(f"{name}{NO_PARTIALS}", _COST)
            table.notes.append(
                f"Window of {name}: partials cost {cost:.2f} CPU-s per second of speech. A partial "
                f"of a trained model has fewer tokens than {TOKENS}, and costs less."
            )
    return table


def _installed(ways: Sequence[Way]) -> list[Way]:
    has_cpp = find_spec("_pywhispercpp") is not None
    return [way for way in ways if has_cpp or way.engine != "whisper.cpp"]


def _engine(folder: Path, size: str, way: Way) -> EngineProcess:
    if way.engine == "stock":
        model = str(whisper_ct2_int8(folder, size))
        return own_engine("asr", "stock", "benchmarks.stock_whisper:StockWhisper", {"model": model})
    make = whisper_ggml_f16 if way.engine == "whisper.cpp" else whisper_ct2_int8
    options = {"model": str(make(folder, size)), "hotwords": [], "device": "cpu", **way.options}
    return engine("asr", way.engine, options)


class _Utterance:
    """Audio that remembers when its last piece was taken."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self.ended = 0.0
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._pieces:
            yield piece
        self.ended = _now()


async def _recognize(process: EngineProcess, pieces: AsyncIterator[bytes]) -> tuple[float, int]:
    """Milliseconds from the end of the audio to the transcript, and how many came before it.

    Raises `RuntimeError` when the model did not write what it is made to write: the figure
    would be another one's.
    """
    utterance = _Utterance(pieces)
    async with aclosing(RecognizerClient(process).recognize(aiter(utterance), _REQUEST)) as chunks:
        told = [chunk async for chunk in chunks]
    took_ms = (_now() - utterance.ended) * 1000
    if told[-1].text.count("w") != TOKENS:
        raise RuntimeError(f"{process.spec.name} wrote {told[-1].text!r}, not {TOKENS} words.")
    return took_ms, len(told) - 1


async def _at_once() -> AsyncIterator[bytes]:
    yield _SPEECH.tobytes()


async def _as_spoken() -> AsyncIterator[bytes]:
    samples = int(PIECE_S * ASR_SAMPLE_RATE)
    audio = np.concatenate([_SPEECH, _SILENCE])
    due = _now()
    for start in range(0, len(audio), samples):
        yield audio[start : start + samples].tobytes()
        due += PIECE_S
        await asyncio.sleep(max(0.0, due - _now()))


def _now() -> float:
    return asyncio.get_running_loop().time()
