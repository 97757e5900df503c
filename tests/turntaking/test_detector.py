"""When a turn starts and ends, told by feeding frames and probabilities."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.settings import TurnSettings
from inzwa_rtc.turntaking.detector import (
    FALSE_ALARM_MS,
    FalseAlarm,
    SpeechEnded,
    SpeechMaybe,
    SpeechStarted,
    SpeechSustained,
    TurnDetector,
    TurnEnded,
    TurnEvent,
)

RATE = 16_000
SAMPLES = 320
SETTINGS = TurnSettings()


class Caller:
    """Feeds a detector, counting samples."""

    def __init__(self, settings: TurnSettings = SETTINGS) -> None:
        self.detector = TurnDetector(settings)
        self.index = 0
        self.events: list[TurnEvent] = []

    def feed(self, ms: int, probability: float, level: int = 1000) -> list[TurnEvent]:
        events: list[TurnEvent] = []
        pcm = level.to_bytes(2, "little") * SAMPLES
        for _ in range(ms // 20):
            frame = Frame(pcm, RATE, self.index)
            events += self.detector.feed(frame, probability)
            self.index += SAMPLES
        self.events += events
        return events

    def voice(self, ms: int) -> list[TurnEvent]:
        return self.feed(ms, 0.9)

    def silence(self, ms: int) -> list[TurnEvent]:
        return self.feed(ms, 0.05)

    def start_turn(self) -> list[TurnEvent]:
        """Press push-to-talk."""
        events = self.detector.hold_turn()
        self.events += events
        return events

    def end_turn(self) -> list[TurnEvent]:
        """Release it."""
        events = self.detector.end_turn(self.index)
        self.events += events
        return events


def ms(samples: int) -> int:
    return samples * 1000 // RATE


def test_sixty_ms_of_voice_is_possible_speech_and_two_hundred_is_speech() -> None:
    caller = Caller()
    caller.silence(200)
    assert caller.voice(40) == []
    assert caller.voice(20) == [SpeechMaybe(200 * 16)]
    assert caller.voice(120) == []
    assert caller.voice(20) == [SpeechStarted(200 * 16)]


def test_a_click_shorter_than_sixty_ms_is_nothing() -> None:
    caller = Caller()
    for _ in range(20):
        caller.voice(40)
        caller.silence(100)
    assert caller.events == []


def test_a_cough_is_a_false_alarm_and_the_next_words_start_afresh() -> None:
    caller = Caller()
    caller.voice(120)
    assert caller.silence(FALSE_ALARM_MS) == [FalseAlarm()]
    start = caller.index
    assert caller.voice(200) == [SpeechMaybe(start), SpeechStarted(start)]


def test_the_turn_ends_after_the_configured_silence_and_says_where_the_voice_stopped() -> None:
    caller = Caller()
    caller.voice(1000)
    end = caller.index
    assert caller.silence(SETTINGS.stop_ms) == [SpeechEnded(end)]
    assert caller.silence(SETTINGS.silence_ms - SETTINGS.stop_ms - 20) == []
    (ended,) = caller.silence(20)
    assert ended == TurnEnded(0, end, caller.index)


def test_a_pause_shorter_than_the_silence_belongs_to_the_turn() -> None:
    caller = Caller()
    caller.voice(300)
    caller.silence(300)
    assert caller.voice(100) == [SpeechStarted(0)]
    caller.silence(SETTINGS.silence_ms)
    assert [type(event) for event in caller.events].count(TurnEnded) == 1


def test_what_is_far_below_the_voice_is_silence_however_probable() -> None:
    caller = Caller()
    caller.feed(1000, 0.9, level=3000)
    end = caller.index
    kinds = [type(event) for event in caller.feed(SETTINGS.silence_ms, 0.9, level=10)]
    assert kinds == [SpeechEnded, TurnEnded]
    ended = caller.events[-1]
    assert isinstance(ended, TurnEnded)
    assert ended.end == end


def test_a_weak_consonant_thirty_db_below_the_vowel_is_voice() -> None:
    caller = Caller()
    caller.feed(1000, 0.9, level=3000)
    assert caller.feed(1000, 0.9, level=100) == []


def test_a_bang_in_the_microphone_does_not_end_the_words_after_it() -> None:
    caller = Caller()
    caller.voice(600)
    caller.feed(20, 0.9, level=32_000)
    caller.feed(2000, 0.9, level=300)
    assert not any(isinstance(event, TurnEnded) for event in caller.events)


def test_wavering_probability_while_speaking_is_still_voice() -> None:
    caller = Caller()
    caller.voice(500)
    assert caller.feed(2000, SETTINGS.release_threshold + 0.01) == []


def test_released_push_to_talk_ends_the_turn_at_once() -> None:
    caller = Caller()
    caller.voice(600)
    assert caller.end_turn() == [
        SpeechEnded(caller.index),
        TurnEnded(0, caller.index, caller.index),
    ]
    assert caller.silence(1000) == []


def test_a_word_too_short_to_be_confirmed_counts_when_push_to_talk_is_released() -> None:
    caller = Caller()
    caller.voice(100)
    kinds = [type(event) for event in caller.end_turn()]
    assert kinds == [SpeechStarted, SpeechEnded, TurnEnded]


def test_ending_a_turn_that_never_began_does_nothing() -> None:
    caller = Caller()
    caller.silence(100)
    assert caller.end_turn() == []


def test_silence_does_not_end_a_turn_that_is_held_open_by_hand() -> None:
    caller = Caller()
    caller.start_turn()
    caller.voice(400)
    caller.silence(2000)
    assert caller.voice(400) == [SpeechStarted(0), SpeechSustained()]
    caller.silence(1000)
    assert [type(event) for event in caller.end_turn()] == [TurnEnded]
    assert [type(event) for event in caller.events].count(TurnEnded) == 1


def test_a_short_word_said_by_hand_is_no_false_alarm() -> None:
    caller = Caller()
    caller.start_turn()
    caller.silence(200)
    start = caller.index
    assert caller.voice(100) == [SpeechMaybe(start), SpeechStarted(start)]
    caller.silence(1000)
    assert [type(event) for event in caller.end_turn()] == [TurnEnded]


def test_opened_in_the_midst_of_a_word_the_microphone_hears_all_of_it() -> None:
    caller = Caller()
    caller.voice(100)
    assert caller.start_turn() == [SpeechStarted(0)]
    assert caller.start_turn() == []


def test_the_longest_turn_is_the_longest_by_hand_too() -> None:
    caller = Caller(TurnSettings(max_utterance_ms=2000))
    caller.start_turn()
    caller.voice(400)
    assert any(isinstance(event, TurnEnded) for event in caller.silence(1600))


def test_a_microphone_opened_and_closed_without_a_word_leaves_nothing_open() -> None:
    caller = Caller()
    caller.start_turn()
    caller.silence(500)
    assert caller.end_turn() == []
    caller.voice(400)
    caller.silence(SETTINGS.silence_ms)
    kinds = [type(event) for event in caller.events]
    assert kinds == [SpeechMaybe, SpeechStarted, SpeechEnded, TurnEnded]


def test_half_a_second_of_voice_is_more_than_a_murmur_and_is_told_once() -> None:
    caller = Caller()
    caller.voice(300)
    caller.silence(200)
    assert caller.voice(180) == [SpeechStarted(0)]
    assert caller.voice(20) == [SpeechSustained()]
    assert caller.voice(2000) == []


def test_an_overlong_turn_is_cut_at_its_next_short_pause() -> None:
    caller = Caller(TurnSettings(max_utterance_ms=2000))
    caller.voice(2400)
    caller.silence(SETTINGS.stop_ms)
    assert caller.events[-1] == TurnEnded(0, 2400 * 16, caller.index, is_cut=True)


def test_a_turn_without_any_pause_is_cut_all_the_same() -> None:
    caller = Caller(TurnSettings(max_utterance_ms=2000))
    caller.voice(3000)
    assert caller.events[-1] == TurnEnded(0, caller.index, caller.index, is_cut=True)


def test_a_turn_that_ends_in_silence_just_when_it_becomes_too_long_is_not_cut() -> None:
    caller = Caller(TurnSettings(max_utterance_ms=2000, stop_ms=2000))
    caller.voice(1500)
    caller.silence(SETTINGS.silence_ms)
    assert caller.events[-1] == TurnEnded(0, 1500 * 16, caller.index)


acts = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 60), st.floats(0, 1), st.sampled_from([0, 3, 40, 1000, 32_000])),
        st.sampled_from(["start_turn", "end_turn"]),
    ),
    max_size=40,
)


@given(acts, st.sampled_from([1000, 12_000]))
def test_any_sequence_gives_events_in_a_legal_order(
    todo: list[tuple[int, float, int] | str], max_utterance_ms: int
) -> None:
    caller = Caller(TurnSettings(max_utterance_ms=max_utterance_ms))
    for act in todo:
        match act:
            case (int(frames), float(probability), int(level)):
                caller.feed(frames * 20, probability, level)
            case "start_turn":
                caller.start_turn()
            case _:
                caller.end_turn()
    legal: dict[str, dict[type[TurnEvent], str]] = {
        "silent": {SpeechMaybe: "maybe"},
        "maybe": {SpeechStarted: "speaking", FalseAlarm: "silent"},
        "speaking": {SpeechEnded: "paused", SpeechSustained: "speaking"},
        "paused": {SpeechStarted: "speaking", TurnEnded: "silent"},
    }
    state, last_end, sustained = "silent", 0, 0
    for event in caller.events:
        state = legal[state][type(event)]
        sustained += isinstance(event, SpeechSustained)
        if isinstance(event, TurnEnded):
            assert last_end <= event.start < event.end <= event.now <= caller.index
            assert ms(event.now - event.start) <= max_utterance_ms * 3 // 2
            assert sustained <= 1
            last_end, sustained = event.end, 0
    caller.end_turn()
    caller.silence(SETTINGS.silence_ms)
    assert not caller.events or isinstance(caller.events[-1], FalseAlarm | TurnEnded)
