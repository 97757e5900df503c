"""One live call of this server."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from inzwa_rtc.conversation.dictation import Dictation
from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.conversation.resumable import Connection, ResumablePeer
from inzwa_rtc.conversation.session import Session
from inzwa_rtc.events import EndReason
from inzwa_rtc.transport.terms import Terms
from inzwa_rtc.transport.webrtc import WebRtcPeer
from signaling.access.caller import Caller
from signaling.telemetry.lines import Line
from signaling.telemetry.watch import CallWatch


@dataclass(slots=True, eq=False)
class Call:
    """One call, from its offer to its end. `transport` is that of its newest connection, and
    `peer` too, where that is one over WebRTC; `joining` is one that is only being set up.
    `caller` is there once the call has begun, `ended` says why it is over."""

    id: str
    token: str
    transport: str
    owner: Caller
    watch: CallWatch
    etag: str = field(default_factory=lambda: secrets.token_hex(8))
    peer: WebRtcPeer[Command] | None = None
    joining: WebRtcPeer[Command] | None = None
    caller: ResumablePeer | None = None
    session: Session | Dictation | None = None
    ended: EndReason | None = None
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
    def shown(self) -> WebRtcPeer[Command] | None:
        """The connection over WebRTC that it goes over, or is to begin over."""
        return self.joining if self.caller is None else self.peer

    @property
    def is_away(self) -> bool:
        """Whether the caller's connection is lost, and they are waited for."""
        return self.caller is not None and self.caller.attached is None

    @property
    def is_connected(self) -> bool:
        """Whether somebody is there who talks, or listens."""
        return self.session is not None and not self.is_away

    def join(self, peer: WebRtcPeer[Command]) -> None:
        """This connection is being set up, and no other any more: the newest is meant."""
        if self.joining is not None:
            self.joining.give_up()
        self.joining = peer

    def goes_over(self, connection: Connection) -> None:
        """This connection stands; what was being set up beside it is not waited for."""
        if self.joining is not None and self.joining is not connection:
            self.joining.give_up()
        self.joining = None
        self.peer = connection if isinstance(connection, WebRtcPeer) else None
        self.line = connection if isinstance(connection, Line) else None

    def end(self, reason: EndReason) -> None:
        """End the call, also while it is being set up."""
        if self.session is not None:
            self.session.end(reason)
        elif self.joining is not None:
            self.joining.give_up()

    def dismiss(self) -> None:
        """Voice was taken from whoever called: tell them, and end it."""
        if self.session is not None and not self.is_away:
            self.session.dismiss()
        else:
            self.end("disabled")
