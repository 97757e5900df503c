"""Speech is encoded while it comes, to what players understand."""

from __future__ import annotations

import io
from contextlib import closing

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from inzwa_rtc.audio.container import FORMATS, Format, encoder, file_encoder

ENCODED = tuple(name for name in FORMATS if name != "pcm")


def tone(rate: int, seconds: float) -> bytes:
    turns = 2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate
    return (12_000 * np.sin(turns)).astype("<i2").tobytes()


def streamed(name: Format, pcm: bytes, rate: int, piece: int = 3333) -> list[bytes]:
    with closing(encoder(name, rate)) as encoding:
        sent = [encoding.feed(pcm[at : at + 2 * piece]) for at in range(0, len(pcm), 2 * piece)]
        return [*sent, encoding.finish()]


def decoded(file: bytes) -> tuple[NDArray[np.float32], int]:
    with av.open(io.BytesIO(file), "r") as container:
        frames = list(container.decode(audio=0))
        rate = frames[0].sample_rate
        to_float = av.AudioResampler(format="flt", layout="mono", rate=rate)
        parts = [part for frame in [*frames, None] for part in to_float.resample(frame)]
    return np.concatenate([part.to_ndarray()[0] for part in parts]), rate


def strongest(audio: NDArray[np.float32], rate: int) -> float:
    """Its frequency."""
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    return float(np.argmax(spectrum) * rate / len(audio))


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("name", ENCODED)
def test_what_is_streamed_is_what_was_spoken(name: Format, rate: int) -> None:
    audio, played_rate = decoded(b"".join(streamed(name, tone(rate, 1.5), rate)))
    assert len(audio) / played_rate == pytest.approx(1.5, abs=0.12)  # codecs fill up their frames
    assert strongest(audio, played_rate) == pytest.approx(440, abs=3)
    assert np.abs(audio[played_rate // 2 : played_rate]).max() == pytest.approx(
        12 / 32.768, rel=0.2
    )


@pytest.mark.parametrize("name", ENCODED)
def test_sound_leaves_before_all_of_it_is_there(name: Format) -> None:
    sent = streamed(name, tone(24_000, 8), 24_000, piece=4800)
    assert len(sent[0]) < len(b"".join(sent)) / 4
    first = next(
        number for number, part in enumerate(sent) if len(b"".join(sent[: number + 1])) > 800
    )
    assert first <= 8  # of 40 pieces
    assert len(sent[-1]) < len(b"".join(sent)) / 4


@pytest.mark.parametrize("name", ["wav", "flac"])
def test_a_file_says_how_long_it_is_and_loses_nothing(name: Format) -> None:
    pcm, file = tone(22_050, 1.0), io.BytesIO()
    with closing(file_encoder(name, 22_050, file)) as encoding:
        for at in range(0, len(pcm), 1000):
            assert encoding.feed(pcm[at : at + 1000]) == b""
        assert encoding.finish() == b""
    with av.open(io.BytesIO(file.getvalue()), "r") as container:
        assert container.duration == 1_000_000
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert samples.astype("<i2").tobytes() == pcm


def test_bare_samples_are_passed_on() -> None:
    pcm, file = tone(16_000, 0.3), io.BytesIO()
    assert b"".join(streamed("pcm", pcm, 16_000)) == pcm
    with closing(file_encoder("pcm", 16_000, file)) as encoding:
        encoding.feed(pcm)
        encoding.finish()
    assert file.getvalue() == pcm


@pytest.mark.parametrize("name", FORMATS)
def test_one_that_is_given_up_in_the_midst_is_closed_without_harm(name: Format) -> None:
    for fed in (b"", tone(24_000, 0.01), tone(24_000, 2)):
        encoding = encoder(name, 24_000)
        encoding.feed(fed)
        encoding.close()
        encoding.close()
