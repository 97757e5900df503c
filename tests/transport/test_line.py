"""A call's media is read when somebody wants to hear it, and now and then else."""

from __future__ import annotations

from inzwa_rtc.transport.line import WebRtcLine

TICK_S = 0.02


class Part:
    """In the place of a sender, a receiver and a socket: notes what is asked of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_quiet = True

    def read(self, now: float) -> None:
        self.asked.append("read")

    def take_silent(self) -> None:
        self.asked.append("take silent")

    def let_go(self) -> None:
        self.asked.append("let go")

    def take(self, now: float) -> None:
        self.asked.append("take")

    @property
    def is_empty(self) -> bool:
        return not self.asked

    def decode(self) -> None:
        self.asked.append("decode")

    def send(self, tick: int) -> None:
        self.asked.append(f"send {tick}")

    def failed(self) -> None:
        self.asked.append("failed")


def line() -> tuple[WebRtcLine, Part]:
    part = Part()
    made = WebRtcLine(part, part, part, part.failed)  # type: ignore[arg-type]
    return made, part


def test_what_nobody_fetches_is_read_at_each_fourth_tick_and_not_decoded() -> None:
    """There are commands, checks and reports beside sound."""
    of_call, part = line()
    of_call.fetch(9 * TICK_S)
    part.asked.clear()
    read_at = []
    for tick in range(10, 22):
        of_call.take_in(tick * TICK_S)
        if part.asked:
            assert part.asked == ["read"]
            read_at.append(tick)
            part.asked.clear()
    assert read_at == [13, 17, 21]


def test_what_is_fetched_is_read_and_decoded_and_not_read_again_in_the_same_tick() -> None:
    of_call, part = line()
    of_call.fetch(9 * TICK_S)
    for tick in range(10, 22):
        part.asked.clear()
        of_call.take_in(tick * TICK_S)
        assert part.asked == []
        of_call.fetch(tick * TICK_S)
        assert part.asked == ["read", "take silent", "take", "decode"]


def test_what_is_due_is_read_once_in_a_tick_by_whoever_comes_first() -> None:
    of_call, part = line()
    of_call.fetch(8 * TICK_S)
    for tick in (16, 24):
        part.asked.clear()
        of_call.take_in(tick * TICK_S)
        of_call.is_silent(tick * TICK_S)
        of_call.fetch(tick * TICK_S)
        assert part.asked == ["read", "take silent", "take", "decode"]


def test_of_a_call_that_nobody_listens_to_all_is_taken_as_it_comes() -> None:
    """What its set-up waits for is none of the clock's."""
    of_call, part = line()
    of_call.take_in(1.0)
    assert part.asked == ["let go", "take silent", "take"]
    of_call.fetch(1.02)
    part.asked.clear()
    of_call.take_in(1.49)
    assert part.asked == ["read"]
    of_call.take_in(1.53)
    assert part.asked == ["read", "let go", "take silent", "take"]


def test_each_tick_sends_and_a_fault_ends_the_call() -> None:
    of_call, part = line()
    of_call.send(7, 1.0)
    of_call.fail()
    assert part.asked == ["send 7", "failed"]


def test_it_rests_until_it_is_to_be_read_where_nothing_is_to_be_sent() -> None:
    of_call, part = line()
    assert of_call.rests(1.0) == 0  # nobody listens: what comes is taken at each tick
    of_call.fetch(1.0)
    assert of_call.rests(1.0) == 3
    part.is_quiet = False
    assert of_call.rests(1.0) == 0
    part.is_quiet = True
    of_call.take_in(1.02)
    assert of_call.rests(1.02) == 2
    of_call.take_in(1.08)
    assert of_call.rests(1.08) == 3
    assert of_call.rests(1.59) == 0
