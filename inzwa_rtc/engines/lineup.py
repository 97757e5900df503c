"""The server's engines: those in use, and how others take their place while calls go on.

Others are loaded beside those in use, which go on serving; only a set that has loaded whole
takes over. What a turn was lent stays until that turn gives it back. So for a while the memory
of both is taken, of those kinds only whose settings have changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from inzwa_rtc.engines.contracts import EngineKind, LanguageModel, Recognizer, Synthesizer
from inzwa_rtc.engines.group import (
    EngineGroup,
    EngineStatus,
    Plan,
    language_models,
    recognizers,
    synthesizers,
)
from inzwa_rtc.engines.registry import KINDS, chosen
from inzwa_rtc.errors import leaves
from inzwa_rtc.settings import Settings


@dataclass(frozen=True, slots=True)
class Lineup:
    """Engines that serve together, one group of each kind."""

    groups: tuple[EngineGroup[Recognizer], EngineGroup[LanguageModel], EngineGroup[Synthesizer]]

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

    def without(self, other: Lineup) -> tuple[EngineGroup[Any], ...]:
        """The groups that the other one does not have."""
        return tuple(group for group in self.groups if group not in other.groups)


class Engines:
    """The engines that the settings name, ready for use within `async with`; all of them are
    loaded at the same time.

    Of each kind one engine must load: the error of the first is raised where none does, as
    `supervised` raises it. The block's own error leaves as it is, in no group.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lineup: Lineup | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._life = self._living()

    @property
    def now(self) -> Lineup:
        """Those in use."""
        assert self._lineup is not None, "used within `async with` only"
        return self._lineup

    def status(self) -> dict[EngineKind, EngineStatus]:
        """How those in use are; see `EngineGroup.status`."""
        return {group.plan.kind: group.status() for group in self.now.groups}

    async def load(self, settings: Settings) -> Lineup:
        """Those that the settings name, ready: the groups in use where nothing has changed,
        others loaded beside them. To be given to `use` or `discard`.

        Raises `ConfigError` and `EngineUnavailable`; nothing has changed then.
        """
        engines = await asyncio.to_thread(chosen, settings)  # it reads what is installed
        plans = {kind: Plan.of(settings, kind, engines[kind]) for kind in KINDS}
        used = {group.plan.kind: group for group in self._lineup.groups} if self._lineup else {}
        same = {kind: used[kind] for kind in used if used[kind].plan == plans[kind]}
        makers = {"asr": recognizers, "llm": language_models, "tts": synthesizers}
        groups: dict[EngineKind, Any] = {
            kind: same.get(kind) or makers[kind](plans[kind]) for kind in KINDS
        }
        fresh = [group for kind, group in groups.items() if kind not in same]
        running = [self._run(group) for group in fresh]
        try:
            async with asyncio.TaskGroup() as starting:
                for group in fresh:
                    starting.create_task(group.started())
        except BaseException as error:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            if isinstance(error, BaseExceptionGroup):
                raise leaves(error)[0] from None
            raise
        return Lineup((groups["asr"], groups["llm"], groups["tts"]))

    def use(self, lineup: Lineup) -> tuple[EngineKind, ...]:
        """Let a loaded set take over; returns the kinds of which there are other engines now."""
        before, self._lineup = self.now, lineup
        retired = before.without(lineup)
        for group in retired:
            group.retire()
        return tuple(group.plan.kind for group in retired)

    def discard(self, lineup: Lineup) -> None:
        """Let a loaded set go that is not to be used."""
        for group in lineup.without(self.now):
            group.retire()

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
        failure: Exception | None = None
        async with asyncio.TaskGroup() as self._tasks:
            try:
                self._lineup = await self.load(self._settings)
                yield
            except Exception as error:  # noqa: BLE001 - raised again, outside the group
                failure = error
            for task in self._running:
                task.cancel()
        if failure is not None:
            raise failure

    def _run(self, group: EngineGroup[Any]) -> asyncio.Task[None]:
        task = self._tasks.create_task(group.run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
