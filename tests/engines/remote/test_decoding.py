"""Compressed sound is decoded as far as it has come, and nobody waits for more than is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from inzwa_rtc.engines.tts.decoding import Decoders
from tests.engines.remote.speaking import encoded, tone


async def test_no_more_is_taken_than_the_listener_has_asked_for() -> None:
    whole, taken = encoded(tone(20_000), "mp3"), 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal taken
        for start in range(0, len(whole), 200):
            taken += 200
            yield whole[start : start + 200]

    decoders = Decoders(1)
    async with asyncio.timeout(30), aclosing(decoders.decode(pieces(), "mp3", 24_000)) as sound:
        await anext(sound)
        assert taken < len(whole) / 4
    decoders.close()


async def test_leaving_while_a_thread_waits_for_bytes_frees_it() -> None:
    """There is one: the second sound could not be decoded otherwise."""
    asked = asyncio.Event()

    async def nothing() -> AsyncIterator[bytes]:
        asked.set()
        await asyncio.Event().wait()
        yield b""

    async def all_of(data: AsyncIterator[bytes]) -> bytes:
        async with asyncio.timeout(30), aclosing(decoders.decode(data, "mp3", 24_000)) as sound:
            return b"".join([piece async for piece in sound])

    async def something() -> AsyncIterator[bytes]:
        yield encoded(tone(500), "mp3")

    decoders = Decoders(1)
    for _ in range(3):
        waiting = asyncio.create_task(all_of(nothing()))
        await asked.wait()
        waiting.cancel()
        await asyncio.wait({waiting})
    assert await all_of(something())
    decoders.close()


async def test_what_the_stream_itself_raises_comes_through() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield encoded(tone(500), "mp3")[:2000]
        raise ZeroDivisionError

    decoders = Decoders(1)
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(30), aclosing(decoders.decode(broken(), "mp3", 24_000)) as all_:
            async for _ in all_:
                pass
    decoders.close()
