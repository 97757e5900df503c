"""The server's engines: those in use, and how others take their place while calls go on.

Others are loaded beside those in use, which go on serving; only a set that has loaded whole
takes over. What a turn was lent stays until that turn gives it back. So for a while the memory
of both is taken, of those engines only that have changed; never of more, for the next exchange
waits until the last one's turns have given back theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from inzwa_rtc.engines.contracts import EngineKind, LanguageModel, Recognizer, Synthesizer
from inzwa_rtc.engines.group import EngineGroup, EngineStatus, Plan
from inzwa_rtc.engines.pool import Pool
from inzwa_rtc.engines.registry import KINDS, chosen
from inzwa_rtc.engines.run_folder import sweep
from inzwa_rtc.errors import Unavailable, leaves
from inzwa_rtc.settings import Settings

RETRY_AFTER_S = 10
"""When to ask again for an exchange that was refused: most turns are shorter."""


@dataclass(frozen=True, slots=True)
class Lineup:
    """Engines that serve together, one group of each kind, and the plans that they follow."""

    groups: tuple[EngineGroup[Recognizer], EngineGroup[LanguageModel], EngineGroup[Synthesizer]]
    plans: tuple[Plan, Plan, Plan]

    @property
    def asr(self) -> Recognizer:
        """Turns speech into text."""
        return self.groups[0].engine

    @property
    def llm(self) -> LanguageModel:
        """Continues dialogues."""
        return self.groups[1].engine

    @property
    def tts(self) -> Synthesizer:
        """Speaks."""
        return self.groups[2].engine

    @contextmanager
    def lent(self) -> Generator[Self, None, None]:
        """All of them, which are there for as long as the block runs."""
        asr, llm, tts = self.groups
        with asr.lent(), llm.lent(), tts.lent():
            yield self

    def each(self) -> Iterator[tuple[EngineKind, str, Any]]:
        """All engines, those too that others stand in for, with their kinds and names."""
        for group in self.groups:
            yield from ((group.kind, name, engine) for name, engine in group.each)

    def without(self, other: Lineup) -> tuple[EngineGroup[Any], ...]:
        """The groups that the other one does not have."""
        return tuple(group for group in self.groups if group not in other.groups)


class Engines:
    """The engines that the settings name, ready for use within `async with`; all of them are
    loaded at the same time.

    Of each kind one engine must load: the error of the first is raised where none does, as
    `supervised` raises it. The block's own error leaves as it is, in no group.
    """

    def __init__(self, settings: Settings, *, patience_s: float = 30.0) -> None:
        """`patience_s` is how long an exchange waits for the end of what an earlier one
        retired: the rest of an answer, nearly always."""
        self._settings = settings
        self._patience_s = patience_s
        self._lineup: Lineup | None = None
        self._life = self._living()

    @property
    def now(self) -> Lineup:
        """Those in use."""
        assert self._lineup is not None, "used within `async with` only"
        return self._lineup

    def status(self) -> dict[EngineKind, EngineStatus]:
        """How those in use are; see `EngineGroup.status`."""
        return {group.kind: group.status() for group in self.now.groups}

    async def load(self, settings: Settings) -> Lineup:
        """Those that the settings name, ready: the groups in use where they name the same,
        others loaded beside them. To be given to `use` or `discard`.

        Raises `ConfigError` and `EngineError`, and `Unavailable` while engines of an earlier
        exchange still serve; nothing has changed then.
        """
        engines = await asyncio.to_thread(chosen, settings)  # it reads what is installed
        asr, llm, tts = plans = tuple(Plan.of(settings, kind, engines[kind]) for kind in KINDS)
        used = self._lineup.groups if self._lineup else ()
        groups: dict[EngineKind, Any] = {group.kind: group for group in used if group.plan in plans}
        others = [plan for plan in plans if plan.kind not in groups]
        await self._make_room(others)
        fresh = [self._pool.group(plan) for plan in others]
        try:
            async with asyncio.TaskGroup() as starting:
                for group in fresh:
                    starting.create_task(group.started())
        except BaseException as error:
            for group in fresh:
                group.retire()
            await _ended(self._pool.ending(fresh))
            if isinstance(error, BaseExceptionGroup):
                raise leaves(error)[0] from None
            raise
        groups |= {group.kind: group for group in fresh}
        return Lineup((groups["asr"], groups["llm"], groups["tts"]), (asr, llm, tts))

    def use(self, lineup: Lineup) -> tuple[EngineKind, ...]:
        """Let a loaded set take over; returns the kinds of which there are other engines now."""
        before, self._lineup = self.now, lineup
        groups: tuple[EngineGroup[Any], ...] = lineup.groups
        for group, plan in zip(groups, lineup.plans, strict=True):
            group.follow(plan)
        retired = before.without(lineup)
        for group in retired:
            group.retire()
        return tuple(group.kind for group in retired)

    def discard(self, lineup: Lineup) -> None:
        """Let a loaded set go that is not to be used."""
        for group in lineup.without(self.now):
            group.retire()

    async def _make_room(self, plans: Iterable[Plan]) -> None:
        """Wait for the end of what was retired, of those kinds of which there is more to load."""
        kinds = [plan.kind for plan in plans if not self._pool.has_all_of(plan)]
        if left := await _ended(self._pool.leaving(kinds), within_s=self._patience_s):
            raise Unavailable(
                f"Engines of an earlier exchange still serve ({len(left)} processes): turns that "
                "began with them go on.",
                action="Try again when these turns have ended, or restart the server.",
                code="exchange_unfinished",
                retry_after_s=RETRY_AFTER_S,
            )

    async def __aenter__(self) -> Self:
        await self._life.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._life.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def _living(self) -> AsyncIterator[None]:
        await asyncio.to_thread(sweep)
        failure: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            self._pool = Pool(tasks)
            try:
                self._lineup = await self.load(self._settings)
                yield
            except Exception as error:  # noqa: BLE001 - raised again, outside the group
                failure = error
            self._pool.end()
        if failure is not None:
            raise failure


async def _ended(
    tasks: set[asyncio.Task[None]], within_s: float | None = None
) -> set[asyncio.Task[None]]:
    """Wait until all of them have; those that have not in time."""
    if not tasks:
        return set()
    _, left = await asyncio.wait(tasks, timeout=within_s)
    return left
