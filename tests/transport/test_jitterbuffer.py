"""Packets come out in order, at once when nothing is missing, and loss is not waited for long."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inzwa_rtc.transport.jitterbuffer import MAX_HELD, MAX_WAIT_S, Lost, ReorderBuffer


def name(sequence: int) -> bytes:
    return str(sequence).encode()


def push(buffer: ReorderBuffer, sequence: int, now: float = 0.0) -> list[bytes | Lost]:
    return buffer.push(sequence % 65536, name(sequence), now)


def test_packets_in_order_pass_at_once_across_the_wrap() -> None:
    buffer = ReorderBuffer()
    for sequence in range(65530, 65545):
        assert push(buffer, sequence) == [name(sequence)]


def test_a_late_packet_is_put_in_its_place() -> None:
    buffer = ReorderBuffer()
    assert push(buffer, 1) == [b"1"]
    assert push(buffer, 3, 0.02) == []
    assert push(buffer, 2, 0.03) == [b"2", b"3"]
    assert buffer.lost == 0


def test_a_lost_packet_is_given_up_after_sixty_ms_and_names_the_one_that_may_repair_it() -> None:
    buffer = ReorderBuffer()
    push(buffer, 1)
    assert push(buffer, 3, 0.02) == []
    assert push(buffer, 4, 0.04) == []
    assert push(buffer, 5, 0.02 + MAX_WAIT_S) == [Lost(b"3"), b"3", b"4", b"5"]
    assert buffer.lost == 1


def test_a_packet_after_it_was_given_up_is_not_played_out_of_order() -> None:
    buffer = ReorderBuffer()
    push(buffer, 1)
    push(buffer, 3, 0.0)
    push(buffer, 4, 1.0)
    assert push(buffer, 2, 1.1) == []
    assert push(buffer, 3, 1.1) == []  # a duplicate
    assert buffer.late == 2


def test_a_jump_is_a_new_stream_not_a_loss() -> None:
    buffer = ReorderBuffer()
    push(buffer, 1)
    assert push(buffer, 5000) == [b"5000"]
    assert buffer.lost == 0


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=80),
    st.lists(st.floats(0, 0.1), min_size=80, max_size=80),
)
def test_any_arrival_order_comes_out_ascending_and_bounded(
    order: list[int], gaps: list[float]
) -> None:
    buffer, now, out = ReorderBuffer(), 0.0, list[bytes | Lost]()
    for sequence, gap in zip(order, gaps, strict=False):
        now += gap
        out += push(buffer, sequence, now)
        assert len(buffer._held) <= MAX_HELD
    numbers = [int(item) for item in out if isinstance(item, bytes)]
    assert numbers == sorted(set(numbers))
    assert sum(isinstance(item, Lost) for item in out) == buffer.lost
