"""What strangers, and callers who mean no good, can make a call's sockets do: next to nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aioice import Candidate, stun
from aioice.ice import CandidatePair, StunProtocol

from inzwa_rtc.settings import Settings
from tests.support.peering import Pair, paired
from tests.transport.test_forged_packets import request, with_short

STRANGER = ("192.0.2.77", 40_000)
MANY = 1000
DTLS = b"\x15\xfe\xfd" + bytes(20)
RTCP = b"\x80\xc8" * 20


def port_of(pair: Pair) -> StunProtocol:
    return next(iter(pair.connection._nominated.values())).protocol


def own_check(pair: Pair, without: str = "") -> bytes:
    """As the caller makes one."""
    ice = pair.connection
    check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    check.attributes["USERNAME"] = f"{ice.local_username}:{ice.remote_username}"
    check.attributes.update({"PRIORITY": 1, "ICE-CONTROLLING": 1, "USE-CANDIDATE": None})
    check.attributes.pop(without, None)
    check.add_message_integrity(ice.local_password.encode())
    return bytes(check)


def broken(data: bytes) -> bytes:
    """With another last byte: of the fingerprint."""
    return data[:-1] + bytes([data[-1] ^ 1])


async def test_stun_that_is_none_of_the_calls_is_neither_read_nor_answered_nor_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with paired() as pair:
        port, gate = port_of(pair), pair.peer._gates[0]
        ours = f"{pair.connection.local_username}:{pair.connection.remote_username}"
        forged = [
            request(),
            request("abcd:efgh", b"password"),
            request(ours)[:-4],
            broken(own_check(pair)),
            *(with_short(kind, 3) for kind in (0x0024, 0x8028, 0x802A, 0x000D)),
            *(with_name(with_short(kind, 3), ours) for kind in (0x0024, 0x802A, 0x000D)),
            b"\x00",
            b"\x01" + bytes(40),
            bytes(stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)),
            bytes(stun.Message(stun.Method.BINDING, stun.Class.INDICATION)),
            bytes(stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST)),
        ]
        sent: list[Any] = []
        monkeypatch.setattr(port, "send_stun", lambda *message: sent.append(message))
        for address in (STRANGER, next(iter(pair.connection._nominated.values())).remote_addr):
            before = gate.refused
            for datagram in forged:
                port.datagram_received(datagram, address)
            assert gate.refused == before + len(forged)
        assert not sent
        assert pair.connection._queue.empty()


def with_name(datagram: bytes, name: str) -> bytes:
    """One more attribute: the user name."""
    said = name.encode()
    attribute = b"\x00\x06" + len(said).to_bytes(2) + said + bytes(-len(said) % 4)
    length = len(datagram) - stun.HEADER_LENGTH + len(attribute)
    return datagram[:2] + length.to_bytes(2) + datagram[4:] + attribute


async def test_checks_from_many_addresses_count_as_candidates_and_end_with_their_limit() -> None:
    """Each would cost a candidate, pairs, a sorting of all pairs, a task and seven datagrams."""
    async with paired() as pair:
        port, gate, ice = port_of(pair), pair.peer._gates[0], pair.connection
        known, tasks = len(ice.remote_candidates), len(asyncio.all_tasks())
        pairs = len(ice._check_list)
        check = own_check(pair)
        for number in range(MANY):
            port.datagram_received(check, (f"198.51.100.{number % 250}", 20_000 + number))
        limit = Settings().limits.candidates
        more = limit - known
        assert len(ice.remote_candidates) <= limit
        assert len(ice._check_list) - pairs <= more
        assert len(asyncio.all_tasks()) - tasks <= more
        assert gate.refused >= MANY - limit
        assert pair.peer.state == "connected"


@pytest.mark.parametrize("address", ["127.0.0.53", "169.254.169.254", "224.0.0.251", "fe80::1"])
async def test_no_check_goes_where_none_would_be_sent_if_it_were_asked_for(address: str) -> None:
    async with paired() as pair:
        port, known = port_of(pair), len(pair.connection.remote_candidates)
        port.datagram_received(own_check(pair), (address, 50_000))
        assert len(pair.connection.remote_candidates) == known
        assert pair.peer.statistics()["packets_refused"] == 1


async def test_a_check_that_says_nothing_of_its_priority_is_refused() -> None:
    async with paired() as pair:
        port_of(pair).datagram_received(own_check(pair, without="PRIORITY"), STRANGER)
        assert pair.peer.statistics()["packets_refused"] == 1


@pytest.mark.parametrize("kind", ["host", "prflx"])
async def test_a_check_lets_in_before_we_have_made_one_but_none_from_where_nobody_was_told_of(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller may nominate two paths, and use the one that we have not found yet; a stranger
    may send a check of theirs again."""
    async with paired() as pair:
        port, gate = port_of(pair), pair.peer._gates[0]
        host, number = STRANGER
        pair.connection._remote_candidates.append(Candidate("1", 1, "udp", 1, host, number, kind))
        taken: list[bytes] = []
        monkeypatch.setattr(pair.connection, "data_received", lambda data, _: taken.append(data))
        for datagram in (DTLS, own_check(pair), DTLS, RTCP):
            port.datagram_received(datagram, STRANGER)
        assert taken == ([DTLS, RTCP] if kind == "host" else [])
        assert gate.refused == (1 if kind == "host" else 3)


@pytest.mark.parametrize("state", [CandidatePair.State.IN_PROGRESS, CandidatePair.State.WAITING])
@pytest.mark.parametrize("nominates", [True, False])
async def test_a_path_that_was_given_up_half_checked_is_checked_when_the_caller_tries_it(
    state: CandidatePair.State, nominates: bool
) -> None:
    async with paired() as pair:
        found = next(iter(pair.connection._nominated.values()))
        given_up = asyncio.create_task(asyncio.sleep(60))
        given_up.cancel()
        await asyncio.wait([given_up])
        found.task, found.state, found.nominated = given_up, state, False
        found.remote_nominated = True  # as it was then
        check = own_check(pair, without="" if nominates else "USE-CANDIDATE")
        port_of(pair).datagram_received(check, found.remote_addr)
        checking = found.task
        assert checking is not None and checking is not given_up
        async with asyncio.timeout(10):
            await checking
        assert found.state is CandidatePair.State.SUCCEEDED
        assert found.nominated == nominates


async def test_a_check_under_way_is_not_begun_again() -> None:
    async with paired() as pair:
        found = next(iter(pair.connection._nominated.values()))
        under_way = asyncio.create_task(asyncio.sleep(60))
        found.task, found.state = under_way, CandidatePair.State.IN_PROGRESS
        port_of(pair).datagram_received(own_check(pair), found.remote_addr)
        assert found.task is under_way
        under_way.cancel()
