"""Opus and resampling keep the sound and its length."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.coders import mode_of
from inzwa_rtc.audio.opus import OpusDecoder, OpusEncoder
from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.errors import PeerError


def tone(rate: int, seconds: float, hz: float = 300.0) -> bytes:
    times = np.arange(int(rate * seconds)) / rate
    return bytes((np.sin(2 * np.pi * hz * times) * 8000).astype("<i2").tobytes())


def test_speech_band_sound_survives_opus_at_24_to_32_kbit() -> None:
    source = tone(24_000, 1.0)
    encoder, decoder = OpusEncoder(24_000, 28_000), OpusDecoder(24_000)
    packets = [encoder.encode(source[i : i + 960]) for i in range(0, len(source), 960)]
    decoded = np.frombuffer(b"".join(decoder.decode(p) for p in packets), "<i2").astype(float)
    original = np.frombuffer(source, "<i2").astype(float)
    assert len(decoded) == len(original)
    correlation = max(
        np.corrcoef(original[4800:-4800], decoded[4800 + lag : lag - 4800 or None])[0, 1]
        for lag in range(0, 480)
    )
    assert correlation > 0.98
    assert sum(len(p) for p in packets) * 8 < 36_000


def test_a_frame_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="480 samples"):
        OpusEncoder(24_000, 28_000).encode(bytes(100))


@pytest.mark.parametrize(
    ("bitrate", "modes"),
    [(32_000, {"celt"}), (24_000, {"celt"}), (12_000, {"silk"}), (8_000, {"silk"})],
)
def test_speech_is_celt_where_there_is_room_and_silk_where_there_is_not(
    bitrate: int, modes: set[str]
) -> None:
    source = tone(24_000, 0.5)
    encoder = OpusEncoder(24_000, bitrate)
    packets = [encoder.encode(source[i : i + 960]) for i in range(0, len(source), 960)]
    assert {mode_of(packet) for packet in packets} == modes


def test_a_client_encodes_as_voice_at_any_bit_rate() -> None:
    encoder = OpusEncoder(48_000, 32_000, mode="voice")
    source = tone(48_000, 0.5)
    packets = [encoder.encode(source[i : i + 1920]) for i in range(0, len(source), 1920)]
    assert {mode_of(packet) for packet in packets} <= {"silk", "hybrid"}


def test_celt_comes_four_milliseconds_sooner() -> None:
    sooner = OpusEncoder(24_000, 12_000).lookahead - OpusEncoder(24_000, 28_000).lookahead
    assert sooner == 24_000 * 4 // 1000


def test_encoders_that_are_set_otherwise_have_other_codings() -> None:
    same = [OpusEncoder(24_000, 28_000).coding for _ in range(2)]
    others = [
        OpusEncoder(16_000, 28_000).coding,
        OpusEncoder(24_000, 32_000).coding,
        OpusEncoder(24_000, 28_000, complexity=1).coding,
    ]
    assert len({*same, *others}) == 1 + len(others)


@pytest.mark.parametrize("junk", [b"", b"\xff" * 5, b"\x03"])
def test_what_is_not_opus_is_the_peers_fault(junk: bytes) -> None:
    with pytest.raises(PeerError):
        OpusDecoder(16_000).decode(junk)


@pytest.mark.parametrize("rates", [(22_050, 24_000), (22_050, 16_000), (16_000, 16_000)])
def test_resampling_in_pieces_keeps_length_and_pitch(rates: tuple[int, int]) -> None:
    source_rate, rate = rates
    source = tone(source_rate, 1.0)
    resampler = Resampler(source_rate, rate)
    pieces = [resampler.feed(source[i : i + 706]) for i in range(0, len(source), 706)]
    out = np.frombuffer(b"".join([*pieces, resampler.flush()]), "<i2")
    assert abs(len(out) - rate) <= rate // 500
    spectrum = np.abs(np.fft.rfft(out.astype(float)))
    assert abs(np.argmax(spectrum) * rate / len(out) - 300) < 2
