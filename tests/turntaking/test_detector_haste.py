"""How soon the next frames are wanted, by what was heard so far."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.settings import TurnSettings
from inzwa_rtc.turntaking.detector import (
    FALSE_ALARM_MS,
    LOOK_MS,
    SpeechMaybe,
    SpeechStarted,
    SpeechSustained,
    TurnEnded,
    TurnEvent,
)
from inzwa_rtc.turntaking.looks import CYCLE, Cycle
from tests.turntaking.test_detector import SETTINGS, Caller

_OF_VOICE = (SpeechMaybe, SpeechStarted, SpeechSustained)


def haste(caller: Caller) -> Haste:
    return caller.detector.haste


def hear(caller: Caller, frames: list[bool]) -> list[TurnEvent]:
    """Frames of voice, or of silence."""
    return [event for is_voice in frames for event in caller.feed(20, 0.9 if is_voice else 0.05)]


def _is_end(event: TurnEvent) -> bool:
    return isinstance(event, TurnEnded)


def test_nobody_who_is_silent_is_in_any_haste() -> None:
    caller = Caller()
    assert haste(caller) is Haste.IN_TIME
    caller.silence(2000)
    assert haste(caller) is Haste.IN_TIME


def test_a_sound_is_listened_to_soon_until_it_is_speech() -> None:
    caller = Caller()
    for _ in range(SETTINGS.start_ms // 20 - 1):
        caller.voice(20)
        assert haste(caller) is Haste.SOON
    for _ in range(100):
        caller.voice(20)
        assert haste(caller) is Haste.IN_TIME


def test_each_frame_is_wanted_once_the_turn_may_end_before_the_next_look() -> None:
    caller = Caller()
    caller.voice(1000)
    for silence_ms in range(20, SETTINGS.silence_ms, 20):
        caller.silence(20)
        is_near = SETTINGS.silence_ms - silence_ms <= LOOK_MS
        assert haste(caller) is (Haste.EACH_FRAME if is_near else Haste.IN_TIME)
    caller.voice(20)
    assert haste(caller) is Haste.IN_TIME
    caller.silence(SETTINGS.silence_ms)
    assert haste(caller) is Haste.IN_TIME


def test_who_ends_turns_after_short_silence_is_in_haste_all_along() -> None:
    caller = Caller(TurnSettings(silence_ms=LOOK_MS))
    caller.voice(1000)
    assert haste(caller) is Haste.EACH_FRAME


@given(
    silence_ms=st.integers(5, 50).map(lambda frames: frames * 20),
    begins=st.integers(0, CYCLE - 1),
    said=st.lists(st.integers(1, 40), min_size=1, max_size=6),
)
def test_a_turn_ends_no_later_than_if_each_frame_were_listened_to(
    silence_ms: int, begins: int, said: list[int]
) -> None:
    """`said`: frames of voice and of silence by turns."""
    settings = TurnSettings(silence_ms=silence_ms, max_utterance_ms=1500)
    frames: list[bool] = []
    for number, length in enumerate([50, *said]):
        frames += [number % 2 == 0] * length
    frames += [False] * (silence_ms // 20 + CYCLE)
    at_once, as_wanted = Caller(settings), Caller(settings)
    cycle, heard = Cycle(begins, 0), 0
    for tick in range(len(frames)):
        ended = [one for one in hear(at_once, frames[tick : tick + 1]) if _is_end(one)]
        found = []
        if cycle.is_due(tick, haste(as_wanted)):
            cycle.looked(tick)
            found = [one for one in hear(as_wanted, frames[heard : tick + 1]) if _is_end(one)]
            heard = tick + 1
        assert found == ended


def test_each_frame_decides_whose_voice_would_be_told_of() -> None:
    caller, deciding = Caller(TurnSettings(interrupt_ms=300)), []
    for voiced_ms in range(0, 400, 20):
        if caller.detector.is_deciding:
            deciding.append(voiced_ms + 20)
        caller.voice(20)
    assert deciding == [SETTINGS.maybe_ms, SETTINGS.start_ms, 300]


@given(
    begins=st.integers(0, CYCLE - 1),
    said=st.lists(st.integers(1, 30), min_size=1, max_size=8),
)
def test_a_voice_is_told_of_no_later_than_if_each_frame_were_listened_to(
    begins: int, said: list[int]
) -> None:
    """`said`: windows of voice and of silence by turns, into an answer. A frame is what the newest
    window is that was whole by its end."""
    windows = [number % 2 == 0 for number, length in enumerate(said) for _ in range(length)]
    ends = [math.ceil((number + 1) * 32 / 20) - 1 for number in range(len(windows))]
    at_once, as_wanted = Caller(), Caller()
    cycle, heard, frames = Cycle(begins, begins - 1), 0, []
    for number in range(ends[-1] + 1):
        whole = sum(end <= number for end in ends)
        frames.append(bool(whole) and windows[whole - 1])
        told = [one for one in hear(at_once, frames[-1:]) if isinstance(one, _OF_VOICE)]
        detector, found = as_wanted.detector, []
        is_each_frame = detector.is_deciding or detector.haste is Haste.EACH_FRAME
        if cycle.is_due(begins + number, Haste.EACH_FRAME if is_each_frame else Haste.EACH_WINDOW):
            cycle.looked(begins + number)
            found = [one for one in hear(as_wanted, frames[heard:]) if isinstance(one, _OF_VOICE)]
            heard = len(frames)
        assert found == told


def test_no_turn_hangs_on_the_silence_after_a_cough() -> None:
    caller = Caller()
    caller.voice(120)
    caller.silence(20)
    assert haste(caller) is Haste.SOON
    caller.silence(FALSE_ALARM_MS)
    assert haste(caller) is Haste.IN_TIME


def test_while_the_microphone_is_held_open_by_hand_each_frame_is_wanted() -> None:
    caller = Caller()
    caller.start_turn()
    for said in (caller.silence, caller.voice, caller.silence):
        said(400)
        assert haste(caller) is Haste.EACH_FRAME
    caller.end_turn()
    assert haste(caller) is Haste.IN_TIME
