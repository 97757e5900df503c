"""A question to a server, from waiting one's turn to the end of its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Annotated, TypeVar

from pydantic import Field

from inzwa_rtc.engines.remote import answers
from inzwa_rtc.engines.remote.answers import Failed
from inzwa_rtc.engines.remote.options import RemoteOptions, Server
from inzwa_rtc.engines.remote.retries import in_time

T = TypeVar("T")

AFTER_THE_END_S = 0.2
"""How long the rest of an answer is read after its last token: counts, the end of the stream."""

Seconds = Annotated[float, Field(gt=0, le=600)]


class StreamingOptions(RemoteOptions):
    """Options of an engine whose server answers piece by piece."""

    first_token_timeout_s: Seconds = 3.0
    """How long a turn waits for the first token: for its turn, for all attempts to ask, and for
    the model. Raise it, and `timeouts.first_token`, for a model that is slow to load."""
    next_token_timeout_s: Seconds = 3.0
    """How long it waits for each token after that."""


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
            return await self._first(attempt, held, option, seconds)

    async def stream(
        self, attempt: Callable[[], AsyncGenerator[T, None]], options: StreamingOptions
    ) -> AsyncGenerator[T, None]:
        """An answer that comes piece by piece, from the first attempt that gives any.

        `attempt` raises `Failed`, also when it has nothing to give. Raises `EngineError`.
        """

        async def begin() -> tuple[AsyncGenerator[T, None], T]:
            pieces = attempt()
            return pieces, await anext(pieces)

        async with AsyncExitStack() as held:
            pieces, piece = await self._first(
                begin, held, "first_token_timeout_s", options.first_token_timeout_s
            )
            held.push_async_callback(pieces.aclose)
            while True:
                yield piece
                try:
                    async with asyncio.timeout(options.next_token_timeout_s):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise answers.silent(
                        self._server, "next_token_timeout_s", options.next_token_timeout_s
                    ) from None
                except Failed as failed:
                    raise failed.error from None

    async def _first(
        self,
        attempt: Callable[[], Awaitable[T]],
        held: AsyncExitStack,
        option: str,
        seconds: float,
    ) -> T:
        """What the first attempt that succeeds gives; its slot is let go with `held`."""
        has_slot = False
        try:
            async with asyncio.timeout(seconds) as limit:
                await held.enter_async_context(self._slots)
                has_slot = True
                left = (limit.when() or 0.0) - asyncio.get_running_loop().time()
                return await in_time(attempt, left)
        except TimeoutError:
            if has_slot:
                raise answers.silent(self._server, option, seconds) from None
            raise answers.crowded(self._server, self._max_concurrent) from None
