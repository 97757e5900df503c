"""A voice's recording is decoded whatever its samples are, or refused by name."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inzwa_rtc.engines.tts.apart import plain_file
from inzwa_rtc.engines.tts.apart.recording import Recording, read_recording, resampled
from inzwa_rtc.errors import EngineUnavailable
from tests.engines.apart.sounds import voiced, write_wav

RATE = 24_000


def write_float(file: Path, sound: NDArray[np.float64], rate: int = RATE) -> Path:
    """32-bit float WAV, which Python's own module does not write."""
    data = sound.astype("<f4").tobytes()
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, rate, rate * 4, 4, 32)
    body = b"WAVE" + head + b"data" + struct.pack("<I", len(data)) + data
    file.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return file


def refusal(file: Path) -> str:
    with pytest.raises(EngineUnavailable) as refused:
        read_recording(file, RATE)
    assert str(file) in refused.value.message
    assert refused.value.action
    return refused.value.message


@pytest.mark.parametrize(("rate", "channels"), [(24_000, 1), (44_100, 2), (8_000, 1), (48_000, 6)])
def test_it_becomes_mono_at_the_wanted_rate(tmp_path: Path, rate: int, channels: int) -> None:
    file = write_wav(tmp_path / "a.wav", voiced(2, rate), rate, channels)
    recording = read_recording(file, RATE)
    assert recording.samples.dtype == np.float32
    assert recording.rate == RATE
    assert abs(len(recording.samples) - 2 * RATE) < RATE // 50
    assert 0.1 < np.abs(recording.samples).max() <= 1


def test_a_float_recording_beyond_full_scale_is_made_quieter(tmp_path: Path) -> None:
    recording = read_recording(write_float(tmp_path / "a.wav", voiced(2) * 8), RATE)
    assert np.abs(recording.samples).max() == pytest.approx(1)


def test_it_can_be_read_again_as_a_file(tmp_path: Path) -> None:
    recording = read_recording(write_wav(tmp_path / "a.wav", voiced(1.5)), RATE)
    again = tmp_path / "b.wav"
    again.write_bytes(recording.wav().read())
    assert np.allclose(read_recording(again, RATE).samples, recording.samples, atol=1e-3)


@pytest.mark.parametrize(
    ("seconds", "reason"), [(0.1, "0.1 s long"), (0.9, "0.9 s long"), (600, "longer than")]
)
def test_one_that_is_too_short_or_too_long_is_refused(
    tmp_path: Path, seconds: float, reason: str
) -> None:
    assert reason in refusal(write_wav(tmp_path / "a.wav", voiced(seconds, 8_000), 8_000))


def test_silence_is_refused(tmp_path: Path) -> None:
    assert "silent" in refusal(write_wav(tmp_path / "a.wav", np.zeros(2 * RATE)))
    assert "silent" in refusal(write_wav(tmp_path / "b.wav", voiced(2) / 2000))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    sound = voiced(2)
    sound[1000] = value
    assert "no numbers" in refusal(write_float(tmp_path / "a.wav", sound))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"ID3\x04" + bytes(4000),
        b"#EXTM3U\nhttp://127.0.0.1:9/a.wav\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\xff\0\0\0\0\0\0\0\0\0\0\0\x10\0data\0\0\0\0",
    ],
)
def test_what_is_no_wav_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(content)
    assert "no WAV file" in refusal(file)


def test_one_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "a.wav")
    (tmp_path / "b.wav").mkdir()
    assert "no plain file" in refusal(tmp_path / "b.wav")


def test_a_link_or_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.wav").symlink_to(write_wav(tmp_path / "there.wav", voiced(2)))
    assert "a link" in refusal(tmp_path / "a.wav")
    os.mkfifo(tmp_path / "b.wav")
    assert "no plain file" in refusal(tmp_path / "b.wav")


def test_what_became_a_pipe_since_it_was_looked_at_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "a.wav")
    monkeypatch.setattr(plain_file, "check_plain", lambda _path: None)
    assert "no plain file" in refusal(tmp_path / "a.wav")


def test_a_cut_file_is_taken_as_far_as_it_goes(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "a.wav", voiced(4))
    file.write_bytes(file.read_bytes()[: 2 * RATE * 2])
    assert len(read_recording(file, RATE).samples) == pytest.approx(2 * RATE, abs=100)


def test_sound_is_resampled_whole() -> None:
    sound = voiced(1).astype(np.float32)
    assert len(resampled(sound, RATE, 16_000)) == pytest.approx(16_000, abs=160)
    assert resampled(sound, RATE, RATE) is sound
    assert len(resampled(sound[:0], RATE, 16_000)) == 0


def test_a_recording_keeps_its_rate_as_a_file() -> None:
    data = Recording(np.zeros(10, np.float32), 16_000).wav().read()
    assert struct.unpack_from("<I", data, 24) == (16_000,)
