"""The engines of one kind that the settings name, in use until something else is named.

Nearly always it is one engine. Each has its process; where there are several, the first that
works answers (see `fallback`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import structlog

from inzwa_rtc.engines.breaker import BreakerState
from inzwa_rtc.engines.client import LanguageModelClient, RecognizerClient, SynthesizerClient
from inzwa_rtc.engines.contracts import EngineKind, LanguageModel, Recognizer, Synthesizer
from inzwa_rtc.engines.fallback import (
    FallbackLanguageModel,
    FallbackRecognizer,
    FallbackSynthesizer,
)
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess, ProcessState
from inzwa_rtc.engines.registry import Chosen
from inzwa_rtc.engines.supervised import supervised
from inzwa_rtc.settings import Settings

Engine = TypeVar("Engine")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How an engine's process is. `restarts` counts from the engine's first start.

    Where several engines stand in for each other, `breaker` tells whether this one is asked
    (`closed`), left alone (`open`) or tried (`half-open`), and `others` are all but this.
    """

    name: str
    state: ProcessState
    restarts: int
    pid: int | None
    breaker: BreakerState | None = None
    others: tuple[EngineStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the settings say of the engines of one kind: the same plan needs no exchange.

    `answer_s` is the time that all of them together have to begin an answer.
    """

    kind: EngineKind
    launches: tuple[Launch, ...]
    start_s: float
    answer_s: float

    @classmethod
    def of(cls, settings: Settings, kind: EngineKind, engines: Sequence[Chosen]) -> Plan:
        """What the settings say, `engines` being those that they choose."""
        timeouts = settings.timeouts
        launches = tuple(
            Launch(
                spec=engine.spec,
                options=engine.options,
                python=engine.python,
                max_concurrent=settings.tts_max_concurrent if kind == "tts" else None,
                log_json=settings.log_json,
            )
            for engine in engines
        )
        answer_s = {
            "asr": timeouts.recognition,
            "llm": timeouts.first_token,
            "tts": timeouts.first_audio,
        }[kind]
        return cls(kind, launches, timeouts.engine_start, answer_s)


class EngineGroup(Generic[Engine]):
    """`engine` serves between `started` and the end of `run`, which its owner runs as a task.

    Once it is retired it ends, as soon as all that was lent has been given back.
    """

    def __init__(
        self,
        plan: Plan,
        engine: Engine,
        processes: Sequence[EngineProcess],
        breakers: Callable[[], Mapping[str, BreakerState]] = dict,
    ) -> None:
        self.plan = plan
        self.engine = engine
        self._processes = processes
        self._breakers = breakers
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._users = 0
        self._is_retired = False
        self._unused = asyncio.Event()

    async def started(self) -> None:
        """Return once an engine serves. Raises what `supervised` raises at the start."""
        await asyncio.wait({self._started})
        self._started.result()

    async def run(self) -> None:
        """Start the processes and watch over them, until the group is retired and unused."""
        try:
            async with supervised(self._processes):
                self._started.set_result(None)
                await self._unused.wait()
        except Exception as error:
            if self._started.done():
                raise
            self._started.set_exception(error)
            self._started.exception()  # told, be anybody waiting for it or not
            return
        finally:
            self._started.cancel()
        _log.info("engine.retired", kind=self.plan.kind, engine=self.status().name)

    @contextmanager
    def lent(self) -> Generator[Engine, None, None]:
        """The engine, which is there for as long as the block runs."""
        self._users += 1
        try:
            yield self.engine
        finally:
            self._users -= 1
            self._end_if_unused()

    def retire(self) -> None:
        """Nobody will be lent it any more."""
        self._is_retired = True
        self._end_if_unused()

    def status(self) -> EngineStatus:
        """How the preferred engine is now; of several, the first that is ready and asked."""
        breakers = self._breakers()
        all_of_them = [
            EngineStatus(
                process.spec.name,
                process.state,
                process.restarts,
                process.pid,
                breakers.get(process.spec.name),
            )
            for process in self._processes
        ]
        serves = (one for one in all_of_them if one.state == "ready" and one.breaker != "open")
        first = next(serves, all_of_them[0])
        return replace(first, others=tuple(one for one in all_of_them if one is not first))

    def _end_if_unused(self) -> None:
        if self._is_retired and not self._users:
            self._unused.set()


def recognizers(plan: Plan) -> EngineGroup[Recognizer]:
    """The group of a plan for recognisers."""
    processes = _processes(plan)
    engines: list[tuple[str, Recognizer]] = _named(processes, RecognizerClient)
    if len(engines) == 1:
        return EngineGroup(plan, engines[0][1], processes)
    chain = FallbackRecognizer(engines, final_s=plan.answer_s)
    return EngineGroup(plan, chain, processes, chain.states)


def language_models(plan: Plan) -> EngineGroup[LanguageModel]:
    """The group of a plan for language models."""
    processes = _processes(plan)
    engines: list[tuple[str, LanguageModel]] = _named(processes, LanguageModelClient)
    if len(engines) == 1:
        return EngineGroup(plan, engines[0][1], processes)
    chain = FallbackLanguageModel(engines, first_token_s=plan.answer_s)
    return EngineGroup(plan, chain, processes, chain.states)


def synthesizers(plan: Plan) -> EngineGroup[Synthesizer]:
    """The group of a plan for synthesizers."""
    processes = _processes(plan)
    engines: list[tuple[str, Synthesizer]] = _named(processes, SynthesizerClient)
    if len(engines) == 1:
        return EngineGroup(plan, engines[0][1], processes)
    chain = FallbackSynthesizer(engines, first_audio_s=plan.answer_s)
    return EngineGroup(plan, chain, processes, chain.states)


def _named(
    processes: Sequence[EngineProcess], client: Callable[[EngineProcess], Engine]
) -> list[tuple[str, Engine]]:
    return [(process.spec.name, client(process)) for process in processes]


def _processes(plan: Plan) -> tuple[EngineProcess, ...]:
    return tuple(EngineProcess(launch, start_timeout_s=plan.start_s) for launch in plan.launches)
