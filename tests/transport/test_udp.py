"""A call's socket tells when each datagram came, whenever it is read."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from inzwa_rtc.transport import udp
from inzwa_rtc.transport.udp import CROWD, MOST_AT_ONCE, UdpSocket

LOCAL = ("127.0.0.1", 0)
GUARD_S = 30
ROUNDED_S = 1e-5


class Sink:
    """Notes what comes and when, and what is told."""

    def __init__(self) -> None:
        self.came: list[bytes] = []
        self.times: list[float] = []
        self.lost: list[Exception | None] = []
        self.errors: list[Exception] = []
        self.changed = asyncio.Event()
        self.made: list[asyncio.BaseTransport] = []
        self.on_came: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made.append(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        (one,) = self.made
        assert isinstance(one, UdpSocket)
        self.came.append(data)
        self.times.append(one.arrived_at)
        self.changed.set()
        self.on_came()

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    async def has(self, count: int) -> None:
        async with asyncio.timeout(GUARD_S):
            while len(self.came) < count:
                self.changed.clear()
                await self.changed.wait()


class Unstamped(socket.socket):
    """Of a kernel that takes the option and tells nothing, or of one that does not know it."""

    knows = True

    def setsockopt(self, *option: Any) -> None:
        if not self.knows:
            raise OSError("protocol not available")

    def recvmsg(self, *sizes: Any) -> Any:
        data, _, flags, address = super().recvmsg(*sizes)
        return data, [], flags, address


class Unknown(Unstamped):
    knows = False


class Pair:
    """A socket of ours, and one that sends to it."""

    def __init__(self, kind: type[socket.socket] = socket.socket) -> None:
        self.sink = Sink()
        bound = kind(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind(LOCAL)
        self.ours = UdpSocket(bound, self.sink)
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.other.bind(LOCAL)
        self.other.setblocking(False)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def send(self, *datagrams: bytes) -> None:
        for data in datagrams:
            self.other.sendto(data, self.ours.get_extra_info("sockname"))

    async def turns(self) -> None:
        """The loop has looked at its sockets some times."""
        for _ in range(5):
            await asyncio.sleep(0)


@asynccontextmanager
async def paired(kind: type[socket.socket] = socket.socket) -> AsyncIterator[Pair]:
    pair = Pair(kind)
    try:
        yield pair
    finally:
        pair.ours.close()
        pair.other.close()


async def test_datagrams_are_given_as_they_come_and_sent_where_they_are_to_go() -> None:
    async with paired() as pair:
        assert pair.sink.made == [pair.ours]
        pair.send(b"one", b"two")
        await pair.sink.has(2)
        assert pair.sink.came == [b"one", b"two"]
        pair.ours.sendto(b"three", pair.other.getsockname())
        data, address = pair.other.recvfrom(100)
        assert (data, address) == (b"three", pair.ours.get_extra_info("sockname"))


async def test_what_is_read_later_has_the_time_at_which_it_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both clocks stand still while it is read, so that their times can be compared."""
    async with paired() as pair:
        pair.ours.wait_to_be_asked()
        bounds = []
        for number in range(3):
            before = time.time()
            pair.send(bytes([number]))
            bounds.append((before, time.time()))
        wall, now = time.time(), pair.now
        monkeypatch.setattr("inzwa_rtc.transport.udp.time.time", lambda: wall)
        monkeypatch.setattr(pair.ours, "_loop", SimpleNamespace(time=lambda: now))
        pair.ours.read(now)
        monkeypatch.undo()
        assert pair.sink.came == [b"\0", b"\1", b"\2"]
        for (before, behind), came_at in zip(bounds, pair.sink.times, strict=True):
            assert before - ROUNDED_S <= came_at - now + wall <= behind + ROUNDED_S


@pytest.mark.parametrize("step_s", [-3600.0, -0.01, 0.01, 3600.0])
async def test_a_wall_clock_that_is_set_moves_nothing_before_the_last_reading_or_behind_this_one(
    step_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paired() as pair:
        pair.ours.wait_to_be_asked()
        began = pair.now
        pair.ours.read(began)
        wall = time.time
        monkeypatch.setattr("inzwa_rtc.transport.udp.time.time", lambda: wall() + step_s)
        pair.send(b"one", b"two")
        now = pair.now
        pair.ours.read(now)
        assert len(pair.sink.times) == 2
        assert all(began <= came_at <= now for came_at in pair.sink.times)


async def test_a_wall_clock_that_is_set_between_two_datagrams_does_not_change_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stamps = iter([1000.0, 990.0, 1000.001])
    monkeypatch.setattr(udp, "_timestamp", lambda told: next(stamps))
    async with paired() as pair:
        pair.ours.wait_to_be_asked()
        now = pair.now + 1
        monkeypatch.setattr("inzwa_rtc.transport.udp.time.time", lambda: 1000.5)
        pair.send(b"one", b"two", b"three")
        pair.ours.read(now)
        assert pair.sink.times == sorted(pair.sink.times)
        assert len(pair.sink.times) == 3


async def test_a_reading_for_a_time_that_is_past_takes_nothing_for_older_than_it_is() -> None:
    """A tick's time is told once, and sockets are read one after another."""
    async with paired() as pair:
        pair.ours.wait_to_be_asked()
        pair.ours.read(pair.now)
        tick = pair.now
        pair.send(b"one")
        pair.ours.read(tick)
        assert pair.sink.times == [tick]


async def test_who_waits_to_be_asked_reads_nothing_until_then_and_may_read_as_it_comes_again() -> (
    None
):
    async with paired() as pair:
        pair.ours.wait_to_be_asked()
        pair.send(b"one")
        await pair.turns()
        assert pair.sink.came == []
        pair.ours.read(pair.now)
        assert pair.sink.came == [b"one"]
        pair.send(b"two")
        await pair.turns()
        assert pair.sink.came == [b"one"]
        pair.ours.read_as_it_comes()
        await pair.sink.has(2)
        assert pair.sink.came == [b"one", b"two"]


async def test_a_flood_is_read_a_part_at_a_time() -> None:
    async with paired() as pair:
        pair.ours.wait_to_be_asked()
        taken = pair.ours.get_extra_info("socket")
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        pair.send(*[b"x"] * (MOST_AT_ONCE + 5))
        came = []
        for _ in range(2):
            pair.ours.read(pair.now)
            came.append(len(pair.sink.came))
        assert came[0] == MOST_AT_ONCE
        assert came[1] > came[0]


@pytest.mark.parametrize("kind", [Unstamped, Unknown])
async def test_where_the_kernel_tells_no_times_datagrams_are_read_as_they_come(
    kind: type[socket.socket],
) -> None:
    """Also if it turns out only once it was asked."""
    async with paired(kind) as pair:
        pair.ours.wait_to_be_asked()
        pair.send(b"one")
        before = pair.now
        pair.ours.read(before)
        assert pair.sink.times == [before]
        for number in range(2, 4):
            pair.send(b"more")
            await pair.sink.has(number)
            assert before <= pair.sink.times[-1] <= pair.now
            pair.ours.wait_to_be_asked()


async def test_a_socket_is_closed_once_and_sends_nothing_afterwards() -> None:
    async with paired() as pair:
        pair.send(b"one")
        pair.ours.close()
        assert pair.ours.is_closing()
        assert pair.sink.lost == []  # in a moment
        pair.ours.close()
        pair.ours.abort()
        pair.ours.sendto(b"late", pair.other.getsockname())
        pair.ours.wait_to_be_asked()
        pair.ours.read_as_it_comes()
        pair.ours.read(pair.now)
        await pair.turns()
        assert pair.sink.lost == [None]
        assert (pair.sink.came, pair.sink.errors) == ([], [])
        with pytest.raises(BlockingIOError):
            pair.other.recv(100)


async def test_who_closes_it_for_a_datagram_is_given_no_other() -> None:
    async with paired() as pair:
        pair.ours.wait_to_be_asked()
        pair.send(b"bye", b"more")
        pair.sink.on_came = pair.ours.close
        pair.ours.read(pair.now)
        await pair.turns()
        assert (pair.sink.came, pair.sink.lost) == ([b"bye"], [None])


async def test_what_cannot_be_sent_is_told_and_ends_nothing() -> None:
    async with paired() as pair:
        pair.ours.sendto(bytes(1 << 17), pair.other.getsockname())
        assert [type(error) for error in pair.sink.errors] == [OSError]
        pair.ours.sendto(b"small", pair.other.getsockname())
        assert pair.other.recv(100) == b"small"


async def test_a_crowd_of_datagrams_is_read_as_it_comes_and_what_follows_when_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The kernel has room for some 100 large ones."""
    async with paired() as pair:
        pair.ours.wait_to_be_asked()
        pair.send(*[b"junk"] * (CROWD + 1))
        pair.ours.read(pair.now)
        assert len(pair.sink.came) == CROWD + 1
        pair.send(b"voice")
        await pair.sink.has(CROWD + 2)
        monkeypatch.setattr(udp, "_CROWDED_S", 0.0)
        pair.send(*[b"junk"] * (CROWD + 1))
        pair.ours.read(pair.now)
        pair.ours.read(pair.now)
        came = len(pair.sink.came)
        pair.send(b"voice")
        await pair.turns()
        assert len(pair.sink.came) == came
        pair.ours.read(pair.now)
        assert len(pair.sink.came) == came + 1


async def test_one_turn_of_the_loop_reads_only_some_of_many() -> None:
    """Others are due as well."""
    async with paired() as pair:
        pair.send(*[b"junk"] * 40)
        seen = []
        while len(pair.sink.came) < 40:
            await asyncio.sleep(0)
            seen.append(len(pair.sink.came))
        steps = [later - before for before, later in pairwise((0, *seen))]
        assert max(steps) == 16
