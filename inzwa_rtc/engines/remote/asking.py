"""A question to a server, from waiting one's turn to the end of its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated, Protocol, TypeVar

from pydantic import Field

from inzwa_rtc.engines.remote import answers
from inzwa_rtc.engines.remote.answers import Failed
from inzwa_rtc.engines.remote.options import RemoteOptions, Server
from inzwa_rtc.engines.remote.retries import in_time
from inzwa_rtc.errors import EngineError

T = TypeVar("T")

AFTER_THE_END_S = 0.2
"""How long the rest of an answer is read after its last token: counts, the end of the stream."""

Seconds = Annotated[float, Field(gt=0, le=600)]


@dataclass(frozen=True, slots=True)
class Limit:
    """How long something may take, and the option that says so."""

    option: str
    seconds: float


class StreamLimits(Protocol):
    """How long the parts of an answer may take that comes piece by piece."""

    @property
    def first_limit(self) -> Limit:
        """Of the first piece: waiting for one's turn and all attempts to ask included."""
        ...

    @property
    def next_limit(self) -> Limit:
        """Of each piece after that."""
        ...


class StreamingOptions(RemoteOptions):
    """Options of an engine whose server answers piece by piece."""

    first_token_timeout_s: Seconds = 3.0
    """How long a turn waits for the first token: for its turn, for all attempts to ask, and for
    the model. Raise it, and `timeouts.first_token`, for a model that is slow to load."""
    next_token_timeout_s: Seconds = 3.0
    """How long it waits for each token after that."""

    @property
    def first_limit(self) -> Limit:
        """Of the first token."""
        return Limit("first_token_timeout_s", self.first_token_timeout_s)

    @property
    def next_limit(self) -> Limit:
        """Of each token after that."""
        return Limit("next_token_timeout_s", self.next_token_timeout_s)


class Asking:
    """Asks one server, at most `max_concurrent` times at once."""

    def __init__(self, server: Server, max_concurrent: int) -> None:
        self._server = server
        self._max_concurrent = max_concurrent
        self._slots = asyncio.Semaphore(max_concurrent)

    @property
    def is_one_free(self) -> bool:
        """Whether a question would be asked at once."""
        return not self._slots.locked()

    async def once(self, attempt: Callable[[], Awaitable[T]], option: str, seconds: float) -> T:
        """An answer that comes whole, within the `seconds` that this option allows.

        `attempt` raises `Failed`. Raises `EngineError`.
        """
        async with AsyncExitStack() as held:
            return await self._first(attempt, held, Limit(option, seconds))

    async def stream(
        self, attempt: Callable[[], AsyncGenerator[T, None]], limits: StreamLimits
    ) -> AsyncGenerator[T, None]:
        """An answer that comes piece by piece, from the first attempt that gives any.

        `attempt` raises `Failed`, also when it has nothing to give. Raises `EngineError`.
        """

        async def begin() -> tuple[AsyncGenerator[T, None], T]:
            pieces = attempt()
            return pieces, await anext(pieces)

        async with AsyncExitStack() as held:
            pieces, piece = await self._first(begin, held, limits.first_limit)
            held.push_async_callback(pieces.aclose)
            while True:
                yield piece
                try:
                    async with asyncio.timeout(limits.next_limit.seconds):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise _silent(self._server, limits.next_limit) from None
                except Failed as failed:
                    raise failed.error from None

    async def _first(
        self,
        attempt: Callable[[], Awaitable[T]],
        held: AsyncExitStack,
        limit: Limit,
    ) -> T:
        """What the first attempt that succeeds gives; its slot is let go with `held`."""
        has_slot = False
        try:
            async with asyncio.timeout(limit.seconds) as clock:
                await held.enter_async_context(self._slots)
                has_slot = True
                left = (clock.when() or 0.0) - asyncio.get_running_loop().time()
                return await in_time(attempt, left)
        except TimeoutError:
            if has_slot:
                raise _silent(self._server, limit) from None
            raise answers.crowded(self._server, self._max_concurrent) from None


def _silent(server: Server, limit: Limit) -> EngineError:
    return answers.silent(server, limit.option, limit.seconds)
