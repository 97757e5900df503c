"""Which addresses and ports a call binds and tells."""

from __future__ import annotations

import socket

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.errors import ConfigError, Unavailable
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport import ice
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.hooks import open_gates
from inzwa_rtc.transport.ice import (
    HostAddress,
    IceSettings,
    check_interfaces,
    configure,
    media_addresses,
    usable_addresses,
)
from inzwa_rtc.transport.webrtc import WebRtcPeer
from signaling.dialects.native import NativeDialect
from tests.support.listening import Steered


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["127.0.0.1", "::1", "192.0.2.7", "fe80::1", "fd00::2"], ["192.0.2.7", "fd00::2"]),
        (["127.0.0.1", "::1"], ["127.0.0.1"]),
        ([], ["127.0.0.1"]),
    ],
)
def test_loopback_is_used_when_there_is_nothing_else(
    addresses: list[str], expected: list[str]
) -> None:
    assert usable_addresses(addresses) == expected


def anybody(host: str, port: int) -> bool:
    return True


async def connect(settings: Settings) -> tuple[WebRtcPeer[Command], RTCPeerConnection]:
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.createDataChannel("inzwa")
    client.addTransceiver("audio")
    offer = await client.createOffer()
    for connection, gate in open_gates(client, anybody):
        configure(connection, gate, IceSettings())
    await client.setLocalDescription(offer)
    peer = WebRtcPeer(settings, NativeDialect(settings.limits), MediaClock(), Steered())
    answer = await peer.answer(client.localDescription.sdp)
    await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return peer, client


async def test_a_call_works_on_a_machine_whose_only_address_is_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ice, "machine_addresses", lambda: ["127.0.0.1", "::1"])
    peer, client = await connect(Settings())
    assert await peer.connected(10)
    await client.close()
    await peer.close()


async def test_a_call_stays_within_the_configured_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "machine_addresses", lambda: ["127.0.0.1"])
    peer, client = await connect(Settings(udp_ports="42000-42010"))
    assert await peer.connected(10)
    ports = [
        candidate.port
        for transport in getattr(client, "_RTCPeerConnection__iceTransports")  # noqa: B009
        for candidate in transport.iceGatherer._connection.remote_candidates
    ]
    assert ports
    assert all(42000 <= port <= 42010 for port in ports)
    await client.close()
    await peer.close()


async def test_a_call_without_a_free_port_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ice, "machine_addresses", lambda: ["127.0.0.1"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        client.addTransceiver("audio")
        await client.setLocalDescription(await client.createOffer())
        settings = Settings(udp_ports=f"{port}-{port}")
        peer = WebRtcPeer(settings, NativeDialect(settings.limits), MediaClock(), Steered())
        with pytest.raises(Unavailable) as refused:
            await peer.answer(client.localDescription.sdp)
        assert refused.value.code == "no_media_port"
        assert "udp_ports" in refused.value.action
        await client.close()
        await peer.close()


def test_a_range_of_ports_is_used_to_its_last_one() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        low = min(probe.getsockname()[1], 65_000)
    ports = range(low, low + 200)
    bound = []
    while (one := ice._bound_socket("127.0.0.1", ports)) is not None:
        bound.append(one)
    last = bound.pop()
    port = last.getsockname()[1]
    last.close()
    again = ice._bound_socket("127.0.0.1", ports)
    assert again is not None
    assert again.getsockname()[1] == port
    for one in [*bound, again]:
        one.close()


HERE = [
    HostAddress("lo", "127.0.0.1"),
    HostAddress("lo", "::1"),
    HostAddress("eth0", "192.0.2.7"),
    HostAddress("eth0", "fe80::7"),
    HostAddress("wg0", "10.8.0.1"),
    HostAddress("wg0", "fd00::1"),
]


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (("wg0",), ["10.8.0.1", "fd00::1"]),
        (("10.8.0.1",), ["10.8.0.1"]),
        (("10.0.0.0/8", "fd00::/8"), ["10.8.0.1", "fd00::1"]),
        (("lo",), ["127.0.0.1", "::1"]),
        (("127.0.0.1", "eth9"), ["127.0.0.1"]),
        ((), ["192.0.2.7", "10.8.0.1", "fd00::1"]),
    ],
)
def test_calls_are_held_where_the_operator_says(
    named: tuple[str, ...], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ice, "host_addresses", lambda: HERE)
    assert media_addresses(Settings(media_interfaces=named).media_interfaces) == expected


def test_interfaces_that_are_not_there_keep_the_server_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ice, "host_addresses", lambda: HERE)
    with pytest.raises(ConfigError) as refused:
        check_interfaces(Settings(media_interfaces=("eth1", "172.16.0.0/12")))
    assert "`media_interfaces`" in refused.value.message
    assert "192.0.2.7 (eth0)" in refused.value.action
    check_interfaces(Settings(media_interfaces=("eth1",), enable_webrtc=False))


async def test_a_call_is_held_on_the_interface_that_is_named_and_no_other() -> None:
    peer, client = await connect(Settings(media_interfaces=("127.0.0.0/8",)))
    assert await peer.connected(10)
    hosts = {
        candidate.host
        for transport in getattr(client, "_RTCPeerConnection__iceTransports")  # noqa: B009
        for candidate in transport.iceGatherer._connection.remote_candidates
    }
    assert hosts == {"127.0.0.1"}
    await client.close()
    await peer.close()


async def test_a_call_is_refused_while_the_interface_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ice, "host_addresses", lambda: HERE[:2])
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.addTransceiver("audio")
    await client.setLocalDescription(await client.createOffer())
    settings = Settings(media_interfaces=("wg0",))
    peer = WebRtcPeer[Command](settings, NativeDialect(settings.limits), MediaClock(), Steered())
    with pytest.raises(Unavailable) as refused:
        await peer.answer(client.localDescription.sdp)
    assert refused.value.code == "no_media_address"
    await client.close()
    await peer.close()
