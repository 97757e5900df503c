"""The processes of all groups of engines: one for each launch, shared by those that name it.

A process ends when the last group that has it ends. So an exchange that keeps an engine, as
when another is put beside it, does not load it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable
from typing import Any

import structlog

from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.engines.group import MAKERS, EngineGroup, Plan
from inzwa_rtc.engines.inline import hosted
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.supervised import Supervision

_log = structlog.get_logger(__name__)


class Pool:
    """Groups and their processes, whose tasks run in `tasks`."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._groups: list[EngineGroup[Any]] = []  # until they end
        self._lives: dict[Supervision, asyncio.Task[None]] = {}

    def has_all_of(self, plan: Plan) -> bool:
        """Whether a group of this plan would load nothing."""
        return all(self._ready(launch) is not None for launch in plan.launches)

    def group(self, plan: Plan) -> EngineGroup[Any]:
        """A new group, loading what no other has. It ends when it is retired and unused."""
        # Callers who have an engine of the kind do not wait for this one.
        in_haste = not any(group.serves() for group in self._groups if group.kind == plan.kind)
        supervisions = [
            self._ready(launch) or self._begun(launch if in_haste else launch.standing_back(), plan)
            for launch in plan.launches
        ]
        group = MAKERS[plan.kind](plan, supervisions, self._end)
        self._groups.append(group)
        return group

    def leaving(self, kinds: Container[EngineKind]) -> set[asyncio.Task[None]]:
        """The processes of these kinds that only retired groups have, or none any more: each
        ends with its task."""
        return {
            task
            for one, task in self._lives.items()
            if one.host.spec.kind in kinds and not self._is_wanted(one)
        }

    def ending(self, groups: Iterable[EngineGroup[Any]]) -> set[asyncio.Task[None]]:
        """The processes that only these groups had, which have ended."""
        had = {one for group in groups for one in group.has}
        return {task for one, task in self._lives.items() if one in had and not self._is_used(one)}

    def end(self) -> None:
        """End all processes, be they used or not."""
        for task in self._lives.values():
            task.cancel()

    def _ready(self, launch: Launch) -> Supervision | None:
        """Who supervises the process of this launch, if it serves. One that does not would keep
        the reason to itself: it is loaded anew instead."""
        for one in (one for group in self._groups for one in group.has):
            if one.host.launch == launch and one.host.state == "ready":
                return one
        return None

    def _begun(self, launch: Launch, plan: Plan) -> Supervision:
        supervision = Supervision(hosted(launch, start_timeout_s=plan.start_s))
        life = self._tasks.create_task(self._live(supervision))
        self._lives[supervision] = life
        life.add_done_callback(lambda _: self._forget(supervision))
        return supervision

    def _forget(self, supervision: Supervision) -> None:
        del self._lives[supervision]
        supervision.started.cancel()  # its task may have been cancelled before it ran

    async def _live(self, supervision: Supervision) -> None:
        spec = supervision.host.spec
        try:
            await supervision.run()
        except asyncio.CancelledError:
            if not self._is_used(supervision):
                _log.info("engine.retired", kind=spec.kind, engine=spec.name)
            raise
        except Exception:
            if self._is_wanted(supervision):
                raise
            # It is no reason to end the calls of those who have another engine.
            _log.exception("engine.retired_in_disorder", kind=spec.kind, engine=spec.name)

    def _end(self, group: EngineGroup[Any]) -> None:
        self._groups.remove(group)
        for supervision in group.has:
            if supervision in self._lives and not self._is_used(supervision):
                self._lives[supervision].cancel()

    def _is_used(self, supervision: Supervision) -> bool:
        return any(supervision in group.has for group in self._groups)

    def _is_wanted(self, supervision: Supervision) -> bool:
        """Whether turns that begin may be lent it."""
        groups = (group for group in self._groups if not group.is_retired)
        return any(supervision in group.has for group in groups)
