"""llama.cpp: speed of reading and writing, and how soon the first token comes in a call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import psutil

from benchmarks.engine_processes import Memory, engine, memory, settled
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
CONTEXT = 1024
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
        {"prompt": "tokens/s", "generation": "tokens/s", "two decoding steps": "ms"},
    )
    first = Rounds(
        f"llama.cpp {size} Q4_K_M: end of the turn to the first token",
        dict.fromkeys(_SITUATIONS, "ms") | {"generation of each": "tokens/s"},
    )
    for backend in backends:
        if size in TARGETS:
            first.aim(_row(backend, 1), "prefilled while speaking", TARGETS[size])
    kept = [await _memory(model, size, backend) for backend in backends]
    running = {backend: _engine(model, backend) for backend in backends}
    async with supervised(*((process,) for process in running.values())):
        for number in range(rounds):
            for calls in CALLS:
                for backend, process in running.items():
                    await settled()
                    llm = LanguageModelClient(process)
                    seeds = range(10 * number, 10 * number + calls)
                    dialogues = [_Dialogue(llm, f"{calls} calls, {seed}") for seed in seeds]
                    turns = await _turns(dialogues)
                    for turn in turns:
                        first.add(_row(backend, calls), turn)
                    if calls == 1:
                        speed.add(backend.name, _speed(turns[0]))
    return [speed, first, *kept]


_SITUATIONS = ("cold", "prefix cached", "prefilled while speaking")


async def _turns(dialogues: Sequence[_Dialogue]) -> list[dict[str, float]]:
    """Three turns of calls that all speak and end at the same time."""
    told: list[dict[str, float]] = [{} for _ in dialogues]
    for situation in _SITUATIONS:
        utterances = [dialogue.words(UTTERANCE_WORDS) for dialogue in dialogues]
        if situation == "prefilled while speaking":
            for stable in (UTTERANCE_WORDS // 2, UTTERANCE_WORDS - LAST_WORDS):
                await asyncio.gather(
                    *(
                        dialogue.hear(words[:stable])
                        for dialogue, words in zip(dialogues, utterances, strict=True)
                    )
                )
        answers = await asyncio.gather(
            *(dialogue.ask(words) for dialogue, words in zip(dialogues, utterances, strict=True))
        )
        for turn, (first_ms, per_s) in zip(told, answers, strict=True):
            turn |= {situation: first_ms, "generation of each": per_s}
        await settled()
    return told


class _Dialogue:
    """One call's; nothing of it is in any cache before its first turn. Each of its words is a
    token of the model's."""

    def __init__(self, llm: LanguageModelClient, seed: str) -> None:
        self._llm = llm
        self._random = Random(seed)
        self._messages = [Message("system", " ".join(self.words(SYSTEM_WORDS)))]

    def words(self, count: int) -> list[str]:
        """Words that were hardly said before."""
        return [f"w{self._random.randrange(10_000)}" for _ in range(count)]

    async def hear(self, words: Sequence[str]) -> None:
        """The caller has said so much."""
        await self._llm.prepare(self._request(words))

    async def ask(self, words: Sequence[str]) -> tuple[float, float]:
        """The caller has said this: milliseconds to the first token, and tokens/s after it."""
        began, times, reply = _now(), [], ""
        async with aclosing(self._llm.reply(self._request(words))) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, TokenChunk) and chunk.token:
                    times.append(_now())
                    reply += chunk.token
        if len(times) < REPLY_TOKENS // 2:
            raise RuntimeError(f"The reply ended after {len(times)} tokens.")
        self._messages += [Message("user", " ".join(words)), Message("assistant", reply.strip())]
        return (times[0] - began) * 1000, (len(times) - 1) / (times[-1] - times[0])

    def _request(self, words: Sequence[str]) -> ReplyRequest:
        said = Message("user", " ".join(words))
        return ReplyRequest([*self._messages, said], max_tokens=REPLY_TOKENS)


def _speed(turn: dict[str, float]) -> dict[str, float]:
    step_ms = 1000 / turn["generation of each"]
    tokens = SYSTEM_WORDS + UTTERANCE_WORDS + 2 * _TOKENS_AROUND + 1
    return {
        "prompt": 1000 * tokens / max(1.0, turn["cold"] - step_ms),
        "generation": turn["generation of each"],
        "two decoding steps": 2 * step_ms,
    }


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
        await _Dialogue(LanguageModelClient(process), "memory").ask(["w1"])
        add("after a reply")
    add("unloaded")
    return table


def _engine(model: Path, backend: Backend) -> EngineProcess:
    options: dict[str, Any] = {"model": str(model), "backend": backend.name, "context": CONTEXT}
    if backend.python is not None:
        options["engine_python"] = backend.python
    return engine("llm", "llama-cpp", options)


def _file_mib(model: Path) -> float:
    return model.stat().st_size / _MIB


def _row(backend: Backend, calls: int) -> str:
    return f"{backend.name}, {calls} call{'s' if calls > 1 else ''}"


def _now() -> float:
    return asyncio.get_running_loop().time()
