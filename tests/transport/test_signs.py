"""When a caller over WebRTC was last heard from, as aioice and aiortc tell it."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.peering import PATIENCE_S, paired


async def test_a_caller_who_only_listens_is_heard_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """No audio comes of them: their machine answers the checks of the path."""
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.02)
    async with paired("recvonly") as pair:
        heard = pair.peer.last_heard
        async with asyncio.timeout(PATIENCE_S):
            while pair.peer.last_heard == heard:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        assert pair.peer.statistics()["packets"] == 0


async def test_a_client_that_closes_the_connection_says_so() -> None:
    async with paired() as pair:
        before = pair.peer.departure
        await pair.client.close()
        async with asyncio.timeout(PATIENCE_S):
            async for _ in pair.peer.receive():
                pass
        assert (before, pair.peer.departure) == ("lost", "closed")
