"""A caller who may lose the connection and come back over another one.

To the conversation this is one peer. Its connections come and go behind it:

| what happens                        | what the conversation is told       |
|-------------------------------------|-------------------------------------|
| a connection is lost                | `Gone`; then no frame, no command   |
| the next one is there               | `Back`; frames go on in their count |
| nobody comes back in time           | the end                             |
| this side has refused the client    | the end                             |
| a new one comes while the old lives | `Gone`, and frames of the new one   |

While nobody is there time stands still for the conversation, and nothing is played: a reply
waits, with what had left and was not heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.conversation.event_log import EventLog
from inzwa_rtc.conversation.peer import Back, Command, Gone, Played
from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.events import (
    Departure,
    Event,
    Numbered,
    SessionEnded,
    SessionResumed,
    SessionStarted,
    SessionUpdated,
)
from inzwa_rtc.playout.outlet import Outlet
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.playout.unheard import Unheard

Ending = Literal["lost", "replaced", "over"]


class Connection(Protocol):
    """A `Peer` that is one connection of a caller's."""

    @property
    def out_sample_rate(self) -> int:
        """As in `Peer`."""
        ...

    @property
    def last_heard(self) -> float:
        """When anything came from the caller that is truly theirs, on the loop's clock."""
        ...

    @property
    def departure(self) -> Departure:
        """Why it is gone, once it is."""
        ...

    def play(self, playout: Playout) -> None:
        """As in `Peer`."""
        ...

    def listen(self, haste: Haste) -> None:
        """As in `Peer`."""
        ...

    def receive(self) -> AsyncGenerator[Frame | Command, None]:
        """As in `Peer`, with samples counted from 0. Ends when the connection is gone."""
        ...

    def send(self, event: Event | Numbered) -> None:
        """As in `Peer`."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a caller is waited for, in seconds, whose connection was lost, and one who has
    closed it: their network works, so that they come back soon or not at all."""

    lost_s: float
    closed_s: float

    def with_(self, connection: Connection) -> float:
        """With a caller who was there over this one."""
        is_closed = connection.departure == "closed"
        return min(self.closed_s, self.lost_s) if is_closed else self.lost_s


class Attachment:
    """One connection, for as long as the call goes over it. `ending` says why it does no more,
    once it is `over`. Whoever holds the connection says when it is `released`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.ending: Ending | None = None
        self.over = asyncio.Event()
        self.released = asyncio.Event()
        self.outlet: Outlet | None = None

    def end(self, ending: Ending) -> None:
        """Nothing goes over it any more."""
        if self.ending is None:
            self.ending = ending
            self.over.set()


class ResumablePeer:
    """Satisfies `Peer`. Attach a connection before the conversation begins."""

    def __init__(self, out_sample_rate: int, patience: Patience) -> None:
        self.out_sample_rate = out_sample_rate
        self.is_over = False
        self._patience = patience
        self._log = EventLog()
        self._playout: Playout | None = None
        self._attached: Attachment | None = None
        self._came = asyncio.Event()
        self._waits_s = patience.lost_s
        self._away_since: float | None = None
        self._away_s = 0.0  # of which the conversation does not know yet
        self._unheard: tuple[Unheard, ...] = ()  # nor of this
        self._haste = Haste.EACH_FRAME
        self._samples = 0  # of the caller's audio, over all connections
        self._started: SessionStarted | None = None

    @property
    def attached(self) -> Attachment | None:
        """The present connection; None while the caller is away."""
        return self._attached

    def attach(self, connection: Connection, after: int = 0) -> Attachment:
        """The call, if it is not over, goes over this connection from now on. A caller who comes
        back is told all events after this one; whoever was connected is told that the call goes
        on elsewhere."""
        if self._attached is not None:
            self._attached.connection.send(SessionEnded("replaced"))
            self._detach(self._attached, "replaced")
        now = _now()
        if self._away_since is not None:
            self._away_s += now - self._away_since
            self._away_since = None
        self._attached = attachment = Attachment(connection)
        connection.listen(self._haste)
        self._tell_missed(connection, after)
        self._plug(attachment)
        self._came.set()
        return attachment

    def over(self) -> None:
        """The conversation has ended."""
        self.is_over = True
        if self._attached is not None:
            self._attached.end("over")

    def play(self, playout: Playout) -> None:
        """As in `Peer`."""
        self._playout = playout
        if self._attached is not None:
            self._plug(self._attached)

    def listen(self, haste: Haste) -> None:
        """As in `Peer`."""
        self._haste = haste
        if self._attached is not None:
            self._attached.connection.listen(haste)

    def send(self, event: Event) -> None:
        """As in `Peer`; kept for a while."""
        match event:
            case SessionStarted():
                self._started = event
            case SessionUpdated(language, voice, speed) if self._started is not None:
                self._started = replace(self._started, language=language, voice=voice, speed=speed)
            case _:
                pass
        told = self._log.add(event)
        if self._attached is not None:
            self._attached.connection.send(told)

    async def receive(self) -> AsyncGenerator[Frame | Command | Gone | Back, None]:
        """As in `Peer`."""
        while (attachment := await self._present()) is not None:
            if self._away_s:
                yield Back(self._away_s)
                self._away_s = 0.0
            begin = self._samples
            async with aclosing(attachment.connection.receive()) as items:
                async for item in items:
                    if self._attached is not attachment:
                        break  # what it still says is another connection's to say
                    if isinstance(item, Frame):
                        item = replace(item, index=begin + item.index) if begin else item
                        self._samples = item.index + item.samples
                    elif isinstance(item, Played):
                        item = self._converted(item, attachment.connection)
                    yield item
            if self._attached is attachment:
                if attachment.connection.departure == "refused":
                    self.is_over = True
                    return
                self._detach(attachment, "lost")
            unheard, self._unheard = self._unheard, ()
            if self._attached is not None or self._waits_s > 0:
                yield Gone(unheard)

    def _converted(self, played: Played, connection: Connection) -> Played:
        """In samples of the call's rate: a device counts those that its connection brought."""
        samples = played.samples * self.out_sample_rate // connection.out_sample_rate
        return replace(played, samples=samples)

    async def _present(self) -> Attachment | None:
        """The connection, once there is one; None if the caller does not come back."""
        if self._attached is None:
            self._came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._waits_s):
                    await self._came.wait()
        if self._attached is None:
            self.is_over = True  # whoever comes now is too late
        return self._attached

    def _detach(self, attachment: Attachment, ending: Ending) -> None:
        self._attached = None
        self._away_since = _now()
        self._waits_s = self._patience.with_(attachment.connection)
        if attachment.outlet is not None:
            self._unheard += attachment.outlet.close()
        attachment.end(ending)

    def _plug(self, attachment: Attachment) -> None:
        if self._playout is None:
            return
        connection = attachment.connection
        attachment.outlet = Outlet(
            self._playout, connection.out_sample_rate, lambda: connection.last_heard, _now
        )
        connection.play(attachment.outlet)

    def _tell_missed(self, connection: Connection, after: int) -> None:
        started = self._started
        if started is None:
            return
        connection.send(
            SessionResumed(
                started.session_id,
                started.call_token,
                connection.out_sample_rate,
                started.language,
                started.voice,
                started.speed,
                started.voice_mode,
                self._log.knows_all_after(after),
                self._log.newest,
            )
        )
        for event in self._log.after(after):
            connection.send(event)


def _now() -> float:
    return asyncio.get_running_loop().time()
