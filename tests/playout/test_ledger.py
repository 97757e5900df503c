"""What was heard is told from samples played: always a prefix of what was written."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.playout.ledger import CaptionCue, Ledger

RATE = 1000  # one sample per millisecond keeps the numbers readable


def spoken(*phrases: tuple[str, int, list[WordTime]]) -> Ledger:
    ledger = Ledger(RATE)
    offset = 0
    for text, samples, words in phrases:
        ledger.begin_phrase(text, offset)
        ledger.add(samples, tuple(words))
        ledger.end_phrase()
        offset += len(text)
    return ledger


def words_of(text: str, every_ms: int) -> list[WordTime]:
    words, at, start = [], 0, 0
    for word in text.split():
        offset = text.index(word, at)
        words.append(WordTime(offset, len(word), start))
        at, start = offset + len(word), start + every_ms
    return words


def test_a_word_counts_as_heard_when_the_next_one_starts() -> None:
    ledger = spoken(("one two three", 300, words_of("one two three", 100)))
    assert ledger.heard(0) == ""
    assert ledger.heard(99) == ""
    assert ledger.heard(100) == "one"
    assert ledger.heard(299) == "one two"
    assert ledger.heard(300) == "one two three"


def test_without_word_times_a_phrase_is_heard_whole_or_not_at_all() -> None:
    ledger = spoken(("Hello there. ", 100, []), ("How are you?", 100, []))
    assert ledger.heard(99) == ""
    assert ledger.heard(100) == "Hello there."
    assert ledger.heard(200) == "Hello there. How are you?"


def estimated(words: list[WordTime]) -> list[WordTime]:
    return [replace(word, is_estimated=True) for word in words]


def test_an_estimated_word_counts_as_heard_late_but_is_captioned_in_its_time() -> None:
    text = "one two three four"
    ledger = spoken((text, 500, estimated(words_of(text, 100))))
    assert ledger.heard(239) == ""
    assert ledger.heard(240) == "one"  # "three" is estimated to start at 200
    assert ledger.heard(359) == "one"
    assert ledger.heard(360) == "one two"
    assert ledger.heard(499) == "one two"
    assert ledger.heard(500) == text
    assert [cue.sample for cue in ledger.cues_before(500)] == [0, 100, 200, 300]


@given(st.integers(1, 12), st.integers(0, 18), st.integers(0, 3000))
def test_a_voice_that_is_a_fifth_slower_than_was_estimated_is_not_credited_with_more(
    count: int, slower_percent: int, played: int
) -> None:
    text = " ".join(f"word{number}" for number in range(count))
    every_ms = 100 + slower_percent
    ledger = spoken((text, every_ms * count, estimated(words_of(text, 100))))
    ends = [every_ms * (number + 1) for number in range(count)]
    heard = ledger.heard(played).split()
    assert len(heard) <= sum(end <= played for end in ends)


def test_words_told_after_estimated_ones_count_as_they_are() -> None:
    text = "one two three"
    first, second, third = words_of(text, 100)
    ledger = spoken((text, 300, [*estimated([first]), second, third]))
    assert ledger.heard(100) == "one"
    assert ledger.heard(200) == "one two"


def test_of_an_abandoned_phrase_stays_what_was_surely_heard() -> None:
    ledger = Ledger(RATE)
    ledger.begin_phrase("one two three four", 0)
    ledger.add(300, tuple(estimated(words_of("one two three four", 100))))
    ledger.abandon_phrase()
    assert ledger.text == "one "


def test_captions_come_in_order_as_their_samples_are_played() -> None:
    ledger = spoken(("one two", 200, words_of("one two", 100)), (" three", 100, []))
    assert ledger.cues_before(100) == [CaptionCue(0, 0, "one")]
    assert ledger.cues_before(100) == []
    assert ledger.cues_before(300) == [CaptionCue(100, 4, "two"), CaptionCue(200, 7, " three")]


def test_a_caption_says_whether_its_moment_was_estimated() -> None:
    first, second = words_of("one two", 100)
    ledger = spoken(("one two", 200, [*estimated([first]), second]), (" three", 100, []))
    # The last is a phrase in one, which starts where its audio does.
    assert [cue.is_estimated for cue in ledger.cues_before(300)] == [True, False, False]


def test_a_phrase_whose_first_word_comes_after_a_while_is_not_captioned_twice() -> None:
    ledger = Ledger(RATE)
    ledger.begin_phrase("one two", 0)
    ledger.add(50)
    assert ledger.cues_before(50) == []
    ledger.add(150, (WordTime(0, 3, 80), WordTime(4, 3, 120)))
    ledger.end_phrase()
    assert ledger.cues_before(200) == [CaptionCue(80, 0, "one"), CaptionCue(120, 4, "two")]


def test_a_word_without_a_time_of_its_own_is_captioned_with_the_next() -> None:
    ledger = spoken(("at six in the morning", 300, [WordTime(0, 2, 0), WordTime(10, 3, 100)]))
    assert [(cue.offset, cue.text) for cue in ledger.cues_before(300)] == [
        (0, "at"),
        (3, "six in the"),
    ]
    assert ledger.heard(99) == ""
    assert ledger.heard(100) == "at"


def test_a_word_outside_its_phrase_is_not_believed() -> None:
    ledger = spoken(("abc", 100, [WordTime(2, 9, 50), WordTime(-1, 2, 10)]))
    assert ledger.heard(99) == ""
    assert ledger.heard(100) == "abc"


def test_a_word_said_to_start_after_its_phrase_does_not_delay_the_next_one() -> None:
    ledger = spoken(("one two ", 100, [WordTime(0, 3, 0), WordTime(4, 3, 900)]), ("x", 50, []))
    assert ledger.heard(100) == "one two"
    assert ledger.heard(150) == "one two x"


texts = st.text(alphabet="ab ,.é\n", min_size=0, max_size=20)
word_times = st.lists(
    st.builds(WordTime, st.integers(-2, 25), st.integers(-2, 25), st.integers(-50, 2000)),
    max_size=5,
)


@given(st.lists(st.tuples(texts, st.integers(0, 500), word_times), max_size=6), st.data())
def test_heard_is_a_prefix_and_grows_with_what_was_played(
    phrases: list[tuple[str, int, list[WordTime]]], data: st.DataObject
) -> None:
    ledger = spoken(*phrases)
    played = sorted(data.draw(st.lists(st.integers(0, 4000), max_size=8)))
    heard = [ledger.heard(samples) for samples in played]
    assert all(ledger.text.startswith(text) for text in heard)
    assert all(longer.startswith(shorter) for shorter, longer in itertools.pairwise(heard))
    assert ledger.heard(10**9) == ledger.text.rstrip()


@given(
    st.lists(st.tuples(texts, st.integers(0, 500), word_times, st.booleans()), max_size=6),
    st.integers(0, 4000),
)
def test_a_phrase_that_breaks_off_leaves_only_what_was_spoken_of_it(
    phrases: list[tuple[str, int, list[WordTime], bool]], played: int
) -> None:
    ledger = Ledger(RATE)
    offset = 0
    for text, samples, words, is_whole in phrases:
        before = ledger.text
        ledger.begin_phrase(text, offset)
        ledger.add(samples, tuple(words))
        ledger.end_phrase() if is_whole else ledger.abandon_phrase()
        offset += len(text)
        assert (before + text).startswith(ledger.text.rstrip())
        assert ledger.text.startswith(before)
        assert not is_whole or ledger.text == before + text
    assert ledger.text.startswith(ledger.heard(played))
    assert ledger.heard(sum(samples for _, samples, _, _ in phrases)) == ledger.text.rstrip()


def test_words_announced_of_a_broken_off_phrase_are_neither_captioned_nor_heard() -> None:
    ledger = Ledger(RATE)
    ledger.begin_phrase("one two three", 0)
    ledger.add(150, tuple(words_of("one two three", 100)))
    ledger.abandon_phrase()
    ledger.begin_phrase("sorry", 13)
    ledger.add(100)
    ledger.end_phrase()
    assert [cue.text for cue in ledger.cues_before(10**9)] == ["one", "two", "sorry"]
    assert ledger.heard(149) == "one"
    assert ledger.heard(250) == "one sorry"
