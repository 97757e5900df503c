"""All that requests may have done, whatever path they come by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.safety import Verdict
from signaling.api.underway import Underway
from signaling.operations.chatting import Chatting
from signaling.operations.speaking import Speaking
from signaling.operations.transcribing import Transcribing
from signaling.switchboard import Switchboard


class Work:
    """One of each for all paths, since their limits hold for all of them together. To be
    closed. `refused` is told of what the safety checks refuse."""

    def __init__(
        self,
        switchboard: Switchboard[Any],
        shedding: Shedding,
        refused: Callable[[Verdict], None] = lambda _: None,
    ) -> None:
        self.underway = Underway()
        self.speaking = Speaking(switchboard)
        self.transcribing = Transcribing(switchboard)
        self.chatting = Chatting(switchboard, shedding, refused)

    async def close(self) -> None:
        """End what waits for requests."""
        await self.transcribing.close()
