"""The engines of one kind that the settings name, in use until something else is named.

Nearly always it is one engine. Each has its process; where there are several, the first that
works answers (see `fallback`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from inzwa_rtc.engines.breaker import BreakerState
from inzwa_rtc.engines.chain import Chain
from inzwa_rtc.engines.contracts import EngineKind, LanguageModel, Recognizer, Synthesizer
from inzwa_rtc.engines.fallback import (
    FallbackLanguageModel,
    FallbackRecognizer,
)
from inzwa_rtc.engines.fallback_speech import FallbackSynthesizer
from inzwa_rtc.engines.host import EngineHost, HostState
from inzwa_rtc.engines.inline import asked_for_replies, asked_to_recognize, asked_to_speak
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.registry import Chosen
from inzwa_rtc.engines.supervised import Supervision, one_started
from inzwa_rtc.settings import Settings

Engine = TypeVar("Engine")


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How an engine's process is. `restarts` counts from the engine's first start.

    Where several engines stand in for each other, `breaker` tells whether this one is asked
    (`closed`), left alone (`open`) or tried (`half-open`), and `others` are all but this.
    """

    name: str
    state: HostState
    restarts: int
    pid: int | None
    model: str = ""
    in_flight: int = 0
    breaker: BreakerState | None = None
    others: tuple[EngineStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the settings say of the engines of one kind.

    Plans are equal if they have the same engines: other times are no reason to load one again.
    `start_s` is the time that each has to load, `answer_s` the time that all of them together
    have to begin an answer.
    """

    kind: EngineKind
    launches: tuple[Launch, ...]
    start_s: float = field(compare=False)
    answer_s: float = field(compare=False)

    @classmethod
    def of(cls, settings: Settings, kind: EngineKind, engines: Sequence[Chosen]) -> Plan:
        """What the settings say, `engines` being those that they choose."""
        timeouts = settings.timeouts
        launches = tuple(
            Launch(
                spec=engine.spec,
                options=engine.options,
                python=engine.python,
                runs=engine.runs,
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
    """`engine` serves from `started` on, until the group is retired and all that was lent has
    been given back; `on_end` is called then. `has` are its processes, whose lives are others'
    to run: several groups may share one. `each` are the engines themselves, of which `engine` is
    the only one or asks one after another, by their names.
    """

    def __init__(
        self,
        plan: Plan,
        engine: Engine,
        each: Sequence[tuple[str, Engine]],
        has: Sequence[Supervision],
        on_end: Callable[[EngineGroup[Any]], None],
        chain: Chain[Any] | None = None,
    ) -> None:
        self.kind = plan.kind
        self.plan = plan
        self.engine = engine
        self.each = tuple(each)
        self.has = tuple(has)
        self.is_retired = False
        self._on_end = on_end
        self._chain = chain
        self._users = 0

    async def started(self) -> None:
        """Return once an engine serves. Raises what `one_started` raises."""
        await one_started(self.has)

    def follow(self, plan: Plan) -> None:
        """Keep to the times of this plan, which names the same engines."""
        self.plan = plan
        for supervision in self.has:
            supervision.host.start_timeout_s = plan.start_s
        if self._chain is not None:
            self._chain.answer_s = plan.answer_s

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
        if not self.is_retired:
            self.is_retired = True
            self._end_if_unused()

    def serves(self) -> bool:
        """Whether a request would be answered now."""
        return any(supervision.host.state == "ready" for supervision in self.has)

    def status(self) -> EngineStatus:
        """How the preferred engine is now; of several, the first that is ready and asked."""
        breakers = self._chain.states() if self._chain else {}
        all_of_them = [
            EngineStatus(
                process.spec.name,
                process.state,
                process.restarts,
                process.pid,
                process.model,
                process.in_flight,
                breakers.get(process.spec.name),
            )
            for process in (supervision.host for supervision in self.has)
        ]
        serves = (one for one in all_of_them if one.state == "ready" and one.breaker != "open")
        first = next(serves, all_of_them[0])
        return replace(first, others=tuple(one for one in all_of_them if one is not first))

    def _end_if_unused(self) -> None:
        if self.is_retired and not self._users:
            self._on_end(self)


OnEnd = Callable[[EngineGroup[Any]], None]


def recognizers(plan: Plan, has: Sequence[Supervision], on_end: OnEnd) -> EngineGroup[Recognizer]:
    """The group of a plan for recognisers."""
    engines: list[tuple[str, Recognizer]] = _named(has, asked_to_recognize)
    if len(engines) == 1:
        return EngineGroup(plan, engines[0][1], engines, has, on_end)
    several = FallbackRecognizer(engines, final_s=plan.answer_s)
    return EngineGroup(plan, several, engines, has, on_end, several.chain)


def language_models(
    plan: Plan, has: Sequence[Supervision], on_end: OnEnd
) -> EngineGroup[LanguageModel]:
    """The group of a plan for language models."""
    engines: list[tuple[str, LanguageModel]] = _named(has, asked_for_replies)
    if len(engines) == 1:
        return EngineGroup(plan, engines[0][1], engines, has, on_end)
    several = FallbackLanguageModel(engines, first_token_s=plan.answer_s)
    return EngineGroup(plan, several, engines, has, on_end, several.chain)


def synthesizers(plan: Plan, has: Sequence[Supervision], on_end: OnEnd) -> EngineGroup[Synthesizer]:
    """The group of a plan for synthesizers."""
    engines: list[tuple[str, Synthesizer]] = _named(has, asked_to_speak)
    if len(engines) == 1:
        return EngineGroup(plan, engines[0][1], engines, has, on_end)
    several = FallbackSynthesizer(engines, first_audio_s=plan.answer_s)
    return EngineGroup(plan, several, engines, has, on_end, several.chain)


MAKERS: Mapping[EngineKind, Callable[[Plan, Sequence[Supervision], OnEnd], EngineGroup[Any]]] = {
    "asr": recognizers,
    "llm": language_models,
    "tts": synthesizers,
}


def _named(
    has: Sequence[Supervision], client: Callable[[EngineHost], Engine]
) -> list[tuple[str, Engine]]:
    return [(one.host.spec.name, client(one.host)) for one in has]
