"""Opus packets become 16 kHz frames in order, and a loss is filled in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from aiortc import RTCRtpReceiver
from aiortc.rtcdtlstransport import RTCDtlsTransport

from inzwa_rtc.audio.opus import OpusEncoder
from inzwa_rtc.transport.receiver import OpusReceiver


class Sink:
    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def put_audio(self, pcm: bytes) -> None:
        self.pieces.append(pcm)

    @property
    def samples(self) -> npt.NDArray[np.int16]:
        return np.frombuffer(b"".join(self.pieces), dtype=np.int16)


def tone_packets(frames: int) -> list[bytes]:
    times = np.arange(frames * 480) / 24_000
    tone = (np.sin(2 * np.pi * 300 * times) * 8000).astype("<i2").tobytes()
    encoder = OpusEncoder(24_000, 28_000)
    return [encoder.encode(tone[i : i + 960]) for i in range(0, len(tone), 960)]


def receive(packets: list[tuple[int, bytes]]) -> tuple[Sink, OpusReceiver]:
    sink = Sink()
    now = iter(number * 0.02 for number in range(len(packets) + 1))
    receiver = OpusReceiver(sink, clock=lambda: next(now))
    for sequence, payload in packets:
        receiver.push(sequence, payload)
    return sink, receiver


def loudness(samples: npt.NDArray[np.int16]) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def test_each_packet_is_delivered_when_it_arrives() -> None:
    sink, _ = receive(list(enumerate(tone_packets(10))))
    assert [len(piece) for piece in sink.pieces] == [640] * 10


def test_a_lost_packet_is_replaced_by_sound_not_by_a_hole() -> None:
    packets = list(enumerate(tone_packets(30)))
    whole, _ = receive(packets)
    sink, receiver = receive(packets[:15] + packets[16:])
    assert receiver.buffer.lost == 1
    assert len(sink.samples) == len(whole.samples)
    gap = slice(15 * 320, 16 * 320)
    assert loudness(sink.samples[gap]) > loudness(whole.samples[gap]) / 2


def test_a_long_loss_is_not_filled_with_invented_sound() -> None:
    packets = list(enumerate(tone_packets(60)))
    sink, receiver = receive(packets[:10] + packets[40:])
    assert receiver.buffer.lost == 30
    assert len(sink.samples) == (10 + 3 + 20) * 320


def test_garbage_costs_one_frame() -> None:
    packets = list(enumerate(tone_packets(5)))
    packets[2] = (2, b"\xff" * 9)
    sink, receiver = receive(packets)
    assert receiver.bad_packets == 1
    assert [len(piece) for piece in sink.pieces] == [640] * 5


def test_a_changed_aiortc_is_refused_rather_than_leaving_callers_unheard() -> None:
    class Other:
        pass

    receiver = OpusReceiver(Sink(), clock=lambda: 0.0)
    with pytest.raises(RuntimeError, match="jitter buffer"):
        receiver.attach(Other())  # type: ignore[arg-type]


def test_the_installed_aiortc_has_the_place_we_take() -> None:
    transport = type("T", (), {"state": "new"})()
    assert not isinstance(transport, RTCDtlsTransport)
    OpusReceiver(Sink(), clock=lambda: 0.0).attach(RTCRtpReceiver("audio", transport))
