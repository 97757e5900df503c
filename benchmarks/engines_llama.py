"""llama.cpp: speed of reading and writing, and how soon the first token comes in a call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import psutil

from benchmarks.engine_processes import Memory, all_running, cpu_ms, engine, memory, settled
from benchmarks.random_models import llama_q4
from benchmarks.rounds import Rounds
from inzwa_rtc.engines.client import LanguageModelClient
from inzwa_rtc.engines.contracts import Message, ReplyRequest, TokenChunk
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.supervised import supervised

SIZES = ("1b", "2b")
FURTHER_SIZES = ("1.7b",)
CALLS = (1, 2, 4)
TARGETS = {"2b": 250.0}

SYSTEM_WORDS = 160  # tokens; about the shipped system prompt
UTTERANCE_WORDS = 15  # of each turn of the caller's
LAST_WORDS = 3  # of them, which are not stable when the turn ends
REPLY_TOKENS = 24
OPTIONS: dict[str, Any] = {"context": 1024}
_TOKENS_AROUND = 2  # a message, by the model's template
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Backend:
    """A package around llama.cpp; `python` has it where this one has not."""

    name: str
    python: str | None = None


def backends(native_python: str | None) -> list[Backend]:
    """Those that can be measured here."""
    found = [Backend("xllamacpp")] if find_spec("xllamacpp") else []
    if native_python or find_spec("llama_cpp"):
        found.append(Backend("llama-cpp-python", native_python))
    return found


async def measure(
    folder: Path, size: str, rounds: int, backends: Sequence[Backend]
) -> list[Rounds]:
    """All backends with one size of model, in turn."""
    model = llama_q4(folder, size)
    speed = Rounds(
        f"llama.cpp {size} Q4_K_M: speed, one call",
        {
            "prompt": "tokens/s",
            "generation": "tokens/s",
            "two decoding steps": "ms",
            "CPU of a prompt's token": "ms",
            "CPU of a token generated": "ms",
        },
    )
    first = Rounds(
        f"llama.cpp {size} Q4_K_M: end of the turn to the first token",
        dict.fromkeys(_SITUATIONS, "ms") | {"generation of each": "tokens/s"},
    )
    for backend in backends:
        if size in TARGETS:
            first.aim(_row(backend, 1), "prefilled while speaking", TARGETS[size])
    kept = [await _memory(model, size, backend) for backend in backends]
    cut = Rounds(
        f"llama.cpp {size} Q4_K_M: from a cancel to the slot being free",
        dict.fromkeys(_MOMENTS, "ms"),
    )
    for backend in backends:
        await _cancels(model, backend, cut, rounds)
    running = {backend: _engine(model, backend) for backend in backends}
    async with all_running(running.values()):
        for number in range(rounds):
            for calls in CALLS:
                for backend, process in running.items():
                    await settled()
                    rules = f"{calls} calls, round {number}"  # as a server's calls share them
                    dialogues = [
                        _Dialogue(process, rules, f"{rules}, {call}") for call in range(calls)
                    ]
                    for turns in await _turns(dialogues):
                        first.add(_row(backend, calls), _summary(turns))
                        if calls == 1:
                            speed.add(backend.name, _speed(turns["cold"]))
    return [speed, first, cut, *kept]


_SITUATIONS = ("cold", "prefix cached", "prefilled while speaking")


@dataclass(frozen=True, slots=True)
class _Answer:
    """How one reply came. CPU time is the process's, and so that of all calls at that time."""

    first_ms: float
    per_s: float
    """Tokens, after the first."""
    first_cpu_ms: float
    each_cpu_ms: float


async def _turns(dialogues: Sequence[_Dialogue]) -> list[dict[str, _Answer]]:
    """Three turns of calls that all speak and end at the same time."""
    told: list[dict[str, _Answer]] = [{} for _ in dialogues]
    for situation in _SITUATIONS:
        turns = [(dialogue, dialogue.words(UTTERANCE_WORDS)) for dialogue in dialogues]
        if situation == "prefilled while speaking":
            for stable in (UTTERANCE_WORDS // 2, UTTERANCE_WORDS - LAST_WORDS):
                await asyncio.gather(*(one.hear(words[:stable]) for one, words in turns))
        answers = await asyncio.gather(*(one.ask(words) for one, words in turns))
        for call, answer in zip(told, answers, strict=True):
            call[situation] = answer
        await settled()
    return told


class _Dialogue:
    """One call's, made of two seeds; nothing of it is in any cache before its first turn. Each
    of its words is a token of the model's."""

    def __init__(self, process: EngineProcess, rules: str, words: str) -> None:
        self._process = process
        self._llm = LanguageModelClient(process)
        self._random = Random(rules)
        self._messages = [Message("system", " ".join(self.words(SYSTEM_WORDS)))]
        self._random = Random(words)

    def words(self, count: int) -> list[str]:
        """Words that were hardly said before."""
        return [f"w{self._random.randrange(10_000)}" for _ in range(count)]

    async def hear(self, words: Sequence[str]) -> None:
        """The caller has said so much."""
        await self._llm.prepare(self._request(words))

    async def ask(self, words: Sequence[str]) -> _Answer:
        """The caller has said this, and waits. Raises `RuntimeError` for too short a reply."""
        began, times, reply = _now(), [], ""
        cpu, first_cpu = cpu_ms(self._process), 0.0
        async with aclosing(self._llm.reply(self._request(words))) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, TokenChunk) and chunk.token:
                    times.append(_now())
                    first_cpu = first_cpu or cpu_ms(self._process)
                    reply += chunk.token
        if len(times) < REPLY_TOKENS // 2:
            raise RuntimeError(f"The reply ended after {len(times)} tokens.")
        self._messages += [Message("user", " ".join(words)), Message("assistant", reply.strip())]
        more = len(times) - 1
        return _Answer(
            first_ms=(times[0] - began) * 1000,
            per_s=more / (times[-1] - times[0]),
            first_cpu_ms=first_cpu - cpu,
            each_cpu_ms=(cpu_ms(self._process) - first_cpu) / more,
        )

    def _request(self, words: Sequence[str]) -> ReplyRequest:
        said = Message("user", " ".join(words))
        return ReplyRequest([*self._messages, said], max_tokens=REPLY_TOKENS)


def _summary(turns: Mapping[str, _Answer]) -> dict[str, float]:
    told = {situation: answer.first_ms for situation, answer in turns.items()}
    return told | {"generation of each": turns["prefix cached"].per_s}


def _speed(cold: _Answer) -> dict[str, float]:
    """Reading the whole prompt, a step that ends with the first token, and writing the rest."""
    tokens = SYSTEM_WORDS + UTTERANCE_WORDS + 2 * _TOKENS_AROUND + 1
    step_ms = 1000 / cold.per_s
    return {
        "prompt": 1000 * tokens / cold.first_ms,
        "generation": cold.per_s,
        "two decoding steps": 2 * step_ms,
        "CPU of a prompt's token": cold.first_cpu_ms / tokens,
        "CPU of a token generated": cold.each_cpu_ms,
    }


_MOMENTS = ("before the first token", "after the first token")
_READING_S = 0.2  # before it is cancelled; a prompt takes longer


async def _cancels(model: Path, backend: Backend, table: Rounds, rounds: int) -> None:
    """With one slot, so that the next request waits for the one that was cancelled. What it takes
    by itself does not count."""
    process = _engine(model, backend, slots=1)
    async with supervised([process]):
        for number in range(rounds):
            name = f"cancel {number}"
            await _Dialogue(process, name, f"{name} a").ask(["w1"])
            alone = await _next(process, 0)
            told = {}
            for place, moment in enumerate(_MOMENTS, 1):
                dialogue = _Dialogue(process, f"{name} {moment}", name)
                request = dialogue._request(dialogue.words(UTTERANCE_WORDS))
                async with aclosing(LanguageModelClient(process).reply(request)) as chunks:
                    first = asyncio.ensure_future(anext(chunks))
                    if place == 1:
                        await asyncio.wait({first}, timeout=_READING_S)
                        first.cancel()
                        await asyncio.wait({first})
                    else:
                        await first
                told[moment] = max(0.0, await _next(process, place) - alone)
            table.add(backend.name, told)


async def _next(process: EngineProcess, number: int) -> float:
    """How long a short prompt that was never read takes to its first token, in ms."""
    began = _now()
    request = ReplyRequest([Message("user", f"w{number}")], max_tokens=1)
    async with aclosing(LanguageModelClient(process).reply(request)) as chunks:
        await anext(chunks)
    return (_now() - began) * 1000


async def _memory(model: Path, size: str, backend: Backend) -> Rounds:
    """What one process takes, alone, from before it is started until after it has ended."""
    table = Rounds(
        f"llama.cpp {size} Q4_K_M, {backend.name}: memory (a file of {_file_mib(model):,.0f} MiB)",
        {
            "resident": "MiB",
            "of it not shared with the file": "MiB",
            "taken of the machine's": "MiB",
        },
    )
    before = psutil.virtual_memory().available
    process = _engine(model, backend)

    def add(moment: str) -> None:
        taken = (before - psutil.virtual_memory().available) / _MIB
        used = memory(process) if process.pid is not None else Memory(0, 0)
        table.add(
            moment,
            {
                "resident": used.resident,
                "of it not shared with the file": used.own,
                "taken of the machine's": taken,
            },
        )

    add("before")
    async with supervised([process]):
        add("loaded")
        await _Dialogue(process, "memory", "alone").ask(["w1"])
        add("after a reply")
    add("unloaded")
    return table


def _engine(model: Path, backend: Backend, **given: Any) -> EngineProcess:
    options = {**OPTIONS, "model": str(model), "backend": backend.name, **given}
    if backend.python is not None:
        options["engine_python"] = backend.python
    return engine("llm", "llama-cpp", options)


def _file_mib(model: Path) -> float:
    return model.stat().st_size / _MIB


def _row(backend: Backend, calls: int) -> str:
    return f"{backend.name}, {calls} call{'s' if calls > 1 else ''}"


def _now() -> float:
    return asyncio.get_running_loop().time()
