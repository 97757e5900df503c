"""Several engines are asked one after another, until one begins to answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from inzwa_rtc.engines.chain import Chain, Engine, Link, now
from inzwa_rtc.errors import EngineError, EngineTimeout

Chunk = TypeVar("Chunk")


async def first_to_answer(
    chain: Chain[Engine],
    ask: Callable[[Link[Engine]], AsyncGenerator[Chunk, None]],
    order: Sequence[str] | None = None,
) -> AsyncGenerator[Chunk, None]:
    """The answer of the first engine that begins one, its first part within the chain's time."""
    errors: dict[str, EngineError] = {}
    limit = now() + chain.answer_s
    for link, later in chain.askable(order):
        has_begun = False
        try:
            with link.attempt() as attempt:
                async with aclosing(ask(link)) as chunks:
                    share_s = max(0.0, limit - now()) / (1 + later)
                    chunk = await _first(link.name, chunks, share_s)
                    has_begun = True
                    attempt.succeeded()
                    while chunk is not None:
                        yield chunk
                        chunk = await anext(chunks, None)
                    return
        except EngineError as error:
            if has_begun:
                raise
            errors[link.name] = error
    raise chain.nobody(errors)


async def _first(name: str, chunks: AsyncGenerator[Chunk, None], within_s: float) -> Chunk | None:
    try:
        async with asyncio.timeout(within_s):
            return await anext(chunks, None)
    except TimeoutError:
        raise EngineTimeout(f"`{name}` did not begin to answer within {within_s:.1f} s.") from None
