"""Voices come out equally loud, phrases keep their loudness, and nothing clips or wraps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from structlog.testing import capture_logs

from inzwa_rtc.speech.loudness import MOST_GAIN_DB, Loudness, applied, loudness

RATE = 22_050


def sine(dbfs: float, seconds: float = 6.0, rate: int = 48_000) -> bytes:
    times = np.arange(int(rate * seconds)) / rate
    return pcm_of(np.sin(2 * np.pi * 997 * times) * 10 ** (dbfs / 20))


def spoken(seed: int, dbfs: float, seconds: float = 7.0, pitch: float = 120.0) -> bytes:
    """Syllables of a voice, of changing loudness, with pauses: RMS of them about `dbfs`."""
    chance = np.random.default_rng(seed)
    times = np.arange(int(RATE * seconds)) / RATE
    buzz = sum(np.sin(2 * np.pi * pitch * n * times) / n for n in range(1, 30))
    knots = chance.uniform(0.4, 1.2, int(seconds * 5) + 1)
    knots[chance.random(len(knots)) < 0.2] = 0.0
    sound = buzz * np.interp(times * 5, np.arange(len(knots)), knots)
    return pcm_of(sound * 10 ** (dbfs / 20) / np.sqrt(np.mean(sound**2)))


def pcm_of(sound: NDArray[np.float64]) -> bytes:
    return np.clip(np.rint(sound * 32767), -32768, 32767).astype("<i2").tobytes()


def samples(pcm: bytes) -> NDArray[np.int32]:
    return np.frombuffer(pcm, "<i2").astype(np.int32)


def heard(pcm: bytes) -> float:
    lufs = loudness(pcm, RATE)
    assert lufs is not None
    return lufs


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 48_000])
def test_it_measures_as_the_recommendation_says(rate: int) -> None:
    """ITU-R BS.1770: a sine of 997 Hz at 0 dBFS in one channel reads -3.01 LKFS."""
    for dbfs in (-1.0, -20.0, -40.0):
        assert loudness(sine(dbfs, rate=rate), rate) == pytest.approx(dbfs - 3.01, abs=0.15)


def test_voices_of_12_db_difference_come_out_within_1_db() -> None:
    meter = Loudness(-20.0)
    out = []
    for voice, dbfs, pitch in (("low", -30.0, 100.0), ("high", -18.0, 220.0)):
        meter.feed("piper", voice, spoken(1, dbfs, pitch=pitch), RATE)
        phrase = spoken(2, dbfs, pitch=pitch)  # another one than was measured
        out.append(heard(applied(phrase, meter.gain("piper", voice))))
    assert abs(out[0] - out[1]) < 1
    assert out == [pytest.approx(-20, abs=1)] * 2


def test_a_gain_is_frozen_once_it_is_known() -> None:
    meter = Loudness(-20.0)
    assert not meter.feed("piper", "a", spoken(1, -30, seconds=1.0), RATE)
    assert not meter.is_known("piper", "a")
    assert meter.gain("piper", "a") == 0.0
    assert meter.feed("piper", "a", spoken(2, -30), RATE)
    gain = meter.gain("piper", "a")
    assert meter.is_known("piper", "a")
    assert gain > 3
    assert not meter.feed("piper", "a", spoken(3, -10), RATE)
    assert meter.gain("piper", "a") == gain


def test_small_pieces_measure_as_one_large_one() -> None:
    whole, pieces = Loudness(-20.0), Loudness(-20.0)
    pcm = spoken(1, -30, seconds=5.5)
    whole.feed("piper", "a", pcm, RATE)
    for start in range(0, len(pcm), 1764):
        pieces.feed("piper", "a", pcm[start : start + 1764], RATE)
    assert pieces.is_known("piper", "a")
    assert pieces.gain("piper", "a") == pytest.approx(whole.gain("piper", "a"), abs=1)


def test_a_voice_never_heard_is_taken_to_be_like_the_others_of_its_engine() -> None:
    meter = Loudness(-20.0)
    for voice, dbfs in (("a", -30), ("b", -29), ("c", -15)):
        meter.feed("piper", voice, spoken(1, dbfs), RATE, "1.0")
    assert meter.gain("piper", "new", "1.0") == meter.gain("piper", "b", "1.0") != 0.0
    assert meter.gain("piper", "new", "2.0") == 0.0
    assert meter.gain("kokoro", "a", "1.0") == 0.0
    assert not meter.is_known("piper", "new", "1.0")


def test_another_model_under_the_same_name_is_measured_anew() -> None:
    meter = Loudness(-20.0)
    meter.feed("piper", "a", spoken(1, -30), RATE, "1.0")
    meter.feed("piper", "a", spoken(1, -16), RATE, "2.0")
    assert meter.gain("piper", "a", "1.0") > meter.gain("piper", "a", "2.0") + 12


def test_silence_tells_nothing_of_a_voice() -> None:
    meter = Loudness(-20.0)
    for _ in range(40):
        meter.feed("piper", "a", bytes(RATE * 2), RATE)
    assert not meter.is_known("piper", "a")
    meter.feed("piper", "a", spoken(1, -30), RATE)
    assert meter.gain("piper", "a") == pytest.approx(-20 - heard(spoken(1, -30)), abs=0.1)


def test_a_single_click_tells_nothing_of_a_voice() -> None:
    click = np.zeros(RATE * 8)
    click[RATE * 2 : RATE * 2 + 200] = 1.0
    meter = Loudness(-20.0)
    assert not meter.feed("piper", "a", pcm_of(click), RATE)
    assert meter.feed("piper", "a", spoken(1, -30), RATE)
    assert meter.gain("piper", "a") == pytest.approx(-20 - heard(spoken(1, -30)), abs=0.5)


@pytest.mark.parametrize("length", [1, 40, 200])
def test_a_click_in_speech_changes_its_loudness_by_less_than_1_db(length: int) -> None:
    pcm = spoken(1, -30, seconds=3.0)
    clicked = samples(pcm)
    clicked[RATE : RATE + length] = 32767
    assert abs(heard(clicked.astype("<i2").tobytes()) - heard(pcm)) < 1


def test_pauses_count_for_nothing() -> None:
    pcm = spoken(1, -25, seconds=3.0)
    assert abs(heard(pcm + bytes(RATE * 2 * 4)) - heard(pcm)) < 0.5


def test_a_gain_is_never_more_than_12_db() -> None:
    meter = Loudness(-20.0)
    meter.feed("piper", "faint", spoken(1, -50), RATE)
    meter.feed("piper", "loud", sine(0.0, rate=RATE), RATE)
    assert meter.gain("piper", "faint") == MOST_GAIN_DB
    assert meter.gain("piper", "loud") == -MOST_GAIN_DB


def test_without_a_target_nothing_is_changed() -> None:
    meter = Loudness(None)
    meter.feed("piper", "a", spoken(1, -40), RATE)
    assert meter.gain("piper", "a") == 0.0
    assert meter.is_known("piper", "a")


class TestApplied:
    def test_it_is_exact_where_there_is_room(self) -> None:
        pcm = sine(-20.0, 0.1)
        assert np.abs(samples(applied(pcm, 6.0206)) - 2 * samples(pcm)).max() <= 1
        assert np.abs(samples(applied(pcm, -6.0206)) * 2 - samples(pcm)).max() <= 2
        assert applied(pcm, 0.0) is pcm

    @given(st.lists(st.integers(-32768, 32767), max_size=50), st.floats(-12, 12))
    def test_no_sample_changes_its_sign_or_its_rank(self, values: list[int], gain: float) -> None:
        pcm = np.array(sorted(values), "<i2").tobytes()
        out = samples(applied(pcm, gain))
        assert (np.sign(out) * np.sign(sorted(values)) >= 0).all()
        assert (np.diff(out) >= 0).all()

    def test_peaks_are_bent_and_not_cut_off(self) -> None:
        out = samples(applied(sine(-9.0, 0.1), 8.0))
        assert 28000 < np.abs(out).max() < 30000

    def test_pieces_join_as_they_did(self) -> None:
        pcm = spoken(1, -12, seconds=1.0)
        pieces = [applied(pcm[at : at + 999 * 2], 9.0) for at in range(0, len(pcm), 999 * 2)]
        assert b"".join(pieces) == applied(pcm, 9.0)


class TestFile:
    def test_what_was_measured_is_known_after_a_restart(self, tmp_path: Path) -> None:
        file = tmp_path / "new" / "loudness.json"
        first = Loudness(-20.0, file)
        first.feed("piper", "a", spoken(1, -30), RATE, "1.0")
        first.save()
        second = Loudness(-20.0, file)
        assert second.is_known("piper", "a", "1.0")
        assert second.gain("piper", "a", "1.0") == first.gain("piper", "a", "1.0")
        assert Loudness(-26.0, file).gain("piper", "a", "1.0") == pytest.approx(
            first.gain("piper", "a", "1.0") - 6, abs=0.1
        )

    def test_servers_add_to_what_others_have_measured(self, tmp_path: Path) -> None:
        file = tmp_path / "loudness.json"
        one, two = Loudness(-20.0, file), Loudness(-20.0, file)
        one.feed("piper", "a", spoken(1, -30), RATE)
        two.feed("piper", "b", spoken(1, -20), RATE)
        one.save()
        two.save()
        third = Loudness(-20.0, file)
        assert third.is_known("piper", "a")
        assert third.is_known("piper", "b")
        assert [entry.name for entry in tmp_path.iterdir()] == ["loudness.json"]

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"[1]",
            b"{",
            b'{"a": "loud"}',
            b'{"a": NaN}',
            b'{"a": 1e9}',
            b'{"a": null}',
            b"\xff",
        ],
    )
    def test_a_file_that_is_none_of_ours_is_left_out(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "loudness.json"
        file.write_bytes(content)
        with capture_logs() as logs:
            meter = Loudness(-20.0, file)
        assert logs[0]["event"] == "loudness.not_read"
        meter.feed("piper", "a", spoken(1, -30), RATE)
        meter.save()
        assert Loudness(-20.0, file).is_known("piper", "a")

    def test_a_disk_that_fails_hurts_nobody(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("no folder")
        with capture_logs() as logs:
            meter = Loudness(-20.0, tmp_path / "file" / "loudness.json")
            meter.feed("piper", "a", spoken(1, -30), RATE)
            meter.save()
        assert "loudness.not_saved" in [line["event"] for line in logs]
        assert meter.is_known("piper", "a")
