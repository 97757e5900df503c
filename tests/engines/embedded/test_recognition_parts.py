"""What PocketSphinx is given: a network of phrases, and voices freed of what surrounds them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from inzwa_rtc.engines.asr.pocketsphinx.confidence import confidence, other_words
from inzwa_rtc.engines.asr.pocketsphinx.grammar import Grammar, network
from inzwa_rtc.engines.asr.pocketsphinx.voice import energies, find, ready
from inzwa_rtc.engines.guide.numbers import spell
from inzwa_rtc.engines.guide.phrases import NUMBER
from inzwa_rtc.engines.guide.script import load, phrases


@pytest.fixture(scope="module")
def guide() -> Grammar:
    return network(phrase.text for phrase in phrases(load()))


def test_every_phrase_of_the_guide_has_a_way_through_the_network(guide: Grammar) -> None:
    for phrase in phrases(load()):
        assert guide.accepts(phrase.text.replace(NUMBER, "seven")), phrase.text


def test_half_a_phrase_and_two_phrases_have_none(guide: Grammar) -> None:
    for text in ("", "what time", "tell me a", "hello who are you", "seven"):
        assert not guide.accepts(text), text


def test_a_number_is_any_below_a_million_as_it_is_spelled() -> None:
    grammar = network([f"count to {NUMBER}"])
    for number in (*range(0, 1100), *range(1100, 1_000_000, 997), 999_999):
        assert grammar.accepts(f"count to {spell(number)}"), number
    assert grammar.accepts("count to a hundred")
    for text in ("count to", "count to hundred", "count to five six", "count to twenty ten"):
        assert not grammar.accepts(text), text


def test_phrases_share_what_they_have_in_common() -> None:
    grammar = network(["tell me a story", "tell me a joke", "read me a story"])
    assert len(grammar.arcs) < 3 * 4 + 1


def tone(length_ms: int, level: float = 5000.0) -> npt.NDArray[np.int16]:
    """A voice for those who only measure: 200 Hz."""
    times = np.arange(16 * length_ms) / 16_000
    return (level * np.sin(2 * np.pi * 200 * times)).astype(np.int16)


@pytest.mark.parametrize(("before_ms", "after_ms"), [(100, 200), (300, 500), (800, 300)])
def test_a_voice_is_found_wherever_it_is(before_ms: int, after_ms: int) -> None:
    samples = np.pad(tone(700), (16 * before_ms, 16 * after_ms))
    span = find(energies(samples))
    assert span is not None
    assert abs(span.start - before_ms // 10) <= 2
    assert abs(span.end - (before_ms + 700) // 10) <= 2


def test_a_short_word_is_found_in_a_long_quiet() -> None:
    assert find(energies(np.pad(tone(200), (16 * 9000, 16 * 9000)))) is not None


@pytest.mark.parametrize("level", [0.0, 5.0, 3000.0])
def test_nothing_is_found_in_quiet_or_steady_noise(level: float) -> None:
    noise = np.random.default_rng(0).normal(0, level, 32_000).astype(np.int16)
    assert find(energies(noise)) is None
    assert find(energies(noise[:100])) is None


def test_noise_goes_and_the_level_is_always_the_same() -> None:
    chance = np.random.default_rng(0)
    for level in (300.0, 3000.0):
        clean = np.pad(tone(700, level), 16 * 400)
        noisy = (clean + chance.normal(0, level / 20, len(clean))).astype(np.int16)
        span = find(energies(noisy))
        assert span is not None
        made, first = ready(noisy, span)
        assert first == span.start - 20
        assert 8_000 < np.abs(made.astype(int)).max() < 20_000
        before = float(np.std(made[: 16 * 150]))
        during = float(np.std(made[16 * 300 : 16 * 600]))
        assert before < during / 60  # it was 14 times softer


def test_confidence_falls_with_each_sign_of_a_stranger() -> None:
    known = confidence(-30.0, 100, -30.0, 0)
    assert known > 0.9
    assert confidence(-90.0, 100, -90.0, 0) < known
    assert confidence(-30.0, 100, -30.0, 1) < known
    assert confidence(-30.0, 100, -20.0, 0) < known
    assert confidence(-1e9, 1, 0.0, 9) >= 0


def test_words_that_differ_are_counted() -> None:
    for one, other, count in (
        ("tell me a story", "tell me a story", 0),
        ("add ten to twenty", "add ten to twenty eight", 1),
        ("what time is it", "what is it now", 2),
        ("", "stop that", 2),
    ):
        assert other_words(one, other) == other_words(other, one) == count
