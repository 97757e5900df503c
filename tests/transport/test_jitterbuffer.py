"""In order, at once when nothing is missing, and nothing is waited for in vain."""

from __future__ import annotations

from inzwa_rtc.transport.jitterbuffer import Missing
from inzwa_rtc.transport.rtp import RtpPacket
from tests.support.rtp import STAND_IN, TICK_S, TICKS, Played, packet, steady, waiting

LONG_TOC = b"\x58"  # one frame of 60 ms


def test_what_comes_in_order_is_handed_out_at_the_next_tick() -> None:
    played = Played()
    for number in range(20):
        played.arrive(number * TICK_S + 0.003, packet(number))
        assert played.run((number + 1) * TICK_S) == [packet(number)]


def test_before_the_first_packet_there_is_nothing() -> None:
    assert Played().run(5.0) == []


def test_an_overtaken_packet_is_put_in_its_place() -> None:
    played = Played()
    steady(played, 5)
    played.arrive(0.103, packet(6))
    assert played.run(0.12) == []
    played.arrive(0.122, packet(5))
    assert played.run(0.14) == [packet(5), packet(6)]
    assert played.buffer.lost == 0


def test_at_rest_a_lost_packet_holds_up_the_next_for_20_ms_and_no_longer_than_the_next_tick() -> (
    None
):
    played = Played()
    steady(played, 5)
    played.arrive(0.1239, packet(6))
    assert played.run(0.14) == []
    assert played.run(0.16) == [Missing(TICKS, 1, packet(6).payload), packet(6)]
    assert played.buffer.lost == 1


def test_several_lost_packets_are_one_gap() -> None:
    played = Played()
    steady(played, 5)
    played.arrive(0.1459, packet(7))
    played.run(0.16)
    assert played.out[-2:] == [Missing(2 * TICKS, 2, packet(7).payload), packet(7)]


def test_however_much_is_lost_something_is_handed_out_every_60_ms() -> None:
    played = Played()
    steady(played, 50)
    assert played.run(1.0) == [packet(49)]
    assert played.run(1.04) == []
    assert played.run(1.06) == [STAND_IN]
    assert played.run(1.10) == [STAND_IN] * 2


def test_what_came_too_late_is_counted_and_waited_for_the_next_time() -> None:
    played = Played()
    steady(played, 5)
    played.arrive(0.125, packet(6))
    played.run(0.16)
    played.arrive(0.185, packet(5))
    assert packet(5) not in played.run(0.2)
    assert (played.buffer.late, played.buffer.lost) == (1, 1)
    assert played.buffer.patience_s > 0.06
    played.arrive(0.203, packet(7))
    played.arrive(0.223, packet(8))
    played.arrive(0.263, packet(10))
    played.arrive(0.310, packet(9))
    assert played.run(0.32)[-2:] == [packet(9), packet(10)]


def test_patience_returns_to_rest_on_a_network_that_has_recovered() -> None:
    played = Played()
    steady(played, 5)
    played.arrive(0.125, packet(6))
    played.arrive(0.185, packet(5))
    assert played.buffer.patience_s > 0.05
    steady(played, 2000, 0.2, 7)
    assert played.buffer.patience_s == 0.02


def test_a_duplicate_is_used_once() -> None:
    played = Played()
    played.arrive(0.003, packet(0), packet(0))
    assert played.run(0.02) == [packet(0)]
    played.arrive(0.023, packet(0), packet(1))
    assert played.run(0.04) == [packet(1)]
    assert played.buffer.duplicates == 2


def test_first_packets_in_disorder_are_all_used() -> None:
    played = Played()
    played.arrive(0.003, packet(2), packet(0), packet(1))
    assert played.run(0.02) == [packet(0), packet(1), packet(2)]


def test_a_pause_in_which_nothing_is_sent_lasts_as_long_as_it_did() -> None:
    """DTX: the timestamps go on, the sequence does not."""
    played = Played()
    steady(played, 10)
    played.arrive(0.603, packet(10, timestamp=30 * TICKS))
    played.run(0.62)
    silence = sum(item.ticks for item in played.out if isinstance(item, Missing))
    assert silence == 20 * TICKS
    assert played.buffer.lost == 0


def test_in_a_pause_time_goes_on_two_ticks_behind() -> None:
    played = Played()
    steady(played, 10)
    played.run(0.5)
    assert played.ticks == 23 * TICKS


def test_a_sender_that_stops_its_timestamps_while_muted_is_heard_again_at_once() -> None:
    played = Played()
    steady(played, 10)
    played.arrive(30.003, packet(10), packet(11))
    assert played.run(30.02) == [packet(10), packet(11)]


def test_what_waited_in_the_network_is_all_used_in_order() -> None:
    played = Played()
    steady(played, 10)
    held_up = [packet(number) for number in range(10, 30)]
    played.arrive(0.601, *held_up)
    assert played.run(0.62) == held_up


def test_audio_that_came_late_is_made_up_for_by_what_is_missing_afterwards() -> None:
    played = Played()
    steady(played, 10)
    played.arrive(0.26, *[packet(number) for number in range(10, 13)])  # 20 ms stood in
    steady(played, 5, 0.26, 13)
    played.arrive(0.36 + 0.0239, packet(19))  # 18 was lost
    assert played.run(0.42) == [Missing(0, 1, packet(19).payload), packet(19)]


def test_another_ssrc_is_another_stream_and_nothing_of_either_is_lost() -> None:
    played = Played()
    steady(played, 10)
    played.arrive(0.203, packet(10), packet(9000, ssrc=2))
    assert played.run(0.22) == [packet(10)]
    played.arrive(0.223, packet(9001, ssrc=2))
    assert played.run(0.24) == [packet(9000, ssrc=2), packet(9001, ssrc=2)]
    assert played.buffer.lost == 0


def test_a_stream_that_begins_anew_in_disorder_is_put_in_order() -> None:
    played = Played()
    steady(played, 10)
    played.arrive(0.203, packet(7001, ssrc=2), packet(7000, ssrc=2))
    assert played.run(0.22) == [packet(7000, ssrc=2), packet(7001, ssrc=2)]


def test_numbers_that_begin_anew_are_a_stream_that_does() -> None:
    """Within one SSRC: far away, and close behind at another time."""
    for number, timestamp in ((20_000, 5), (-100, 10**9)):
        played = Played()
        steady(played, 10)
        anew = [packet(number + n, timestamp + n * TICKS) for n in range(3)]
        played.arrive(0.203, *anew)
        assert played.run(0.22) == anew


def test_a_single_stray_packet_disturbs_nothing() -> None:
    played = Played()
    steady(played, 10)
    played.arrive(0.203, packet(30_000), packet(10))
    played.arrive(0.223, packet(11), packet(77, ssrc=9))
    played.run(0.24)
    assert played.out == [packet(number) for number in range(12)]
    assert played.buffer.refused == 1
    assert waiting(played.buffer) == 1


def test_a_jump_of_the_timestamps_adds_no_more_silence_than_time_has_passed() -> None:
    played = Played()
    steady(played, 10)
    played.arrive(0.203, packet(10, timestamp=10**8))
    played.arrive(0.223, packet(11, timestamp=10**8 + TICKS))
    played.run(0.24)
    assert played.ticks <= 14 * TICKS


def test_packets_of_60_ms_are_not_taken_for_pauses() -> None:
    played = Played()
    sent = [
        RtpPacket(number, number * 3 * TICKS, LONG_TOC + bytes([number])) for number in range(50)
    ]
    for number, one in enumerate(sent):
        played.arrive(number * 0.06 + 0.003, one)
    assert played.run(3.0) == sent[-1:]
    assert played.out == sent


def test_after_the_servers_own_stall_the_words_are_not_cut_in_two() -> None:
    """The clock wakes up before the network's packets were read."""
    played = Played()
    steady(played, 10)
    buffer = played.buffer
    played.run(0.2)
    out = buffer.take(5.2)
    for number in range(10, 250):
        buffer.push(packet(number), 5.201)
    out += buffer.take(5.22)
    assert out == [STAND_IN, *[packet(number) for number in range(10, 250)]]


def test_whoever_asks_more_often_is_given_no_more_silence_than_time_has_passed() -> None:
    played = Played()
    steady(played, 10)
    at, silence = 10 * TICK_S, 0
    for number in range(1, 200):
        given = played.buffer.take(at + number * TICK_S / 2)
        silence += sum(item.ticks for item in given if isinstance(item, Missing))
    assert 0.9 * 100 * TICKS < silence <= 100 * TICKS
