"""How soon the next frames are wanted, by what was heard so far."""

from __future__ import annotations

from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.turntaking.detector import FALSE_ALARM_MS
from tests.turntaking.test_detector import SETTINGS, Caller


def haste(caller: Caller) -> Haste:
    return caller.detector.haste


def test_nobody_who_is_silent_is_in_any_haste() -> None:
    caller = Caller()
    assert haste(caller) is Haste.IN_TIME
    caller.silence(2000)
    assert haste(caller) is Haste.IN_TIME


def test_a_voice_is_listened_to_soon_from_its_first_frame_on() -> None:
    caller = Caller()
    for _ in range(100):
        caller.voice(20)
        assert haste(caller) is Haste.SOON


def test_while_the_end_of_a_turn_hangs_on_silence_each_frame_of_it_is_wanted() -> None:
    caller = Caller()
    caller.voice(1000)
    for _ in range(SETTINGS.silence_ms // 20 - 1):
        caller.silence(20)
        assert haste(caller) is Haste.EACH_FRAME
    caller.voice(20)
    assert haste(caller) is Haste.SOON
    caller.silence(SETTINGS.silence_ms)
    assert haste(caller) is Haste.IN_TIME


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
