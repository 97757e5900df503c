"""What is said in calls: each conversation runs in its own time, whatever connections it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from structlog.contextvars import bound_contextvars

from inzwa_rtc.conversation.dictation import Dictation, Told
from inzwa_rtc.conversation.peer import Peer
from inzwa_rtc.conversation.session import Session
from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.events import EndReason
from inzwa_rtc.settings import Settings
from signaling.call import Call
from signaling.course import accounted
from signaling.media import Media
from signaling.switchboard import Switchboard
from signaling.telemetry.telemetry import Telemetry
from signaling.telemetry.watch import ObservedPeer


class Conversations:
    """Makes the sessions of admitted calls, and runs them."""

    def __init__(
        self,
        switchboard: Switchboard[Any],
        media: Media,
        shedding: Shedding,
        telemetry: Telemetry,
    ) -> None:
        self._switchboard = switchboard
        self._media = media
        self._shedding = shedding
        self._telemetry = telemetry

    @property
    def _settings(self) -> Settings:
        return self._switchboard.now.settings

    def session(self, call: Call, peer: Peer, voice: VoiceSettings) -> Session:
        """The conversation of an admitted caller, to be run with `held`."""
        call.session = session = Session(
            call.id,
            call.token,
            ObservedPeer(peer, call.watch),
            self._switchboard,
            self._settings,
            voice,
            self._shedding,
            call.watch,
            call.owner.settings.voice_mode,
        )
        return session

    def dictation(self, call: Call, tell: Callable[[Told], None]) -> Dictation:
        """What an admitted caller dictates, to be run with `held`."""
        detector = self._media.listening_to(call.owner)
        call.session = dictation = Dictation(
            self._switchboard, detector, self._settings, tell, call.watch
        )
        return dictation

    async def held(self, call: Call, session: Session | Dictation) -> EndReason:
        """Run it until it ends."""
        names = {"call": call.id, "user": self._telemetry.pseudonym(call.owner.user)}
        told = {name: value for name, value in names.items() if value is not None}
        with bound_contextvars(**told):
            return await accounted(call, session, self._telemetry, self._switchboard)
