"""What a caller who comes back can be told again."""

from __future__ import annotations

from inzwa_rtc.conversation.event_log import EventLog
from inzwa_rtc.events import Event, NetworkMeasured, Numbered, PlaybackStarted, Transcript

NETWORK = NetworkMeasured(0.0, 0.0, 5.0, 0.0, 20.0, 40.0, 4.3)


def partial(text: str) -> Event:
    return Transcript(0, text, 0, 0, is_final=False, confidence=0.0, language="en")


def test_what_the_next_of_its_kind_makes_void_is_neither_numbered_nor_kept() -> None:
    log = EventLog(size=2)
    assert isinstance(log.add(PlaybackStarted(1)), Numbered)
    for _ in range(300):  # 25 minutes in which nobody says anything
        assert log.add(NETWORK) is NETWORK
    said = partial("one")
    assert log.add(said) is said
    assert log.add(PlaybackStarted(2)) == Numbered(PlaybackStarted(2), 2)
    assert [one.event for one in log.after(0)] == [PlaybackStarted(1), PlaybackStarted(2)]
    assert log.knows_all_after(0)
