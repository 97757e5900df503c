"""Asking a language model, whichever it is, and what no error of it may hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import LanguageModel, Message, ReplyRequest, TokenChunk
from inzwa_rtc.errors import EngineError

CANARY = "muchato-canary"
"""What the caller said."""

REQUEST = ReplyRequest((Message("system", "Be brief."), Message("user", CANARY)), max_tokens=64)

Make = Callable[..., Any]
"""Builds an engine with these options."""


def dialogue(turns: int) -> ReplyRequest:
    """Turns of 100 characters, the user's first."""
    said = [Message("user" if n % 2 == 0 else "assistant", f"{n:03} " * 25) for n in range(turns)]
    return ReplyRequest((Message("system", "Be brief."), *said), max_tokens=64)


async def reply(engine: LanguageModel, request: ReplyRequest = REQUEST) -> list[TokenChunk]:
    async with asyncio.timeout(30), aclosing(engine.reply(request)) as chunks:
        return [chunk async for chunk in chunks if isinstance(chunk, TokenChunk)]


async def said(engine: LanguageModel, request: ReplyRequest = REQUEST) -> str:
    return "".join([chunk.token for chunk in await reply(engine, request)])


async def error_of(engine: LanguageModel, request: ReplyRequest = REQUEST) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await reply(engine, request)
    assert CANARY not in str(caught.value)
    assert caught.value.action
    return caught.value
