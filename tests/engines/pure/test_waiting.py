"""Audio that waits to be decoded, and the words that can be relied on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.engines.asr.agreement import LocalAgreement
from inzwa_rtc.engines.asr.waiting import WaitingAudio


def tone(ms: int, level: int = 8000) -> bytes:
    """A square wave of `ms` milliseconds at 16 kHz."""
    return np.tile(np.array([level, -level], np.int16), ms * 8).tobytes()


def test_the_voice_ends_where_it_becomes_quiet() -> None:
    audio = WaitingAudio()
    audio.feed(tone(400))
    audio.feed(tone(200, level=20))
    assert audio.end == 600 * 16
    assert audio.voice_end == 400 * 16


def test_quiet_words_after_a_bang_are_a_voice() -> None:
    audio = WaitingAudio()
    audio.feed(tone(60, level=32_000))
    audio.feed(tone(700, level=20))
    assert audio.voice_end == 60 * 16
    audio.feed(tone(600, level=600))
    audio.feed(tone(200, level=6))
    assert audio.voice_end == 1360 * 16


def test_noise_in_a_long_pause_is_no_voice() -> None:
    audio = WaitingAudio()
    audio.feed(tone(800))
    audio.feed(tone(60_000, level=200))
    assert audio.voice_end == 800 * 16


def test_digital_silence_holds_no_voice() -> None:
    audio = WaitingAudio()
    audio.feed(bytes(32_000))
    assert (audio.end, audio.voice_end) == (16_000, 0)


def test_the_quietest_place_is_found_between_any_two_samples() -> None:
    audio = WaitingAudio()
    for level, ms in [(20, 100), (8000, 500), (300, 60), (8000, 400), (900, 200), (8000, 340)]:
        audio.feed(tone(ms, level))
    whole = audio.quietest(100 * 16, audio.end)
    assert whole == (100 + 500 + 60 + 400 + 100) * 16  # not the short gap within a word
    audio.drop_before(160)
    assert audio.quietest(100 * 16, audio.end) == whole
    assert audio.quietest(audio.end - 320, audio.end) == audio.end


def test_audio_let_go_at_the_start_keeps_the_positions_of_the_rest() -> None:
    audio = WaitingAudio()
    audio.feed(np.arange(1000, dtype=np.int16).tobytes())
    audio.drop_before(400)
    assert (audio.start, audio.end) == (400, 1000)
    assert audio.held()[0] == pytest.approx(400 / 32768)


@given(st.lists(st.integers(0, 999), max_size=30))
def test_pieces_of_any_length_come_together_whole(lengths: list[int]) -> None:
    pcm = np.random.default_rng(0).integers(-9, 9, sum(lengths), np.int8).tobytes()
    audio, place = WaitingAudio(), 0
    for length in lengths:
        audio.feed(pcm[place : place + length])
        place += length
    whole = np.frombuffer(pcm[: len(pcm) & ~1], np.int16)
    assert np.array_equal(np.round(audio.held() * 32768), whole)


def test_words_are_stable_when_two_decodings_in_a_row_begin_with_them() -> None:
    agreement = LocalAgreement()
    assert agreement.feed("What time is") == 0
    assert agreement.feed("what time is it, in") == len("what time is")
    assert agreement.feed("What time isn't") == len("What time")


def test_a_decoding_without_words_agrees_with_nothing() -> None:
    agreement = LocalAgreement()
    agreement.feed("one two")
    assert agreement.feed("") == 0
    assert agreement.feed("one two") == 0
