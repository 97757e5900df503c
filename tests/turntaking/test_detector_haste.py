"""How soon the next frames are wanted, by what was heard so far."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.settings import TurnSettings
from inzwa_rtc.turntaking.detector import FALSE_ALARM_MS, LOOK_MS, TurnEnded, TurnEvent
from inzwa_rtc.turntaking.looks import CYCLE, Cycle
from tests.turntaking.test_detector import SETTINGS, Caller


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
