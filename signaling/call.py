"""One live call of this server."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from inzwa_rtc.conversation.dictation import Dictation
from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.conversation.resumable import ResumablePeer
from inzwa_rtc.conversation.session import Session
from inzwa_rtc.events import EndReason
from inzwa_rtc.transport.terms import Terms
from inzwa_rtc.transport.webrtc import WebRtcPeer
from signaling.access.caller import Caller
from signaling.telemetry.lines import Line
from signaling.telemetry.watch import CallWatch


@dataclass(slots=True, eq=False)
class Call:
    """One call, from its offer to its end. `transport` and `peer` are those of its newest
    connection, or of the one that is being set up; `caller` is there once it has begun."""

    id: str
    token: str
    transport: str
    owner: Caller
    watch: CallWatch
    etag: str = field(default_factory=lambda: secrets.token_hex(8))
    peer: WebRtcPeer[Command] | None = None
    caller: ResumablePeer | None = None
    session: Session | Dictation | None = None
    is_void: bool = False
    is_token_told: bool = True
    """With the answer that began it; over a data channel it is told in any case."""
    line: Line | None = None
    terms: Terms | None = None
    """Of its connections over WebRTC, where it was begun over one."""

    @property
    def is_resumable(self) -> bool:
        """Whether anybody knows the token with which it is taken up again."""
        return self.is_token_told or self.peer is None or self.peer.has_channel

    @property
    def is_away(self) -> bool:
        """Whether the caller's connection is lost, and they are waited for."""
        return self.caller is not None and self.caller.attached is None

    @property
    def is_connected(self) -> bool:
        """Whether somebody is there who talks, or listens."""
        return self.session is not None and not self.is_away

    def end(self, reason: EndReason) -> None:
        """End the call, also while it is being set up."""
        if self.session is not None:
            self.session.end(reason)
        elif self.peer is not None:
            self.peer.give_up()

    def dismiss(self) -> None:
        """Voice was taken from whoever called: tell them, and end it."""
        if self.session is not None and not self.is_away:
            self.session.dismiss()
        else:
            self.end("disabled")
