"""All tools of a server, and how one is run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import structlog

from inzwa_rtc.engines.contracts import TOOL_FAILED, ToolCall
from inzwa_rtc.tools.schema import check_arguments
from inzwa_rtc.tools.tool import GRACE_S, Tool, ToolFailed, ToolUnsure
from inzwa_rtc.tools.web import Web

ASK_BEFORE = "Tell the caller that this is not known, and ask before it is done again."

_log = structlog.get_logger(__name__)


class Outcome(NamedTuple):
    """What came of a tool, as `text` for the model."""

    text: str
    is_done: bool
    may_be_done: bool = False
    """It changes something, and nobody knows whether it did."""


class ToolServer(Protocol):
    """Where tools come from that may come and go."""

    @property
    def tools(self) -> Sequence[Tool]:
        """Those that can be had now."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


class Toolbox:
    """The tools, in the order of the settings. `result_chars` of a result are told at most.

    A box that others take the place of is retired: what began with it ends with it, then it is
    closed.
    """

    def __init__(
        self,
        tools: Sequence[Tool] = (),
        servers: Sequence[ToolServer] = (),
        web: Web | None = None,
        *,
        result_chars: int = 2_000,
    ) -> None:
        self._tools = tuple(tools)
        self._servers = tuple(servers)
        self._web = web
        self._result_chars = result_chars
        self._strays: set[asyncio.Future[str]] = set()
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()

    @property
    def tools(self) -> tuple[Tool, ...]:
        """All that can be had now. Of two of one name the first is meant."""
        by_name: dict[str, Tool] = {}
        for tool in (*self._tools, *(tool for server in self._servers for tool in server.tools)):
            by_name.setdefault(tool.spec.name, tool)
        return tuple(by_name.values())

    @contextmanager
    def lent(self) -> Generator[None, None, None]:
        """It stays open for as long as the block runs."""
        self._users += 1
        self._unused.clear()
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._unused.set()

    async def close(self) -> None:
        """Wait until nobody uses it, then let go of connections and processes."""
        await self._unused.wait()
        await asyncio.gather(*(server.close() for server in self._servers))
        if self._web is not None:
            await self._web.close()

    async def run(self, tool: Tool, call: ToolCall) -> Outcome:
        """What came of it, whatever happens. Only cancelling it ends it otherwise."""
        how = "cancelled"
        began = _now()
        try:
            how, outcome = await self._outcome(tool, call)
        finally:
            # Neither arguments nor result: they are what was said.
            took_ms = round(1000 * (_now() - began))
            _log.info("tool.ran", tool=tool.spec.name, outcome=how, ms=took_ms)
        return outcome._replace(text=_bounded(outcome.text, self._result_chars))

    async def _outcome(self, tool: Tool, call: ToolCall) -> tuple[str, Outcome]:
        try:
            check_arguments(tool.spec.parameters, call.arguments)
            return "done", Outcome(await self._result(tool, call), is_done=True)
        except ToolUnsure as unsure:
            return "failed", _unanswered(tool, str(unsure))
        except ToolFailed as failed:
            return "failed", _failed(str(failed))
        except TimeoutError:
            return "late", _unanswered(tool, "It did not answer in time.")
        except Exception as error:  # noqa: BLE001 - a tool is a stranger's code
            _log.warning("tool.broke", tool=tool.spec.name, error=type(error).__name__)
            return "failed", _failed("It failed.")

    async def _result(self, tool: Tool, call: ToolCall) -> str:
        """Raises `TimeoutError`, also for a tool that cannot be cancelled."""
        running = asyncio.ensure_future(tool.run(call.arguments))
        try:
            done, _ = await asyncio.wait({running}, timeout=tool.timeout_s)
            if not done:
                raise TimeoutError
            return running.result()
        finally:
            if not running.done():
                running.cancel()
                await asyncio.wait({running}, timeout=GRACE_S)
            if not running.done():
                _log.warning("tool.does_not_end", tool=tool.spec.name)
                self._strays.add(running)
                running.add_done_callback(self._ended)

    def _ended(self, stray: asyncio.Future[str]) -> None:
        self._strays.discard(stray)
        if not stray.cancelled():
            stray.exception()  # nobody waits for it any more


def failure(reason: str) -> str:
    """How a model is told that a tool could not do it."""
    return f"{TOOL_FAILED} {reason} Tell the caller that it did not work."


def _failed(reason: str) -> Outcome:
    return Outcome(failure(reason), is_done=False)


def _unanswered(tool: Tool, reason: str) -> Outcome:
    if not tool.changes:
        return _failed(reason)
    text = f"{TOOL_FAILED} {reason} It may have been done all the same. {ASK_BEFORE}"
    return Outcome(text, is_done=False, may_be_done=True)


def question_of(call: ToolCall) -> str:
    """The same for calls that ask for the same."""
    return f"{call.name} {json.dumps(dict(call.arguments), sort_keys=True)}"


def _bounded(text: str, limit: int) -> str:
    text = text.strip() or "Done."
    return text if len(text) <= limit else f"{text[:limit]} ..."


def _now() -> float:
    return asyncio.get_running_loop().time()
