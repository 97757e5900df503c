"""What is put right when a caller's connection turns out to be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inzwa_rtc.conversation.history import History
from inzwa_rtc.events import Event, ReplyUnheard
from inzwa_rtc.playout.unheard import Unheard


def taken_back(unheard: Iterable[Unheard], history: History, emit: Callable[[Event], None]) -> str:
    """What was played to nobody was not said. Returns what is left to be said of the last reply
    of these: nothing without one."""
    rest = ""
    for one in unheard:
        history.take_back(one.said, one.heard)
        emit(ReplyUnheard(one.turn, one.heard))
        rest = one.rest
    return rest
