"""Engines of one kind in the order of preference, each behind a circuit breaker.

What it means that one failed is decided here; how each kind is asked, in `fallback`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

import structlog

from inzwa_rtc.engines.breaker import BreakerPolicy, BreakerState, CircuitBreaker
from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.errors import EngineError, EngineUnavailable

Engine = TypeVar("Engine")

_NOT_ITS_FAULT = frozenset(
    # What was asked is more than it can do; another engine may be able to.
    {
        "cannot_translate",
        "context_too_small",
        "request_refused",
        "text_too_long",
        "tools_refused",
        "unknown_adapter",
        "unknown_language",
        "unknown_voice",
    }
)

_log = structlog.get_logger(__name__)


class Attempt:
    """A request that an engine's breaker has let through."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        admission = breaker.admit(now())
        assert admission is not None, "the chain gives engines that may be asked"
        self._breaker = breaker
        self.admission = admission

    def began(self) -> None:
        """The engine gives something; whether that is an answer is still open."""
        self.admission = self._breaker.began(self.admission)

    def succeeded(self) -> None:
        """The engine answers; its answer may still break off."""
        self.admission = self._breaker.succeeded(self.admission)


class Link(Generic[Engine]):
    """One engine of a chain."""

    def __init__(
        self, kind: EngineKind, name: str, engine: Engine, policy: BreakerPolicy | None
    ) -> None:
        self.name = name
        self.engine = engine
        self.breaker = CircuitBreaker(policy)
        self._kind = kind

    @contextmanager
    def attempt(self) -> Generator[Attempt, None, None]:
        """A request to it. An `EngineError` is a failure; leaving in another way, before
        `succeeded`, says nothing of the engine."""
        attempt = Attempt(self.breaker)
        try:
            yield attempt
        except EngineError as error:
            if error.code not in _NOT_ITS_FAULT:
                self.breaker.failed(attempt.admission, now())
            _log.warning(
                "engine.failed",
                kind=self._kind,
                engine=self.name,
                code=error.code,
                breaker=self.breaker.state(now()),
            )
            raise
        finally:
            self.breaker.abandoned(attempt.admission)


class Chain(Generic[Engine]):
    """The engines by name, the preferred one first. `answer_s` is the time that all of them
    together have for an answer; it may be set anew."""

    def __init__(
        self,
        kind: EngineKind,
        engines: Sequence[tuple[str, Engine]],
        answer_s: float,
        policy: BreakerPolicy | None,
    ) -> None:
        if not engines:
            raise ValueError("a chain has at least one engine")
        self.kind = kind
        self.answer_s = answer_s
        self.links = tuple(Link(kind, name, engine, policy) for name, engine in engines)

    def states(self) -> dict[str, BreakerState]:
        """How each engine's breaker is."""
        return {link.name: link.breaker.state(now()) for link in self.links}

    def askable(self, order: Sequence[str] | None = None) -> Iterator[tuple[Link[Engine], int]]:
        """Each engine that may be asked when its turn comes, and how many may be after it; in
        another order than that of preference where their names are given in one."""
        links = self.links
        if order is not None:
            links = tuple(sorted(links, key=lambda link: order.index(link.name)))
        for number, link in enumerate(links):
            if link.breaker.would_admit(now()):
                later = links[number + 1 :]
                yield link, sum(other.breaker.would_admit(now()) for other in later)

    def nobody(self, errors: dict[str, EngineError]) -> EngineError:
        """What is told when these engines failed and the others were left alone."""
        last = next(reversed(errors.values()), None)
        if last is not None and (len(self.links) == 1 or last.code in _NOT_ITS_FAULT):
            return last
        outcomes = (
            f"{link.name} ({errors[link.name].code if link.name in errors else 'left alone'})"
            for link in self.links
        )
        return EngineUnavailable(
            f"No {self.kind} engine answers: {', '.join(outcomes)}.",
            action=last.action if last else "Those that failed often are asked again soon.",
        )


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()
