"""One caller over a WebSocket: PCM16 both ways and events as text.

Knows nothing of any WebSocket library: the network edge feeds what arrives and
lends two functions to send with.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.engines.contracts import Haste, SharedVoiceDetector
from inzwa_rtc.errors import PeerError
from inzwa_rtc.events import Departure, Event, Failure, Numbered
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.inbox import CommandsOverflowError, Inbox
from inzwa_rtc.transport.outbox import Outbox
from inzwa_rtc.transport.wire import Dialect, message_of

C = TypeVar("C")

MAX_SEND_S = 10.0  # one message not taken for so long: the client is gone, or as good as gone
MAX_ERRORS = 50  # a confused client is told; a hostile one is not served for ever


class _SocketLine:
    """Satisfies `clock.Line`: what comes, the network edge hands over as it comes."""

    def __init__(self, play: Callable[[], None], on_fault: Callable[[], None]) -> None:
        self._play = play
        self._on_fault = on_fault

    def send(self, tick: int, now: float) -> None:
        self._play()

    def take_in(self, now: float) -> None:
        pass

    def rests(self, now: float) -> int:
        return 0

    def fail(self) -> None:
        self._on_fault()


class SocketPeer(Generic[C]):
    """Satisfies `conversation.peer.Peer`. Run `pump` beside the conversation."""

    def __init__(
        self,
        out_sample_rate: int,
        dialect: Dialect[C],
        clock: MediaClock,
        detector: SharedVoiceDetector,
    ) -> None:
        self.out_sample_rate = out_sample_rate
        self._clock = clock
        self._line = _SocketLine(self._play, self.close)
        self._dialect = dialect
        self._inbox: Inbox[C] = Inbox(detector)
        self._outbox = Outbox()
        self._playout: Playout | None = None
        self._errors = 0
        self.departure: Departure = "lost"
        self.last_heard = asyncio.get_running_loop().time()

    def feed_audio(self, pcm: bytes) -> None:
        """A binary message arrived: int16 LE mono 16 kHz."""
        self._heard()
        if len(pcm) % 2 == 0:
            self._inbox.put_audio(pcm)
        else:
            self._refuse(
                PeerError(
                    "A binary message has an odd number of bytes.",
                    action="Send whole 16-bit samples: PCM16 little-endian mono at 16 kHz.",
                    code="odd_audio",
                )
            )

    def feed_text(self, message: str) -> None:
        """A text message arrived."""
        self._heard()
        try:
            self._inbox.put_command(self._dialect.decode(message))
        except PeerError as error:
            self._refuse(error)
        except CommandsOverflowError:
            self.leave("refused")

    def leave(self, departure: Departure) -> None:
        """The connection is gone, and it is known why: nothing more arrives."""
        self.departure = departure
        self._inbox.close()

    def close(self) -> None:
        """The connection is gone: nothing more arrives."""
        self._inbox.close()

    def statistics(self) -> dict[str, float]:
        """Counts of the inward path."""
        return {
            "frames_waiting": self._inbox.waiting_frames,
            "frames_dropped": self._inbox.dropped_frames,
        }

    def play(self, playout: Playout) -> None:
        """Send what `playout` gives."""
        self._playout = playout

    def listen(self, haste: Haste) -> None:
        """How soon what the caller says is wanted."""
        self._inbox.wanted = haste

    def receive(self) -> AsyncGenerator[Frame | C, None]:
        """The caller's frames and commands."""
        return self._inbox.receive()

    def send(self, event: Event | Numbered) -> None:
        """Queue an event behind all audio that left before it."""
        message = message_of(event, self._dialect)
        if message is not None:
            self._put(message)

    def end_sending(self) -> None:
        """`pump` returns once all that waits has been sent."""
        self._outbox.close()

    async def pump(
        self,
        send_text: Callable[[str], Awaitable[None]],
        send_bytes: Callable[[bytes], Awaitable[None]],
    ) -> None:
        """Send until `end_sending`, or until the client is gone or takes nothing more: audio
        in real time, and events in their place."""
        self._clock.add(self._line)
        try:
            while (message := await self._outbox.take()) is not None:
                async with asyncio.timeout(MAX_SEND_S):
                    if isinstance(message, str):
                        await send_text(message)
                    else:
                        await send_bytes(message)
        except (ConnectionError, TimeoutError):
            self._inbox.close()
        finally:
            self._clock.remove(self._line)

    def _play(self) -> None:
        frame = self._playout.pull() if self._playout is not None else None
        if frame is not None:
            self._put(frame.pcm)

    def _heard(self) -> None:
        self.last_heard = asyncio.get_running_loop().time()

    def _refuse(self, error: PeerError) -> None:
        """Answer with an error event; a client that keeps on sending nonsense is cut off."""
        self._errors += 1
        self.send(Failure(error.code, error.message, error.action))
        if self._errors >= MAX_ERRORS:
            self.leave("refused")

    def _put(self, message: str | bytes) -> None:
        if not self._outbox.put(message):
            self._inbox.close()
