"""Opus packets become 16 kHz audio in order, and what is missing is filled in as well as can be."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inzwa_rtc.audio.opus import OpusEncoder, library
from inzwa_rtc.transport.receiver import MOST_WAITING, OpusReceiver
from inzwa_rtc.transport.rtp import RtpPacket

RATE = 16_000
FRAME = 320
TICK_S = 0.02
TICKS = 960
FIRST = 65_520

Samples = npt.NDArray[np.float64]


@dataclass(slots=True)
class Sink:
    pieces: list[bytes] = field(default_factory=list)

    def put_audio(self, pcm: bytes) -> None:
        self.pieces.append(pcm)

    @property
    def samples(self) -> Samples:
        return np.frombuffer(b"".join(self.pieces), "<i2").astype(float)


def voice(seconds: float) -> bytes:
    """Something with a pitch that glides, at 24 kHz: no two frames are alike."""
    times = np.arange(int(seconds * 24_000)) / 24_000
    phase = 2 * np.pi * (140 * times + 60 * times**2)
    sound = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 12))
    return bytes((np.asarray(sound) * 5000).astype("<i2").tobytes())


def packets(count: int) -> list[bytes]:
    """As a sender makes them that was told of loss: each repairs the loss of the one before it."""
    encoder = OpusEncoder(24_000, 28_000, mode="voice")
    set_loss, percent = 4014, ctypes.c_int(25)
    assert library().opus_encoder_ctl(encoder._state, set_loss, percent) == 0
    sound = voice(count * TICK_S)
    return [encoder.encode(sound[at : at + 960]) for at in range(0, count * 960, 960)]


def packet(number: int, payload: bytes) -> RtpPacket:
    return RtpPacket((FIRST + number) % 65536, number * TICKS % 2**32, payload, 1)


def receive(sent: dict[int, bytes], ticks: int) -> tuple[Samples, OpusReceiver]:
    """These packets, each in its time; what was heard in so many ticks."""
    sink = Sink()
    receiver = OpusReceiver(sink)
    for tick in range(ticks):
        now = tick * TICK_S
        if tick in sent:
            receiver.push(packet(tick, sent[tick]), now + 0.003)
        receiver.take(now + TICK_S)
    receiver.decode()
    return sink.samples, receiver


def all_but(payloads: list[bytes], *lost: int) -> dict[int, bytes]:
    return {number: one for number, one in enumerate(payloads) if number not in lost}


def frame(samples: Samples, number: int) -> Samples:
    return samples[number * FRAME : (number + 1) * FRAME]


def loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def likeness(one: Samples, other: Samples) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def test_what_has_come_by_a_tick_is_heard_at_that_tick() -> None:
    sink = Sink()
    receiver = OpusReceiver(sink)
    for number, payload in enumerate(packets(10)):
        receiver.push(packet(number, payload), number * TICK_S)
        assert len(sink.pieces) == number
        receiver.take((number + 1) * TICK_S)
        receiver.decode()
    assert [len(piece) for piece in sink.pieces] == [2 * FRAME] * 10


def test_what_nobody_wants_to_hear_yet_is_kept_until_somebody_does() -> None:
    """Or until it is so much that it is late for whoever would."""
    sink = Sink()
    receiver = OpusReceiver(sink)
    for number, payload in enumerate(packets(MOST_WAITING + 1)):
        assert not sink.pieces
        receiver.push(packet(number, payload), number * TICK_S + 0.003)
        receiver.take((number + 1) * TICK_S)
    assert len(sink.pieces) == MOST_WAITING + 1


def test_a_lost_packet_is_restored_from_the_one_after_it() -> None:
    sent = packets(40)
    whole, _ = receive(all_but(sent), 40)
    heard, receiver = receive(all_but(sent, 20), 40)
    assert len(heard) == len(whole)
    assert likeness(frame(heard, 20), frame(whole, 20)) > 0.9
    assert receiver.network().lost == 1
    assert receiver.network().concealed_ms == 0


def test_of_several_lost_packets_the_last_is_restored_and_the_others_are_concealed() -> None:
    sent = packets(40)
    whole, _ = receive(all_but(sent), 40)
    heard, receiver = receive(all_but(sent, 20, 21), 40)
    assert len(heard) == len(whole)
    assert loudness(frame(heard, 20)) > loudness(frame(whole, 20)) / 3
    assert likeness(frame(heard, 21), frame(whole, 21)) > 0.5
    assert (receiver.network().lost, receiver.network().concealed_ms) == (2, 20)


def test_a_long_loss_is_not_filled_with_invented_sound() -> None:
    sent = packets(60)
    heard, receiver = receive(all_but(sent, *range(20, 40)), 60)
    assert receiver.network().lost == 20
    assert len(heard) == 60 * FRAME
    assert loudness(heard[20 * FRAME : 22 * FRAME]) > 1000
    assert not heard[23 * FRAME : 38 * FRAME].any()


def test_sound_that_was_carried_on_ends_softly() -> None:
    sent = packets(20)
    heard, _ = receive(all_but(sent), 40)
    end = np.abs(heard[20 * FRAME : 23 * FRAME])
    assert max(end[-16:]) < 200 < 2000 < max(end[:FRAME])


def test_when_nothing_more_is_sent_exact_silence_follows() -> None:
    sink = Sink()
    receiver = OpusReceiver(sink)
    for number, payload in enumerate(packets(20)):
        receiver.push(packet(number, payload), number * TICK_S)
        receiver.take((number + 1) * TICK_S)
        receiver.decode()
    for tick in range(20, 70):
        receiver.take((tick + 1) * TICK_S)
        receiver.decode()
    assert sink.pieces[-1] == bytes(2 * FRAME)
    assert receiver.network().concealed_ms == 0


def test_a_pause_in_sending_is_as_long_as_it_was() -> None:
    sent = packets(60)
    heard, receiver = receive(all_but(sent), 60)
    assert receiver.network().lost == 0
    sink = Sink()
    receiver = OpusReceiver(sink)
    for tick in range(60):
        if not 20 <= tick < 40:
            number = tick if tick < 20 else tick - 20
            one = RtpPacket((FIRST + number) % 65536, tick * TICKS, sent[tick], 1)
            receiver.push(one, tick * TICK_S + 0.003)
        receiver.take((tick + 1) * TICK_S)
        receiver.decode()
    assert len(sink.samples) == len(heard) == 60 * FRAME
    assert not frame(sink.samples, 30).any()
    assert receiver.network().lost == receiver.network().concealed_ms == 0


def test_the_noise_of_a_room_goes_on_between_the_packets_of_a_sender_that_sends_few() -> None:
    """DTX: a packet every 400 ms while nobody speaks."""
    room = np.random.default_rng(1).normal(0, 60, 24_000 * 4)
    encoder = OpusEncoder(24_000, 28_000, mode="voice")
    set_dtx = 4016
    assert library().opus_encoder_ctl(encoder._state, set_dtx, ctypes.c_int(1)) == 0
    pcm = room.astype("<i2").tobytes()
    sink = Sink()
    receiver = OpusReceiver(sink)
    sent = 0
    for tick in range(250):
        payload = encoder.encode(pcm[tick * 960 : (tick + 1) * 960]) if tick < 200 else b""
        if len(payload) > 2:  # shorter ones need not be sent
            receiver.push(RtpPacket(sent, tick * TICKS, payload, 1), tick * TICK_S + 0.003)
            sent += 1
        receiver.take((tick + 1) * TICK_S)
        receiver.decode()
    heard = sink.samples
    loud = [loudness(frame(heard, number)) for number in range(len(heard) // FRAME)]
    assert sent < 100
    assert 250 - 3 <= len(loud) <= 250
    assert min(loud[20:200]) > max(loud[20:200]) / 4
    assert max(loud[-10:]) == 0.0


def test_garbage_costs_its_own_time_and_is_counted() -> None:
    sent = packets(30)
    for garbage in (b"\xff" * 9, b"\x4b\xff\xff", b"\x4b\x41\xff"):
        heard, receiver = receive({**all_but(sent), 10: garbage}, 30)
        assert receiver.bad_packets == 1
        assert len(heard) == 30 * FRAME


def test_an_empty_packet_is_no_fault() -> None:
    heard, receiver = receive({**all_but(packets(30)), 10: b""}, 30)
    assert receiver.bad_packets == 0
    assert len(heard) == 30 * FRAME


def test_the_network_is_told_in_figures() -> None:
    sent = packets(50)
    sink = Sink()
    receiver = OpusReceiver(sink)
    for number, payload in all_but(sent, 20).items():
        late_s = 0.008 if number % 2 else 0.0
        receiver.push(packet(number, payload), number * TICK_S + late_s)
        receiver.take((number + 1) * TICK_S)
        receiver.decode()
    receiver.push(packet(49, sent[49]), 1.0)
    network = receiver.network()
    assert (network.received, network.lost, network.late) == (50, 1, 0)
    assert (network.duplicates, network.refused) == (1, 0)
    assert 5 < network.jitter_ms < 8.1
    assert 10 < network.buffer_ms < 25


anything = st.builds(
    RtpPacket,
    sequence=st.integers(0, 40),
    timestamp=st.integers(0, 40).map(lambda number: number * TICKS) | st.integers(0, 2**32 - 1),
    payload=st.binary(max_size=40)
    | st.tuples(st.sampled_from([0x48, 0x4B, 0x58, 0x78, 0xE8]), st.binary(max_size=40)).map(
        lambda parts: bytes([parts[0]]) + parts[1]
    ),
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(st.lists(st.tuples(st.floats(0, 0.05), anything), max_size=60))
def test_no_packet_does_harm_and_no_more_is_heard_than_was_sent_or_time_has_passed(
    sent: list[tuple[float, RtpPacket]],
) -> None:
    sink = Sink()
    receiver = OpusReceiver(sink)
    now = 0.0
    for wait_s, one in sent:
        now += wait_s
        receiver.push(one, now)
        receiver.take(now)
        receiver.decode()
    assert len(sink.samples) <= RATE * (now + 0.14 * len(sent))


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[float, RtpPacket]]:
    """Packets as a network brings them: some late, some never, some pauses in between."""
    arrived, at = [], 0
    for number in range(draw(st.integers(1, 60))):
        at += draw(st.sampled_from([1] * 20 + [2, 5, 30]))
        late_s = draw(
            st.sampled_from([0.003] * 10 + [0.0123, 0.0271, 0.0457, 0.1313, 0.3031, None])
        )
        if late_s is not None:
            one = RtpPacket((FIRST + number) % 65536, at * TICKS, VOICE[number], 1)
            arrived.append((at * TICK_S + late_s, one))
    return sorted(arrived, key=lambda pair: pair[0])


VOICE = packets(60)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(deliveries(), st.lists(st.integers(1, 40), min_size=1))
def test_however_seldom_it_is_asked_the_same_is_heard(
    sent: list[tuple[float, RtpPacket]], pauses: list[int]
) -> None:
    """Packets that are read late, with the time at which they came, are heard as if each had been
    read at once; how long the last ones wait is all that changes."""
    end = round((sent[-1][0] if sent else 0.0) / TICK_S) + 50
    often, seldom = Sink(), Sink()
    for sink, steps in ((often, [1]), (seldom, pauses)):
        receiver, left, tick = OpusReceiver(sink), list(sent), 0
        while tick < end:
            tick = min(end, tick + steps[0])
            steps = [*steps[1:], steps[0]]
            while left and left[0][0] <= tick * TICK_S:
                at, one = left.pop(0)
                receiver.push(one, at)
            receiver.take(tick * TICK_S)
            receiver.decode()
    assert b"".join(seldom.pieces) == b"".join(often.pieces)
