"""Connections that fail while they are set up, or while they are ended, leave nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiortc import RTCPeerConnection

from inzwa_rtc.transport import ice, webrtc
from inzwa_rtc.transport.hooks import gathering
from inzwa_rtc.transport.udp import UdpSocket
from tests.support.belongings import Before, belongings
from tests.support.caller import calling, make_offer
from tests.support.server import Serving, serving

TIMES = 3
Break = Callable[[pytest.MonkeyPatch], None]


def bound_and_then_broken(patch: pytest.MonkeyPatch) -> None:
    """Something fails once all sockets are bound and candidates are told."""
    bind = RTCPeerConnection.setLocalDescription

    async def broken(pc: RTCPeerConnection, *description: Any) -> None:
        await bind(pc, *description)
        raise RuntimeError("aiortc has changed")

    patch.setattr(RTCPeerConnection, "setLocalDescription", broken)


def answered_and_then_broken(patch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("aiortc answers in another way")

    patch.setattr(webrtc, "answered", broken)


def cancelled_once_bound(patch: pytest.MonkeyPatch) -> None:
    """As it is when its caller goes away meanwhile."""
    bind = RTCPeerConnection.setLocalDescription

    async def cancelled(pc: RTCPeerConnection, *description: Any) -> None:
        await bind(pc, *description)
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.Event().wait()

    patch.setattr(RTCPeerConnection, "setLocalDescription", cancelled)


def cancelled_while_it_gathers(patch: pytest.MonkeyPatch) -> None:
    """After `timeouts.call_setup`."""
    bind = RTCPeerConnection.setLocalDescription

    async def waiting(pc: RTCPeerConnection, *description: Any) -> None:
        await bind(pc, *description)
        await asyncio.Event().wait()

    patch.setattr(RTCPeerConnection, "setLocalDescription", waiting)


def broken_at_the_second_address(patch: pytest.MonkeyPatch) -> None:
    """The event loop cannot watch the second socket."""
    made: list[object] = []

    class Broken(UdpSocket):
        def __init__(self, *of: Any) -> None:
            made.append(of)
            if len(made) > 1:
                raise OSError("no space left on device")
            super().__init__(*of)

    patch.setattr(gathering, "UdpSocket", Broken)


def taken_away_before_the_second(patch: pytest.MonkeyPatch) -> None:
    """The second look for a port fails, not by finding none."""
    bind = ice._bound_socket
    found: list[Any] = []

    def broken(*where: Any) -> Any:
        if found:
            raise PermissionError("not any more")
        found.append(bind(*where))
        return found[-1]

    patch.setattr(ice, "_bound_socket", broken)


AT_ONCE = [
    bound_and_then_broken,
    answered_and_then_broken,
    cancelled_once_bound,
    broken_at_the_second_address,
    taken_away_before_the_second,
]
TRANSPORTS = pytest.mark.parametrize("transports", [1, 2])


@pytest.fixture(autouse=True)
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "machine_addresses", lambda: ["127.0.0.1", "192.0.2.1"])
    monkeypatch.setattr(ice, "usable_addresses", lambda _: ["127.0.0.1", "127.0.0.2"])


async def offered(transports: int) -> str:
    """An offer whose sections have transports of their own, or share one."""
    pc, offer = await make_offer()
    await pc.close()
    return offer if transports == 1 else offer.replace("a=group:BUNDLE", "a=was:BUNDLE")


async def refused(server: Serving, path: str, offer: str, token: str = "") -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{server.url}/v1/calls{path}"
    async with aiohttp.ClientSession() as http:
        try:
            async with http.post(url, json={"sdp": offer}, headers=headers) as response:
                assert response.status in (408, 500)
        except aiohttp.ServerDisconnectedError:
            pass  # of a request that was cancelled


@pytest.mark.parametrize("breaks", [*AT_ONCE, cancelled_while_it_gathers])
@TRANSPORTS
async def test_a_call_that_fails_while_it_is_set_up_leaves_nothing_behind(
    breaks: Break, transports: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = await offered(transports)
    async with serving(timeouts={"call_setup": 0.2}) as server:
        before, had = Before(), None
        for _ in range(TIMES):
            with monkeypatch.context() as patch:
                breaks(patch)
                await refused(server, "", offer)
            assert len(server.calls) == 0
            await before.again()
            had = had or belongings()  # the first one has what is kept for later
        assert belongings() == had


@pytest.mark.parametrize("breaks", AT_ONCE)
async def test_a_connection_that_fails_to_take_up_a_call_leaves_the_call_as_it_was(
    breaks: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = await offered(1)
    async with serving() as server:
        async with calling(server.url) as caller:
            before, had = Before(), None
            for _ in range(TIMES):
                with monkeypatch.context() as patch:
                    breaks(patch)
                    await refused(server, f"/{caller.id}/resume", offer, caller.token)
                await before.again()
                had = had or belongings()
            assert belongings() == had
            caller.send(type="update")
            await caller.told("session.updated")


async def never() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise RuntimeError("aiortc has changed")


@pytest.mark.parametrize("stop", [never, fails])
async def test_a_connection_that_does_not_end_by_itself_is_ended(
    stop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its place is free again, and its sockets, tasks and threads are gone."""
    monkeypatch.setattr(webrtc, "CLOSE_S", 0.05)
    async with serving() as server:
        before, had = Before(), None
        for _ in range(TIMES):
            async with calling(server.url) as caller:
                (call,) = server.calls.all()
                assert call.peer is not None
                (transceiver,) = call.peer._pc.getTransceivers()
                # Not patched: what undoes that would keep the call.
                transceiver.stop = stop  # type: ignore[method-assign]
                del call, transceiver
                caller.send(type="stop")
                await server.calls.all_ended()
                await ended(server)
            await before.again()
            had = had or belongings()
        assert belongings() == had


async def ended(server: Serving) -> None:
    """Until the tasks of all connections are over."""
    await asyncio.gather(*server.calls.connections._tasks)


async def test_a_place_is_given_back_even_if_nothing_can_be_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offer = await offered(1)
    close = webrtc.WebRtcPeer.close

    async def closed_and_then_broken(peer: webrtc.WebRtcPeer[Any]) -> None:
        await close(peer)
        raise RuntimeError("what closes has changed")

    async with serving(timeouts={"call_setup": 0.2}) as server, aiohttp.ClientSession() as http:
        monkeypatch.setattr(webrtc.WebRtcPeer, "close", closed_and_then_broken)
        async with http.post(f"{server.url}/v1/calls", json={"sdp": offer}) as response:
            assert response.status == 201
        async with asyncio.timeout(30):
            await server.calls.all_ended()
