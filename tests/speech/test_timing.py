"""When words start is estimated by syllables and by the voice's own pace."""

from __future__ import annotations

import pytest

from inzwa_rtc.speech.piece import Piece, Span
from inzwa_rtc.speech.timing import VOICES_KNOWN, Estimate, Paces, syllables


def piece(text: str, language: str = "en") -> Piece:
    spans, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        spans.append(Span(at, at + len(word), at, at + len(word)))
        at += len(word)
    return Piece(text, language, tuple(spans))


@pytest.mark.parametrize(
    ("word", "language", "count"),
    [
        ("cat", "en", 1),
        ("water", "en", 2),
        ("make", "en", 1),
        ("the", "en", 1),
        ("information", "en", 4),
        ("makadii", "sn", 4),
        ("Ndatenda", "sn", 3),
        ("mhoroi", "sn", 3),
        ("été", "fr", 2),
        ("молоко", "ru", 3),
        ("漢字", "ja", 2),
        ("مرحبا", "ar", 2),
        ("xyz", "en", 1),
        ("—", "en", 0),
    ],
)
def test_syllables_are_counted_by_language(word: str, language: str, count: int) -> None:
    assert syllables(word, language) == pytest.approx(count, abs=0.01)


def test_long_words_and_pauses_take_their_time() -> None:
    estimate = Estimate(piece("Information, please come."), 4.0)
    times = [ms for _, ms in estimate.take(10_000)]
    assert times == [0, pytest.approx(1300), pytest.approx(1550)]
    assert estimate.syllables == pytest.approx(4 + 1.2 + 1 + 1)


def test_words_are_given_once_as_their_time_comes() -> None:
    estimate = Estimate(piece("one two three four"), 4.0)
    given = [len(estimate.take(ms)) for ms in (10, 250, 251, 251, 900)]
    assert given == [1, 0, 1, 0, 2]
    assert estimate.rest(900, 1000) == []


def test_words_left_at_the_end_share_what_is_left_of_the_time() -> None:
    estimate = Estimate(piece("one two three four"), 1.0)
    assert [span.start for span, _ in estimate.take(900)] == [0]
    left = estimate.rest(900, 1200)
    assert [(span.start, ms) for span, ms in left] == [
        (4, 900),
        (8, pytest.approx(1000)),
        (14, pytest.approx(1100)),
    ]
    assert estimate.take(99_999) == []


def test_more_words_than_time_are_all_told_at_the_end() -> None:
    estimate = Estimate(piece("one two three"), 1.0)
    estimate.take(500)
    assert [ms for _, ms in estimate.rest(700, 600)] == [700, 700]


def test_a_pace_is_learned_and_what_was_no_speech_is_not() -> None:
    paces, voice = Paces(), ("espeak", "en-gb", "en")
    usual = paces.of(voice, "en")
    for _ in range(12):
        paces.learn(voice, 3.0)
    assert paces.of(voice, "en") == pytest.approx(3.0, rel=0.01)
    assert paces.of(("espeak", "other", "en"), "en") == usual != paces.of(voice, "sn-ZW")
    for nonsense in (0.0, 0.01, 400.0, float("inf"), float("nan")):
        paces.learn(voice, nonsense)
    assert paces.of(voice, "en") == pytest.approx(3.0, rel=0.01)


def test_whether_a_voice_tells_times_is_known_once_it_has_spoken() -> None:
    paces, voice = Paces(), ("espeak", "en-gb", "en")
    assert paces.tells_times(voice) is None
    paces.has_told_none(voice)
    assert paces.tells_times(voice) is False
    paces.has_told_times(voice)
    assert paces.tells_times(voice) is True


def test_only_so_many_voices_are_remembered() -> None:
    paces = Paces()
    first = ("engine", "voice 0", "en")
    paces.learn(first, 3.0)
    paces.has_told_times(first)
    for number in range(1, VOICES_KNOWN + 1):
        paces.learn(("engine", f"voice {number}", "en"), 3.0)
        paces.has_told_times(("engine", f"voice {number}", "en"))
    assert paces.of(first, "en") != 3.0
    assert not paces.tells_times(first)
    assert paces.of(("engine", "voice 1", "en"), "en") == 3.0
