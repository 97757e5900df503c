"""The turns of a caller who is written down and not answered."""

from __future__ import annotations

from collections.abc import Callable

from inzwa_rtc.conversation.prompt import Announcement, Prompt
from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.errors import EngineError
from inzwa_rtc.events import EndReason, Event, Failure


async def written_down(prompt: Prompt, emit: Callable[[Event], None]) -> EndReason | None:
    """Return when the words have been told, which their recognition does, or why there are
    none. Lines of the server's own are not spoken; the reason to hang up is what is left."""
    match prompt:
        case Utterance():
            try:
                await prompt.words()
            except EngineError as error:
                emit(Failure(error.code, error.message, error.action, prompt.turn))
        case Announcement(hang_up=reason):
            return reason
    return None
