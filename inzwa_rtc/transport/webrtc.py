"""One caller over WebRTC: a peer connection with one audio track each way and events on
a data channel."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Generic, TypeVar

from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.sdp import candidate_from_sdp

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.errors import PeerError
from inzwa_rtc.events import Departure, Event, Failure, Numbered
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.settings import LimitSettings, Settings
from inzwa_rtc.transport.datagrams import limit_datagrams
from inzwa_rtc.transport.ice import IceSettings, configure
from inzwa_rtc.transport.inbox import CommandsOverflowError, Inbox
from inzwa_rtc.transport.offer import check_offer, is_reachable, with_opus_preferences
from inzwa_rtc.transport.receiver import OpusReceiver
from inzwa_rtc.transport.sender import OUT_SAMPLE_RATE, OpusTrack
from inzwa_rtc.transport.signs import SignsOfLife
from inzwa_rtc.transport.wire import Dialect, message_of

C = TypeVar("C")

MAX_UNSENT_EVENTS = 256  # events of set-up, before the channel is open
MAX_BUFFERED_BYTES = 1 << 20  # a client that does not read for so long is gone
CHANNEL_WAIT_S = 1.0  # clients without a data channel (WHIP) get their call all the same
FLUSH_S = 0.5
SILENT_S = 10.0  # consent is withdrawn after 25 s of silence, which is no farewell
CHANNEL_LABEL = "inzwa"

limit_datagrams()


class WebRtcPeer(Generic[C]):
    """Satisfies `conversation.peer.Peer`. `answer` it once, wait until `connected`, `close`."""

    out_sample_rate = OUT_SAMPLE_RATE

    def __init__(self, settings: Settings, dialect: Dialect[C]) -> None:
        self._dialect = dialect
        self._limits: LimitSettings = settings.limits
        self._bitrate = settings.opus_bitrate
        self._ice = IceSettings.of(settings)
        # Without iceServers=[] aiortc asks a public STUN server.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._inbox: Inbox[C] = Inbox()
        self._receiver = OpusReceiver(self._inbox)
        self._track = OpusTrack(settings.opus_bitrate)
        self._audio = self._add_audio()
        self._channel: RTCDataChannel | None = None
        self._unsent: deque[Event | Numbered] = deque(maxlen=MAX_UNSENT_EVENTS)
        self._candidates = 0
        self._signs = SignsOfLife(lambda: self._receiver.packets, asyncio.get_running_loop().time)
        self._is_closing = False
        self.departure: Departure = "lost"
        self._connected = asyncio.Event()
        self._is_given_up = False
        self._channel_open = asyncio.Event()
        self._pc.on("connectionstatechange", self._on_state)
        self._pc.on("datachannel", self._on_channel)

    @property
    def state(self) -> str:
        """The W3C connection state: new, connecting, connected, disconnected, failed, closed."""
        return str(self._pc.connectionState)

    @property
    def last_heard(self) -> float:
        """When anything came that only the client can have sent, on the loop's clock."""
        return self._signs.at

    @property
    def has_channel(self) -> bool:
        """Whether the client has opened its data channel: without it, it is told nothing."""
        return self._channel is not None

    async def answer(self, offer: str) -> str:
        """The answer's SDP, with all candidates. Raises `PeerError` for a bad offer."""
        sdp = check_offer(offer, self._limits)
        self._candidates = sdp.count("a=candidate:")
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        except Exception as error:  # aiortc's parser raises whatever it trips on
            raise PeerError(
                "The offer cannot be understood.",
                action="Send the SDP of RTCPeerConnection.createOffer() unchanged.",
                code="bad_offer",
            ) from error
        self._refuse_other_media()
        for transport in getattr(self._pc, "_RTCPeerConnection__iceTransports"):  # noqa: B009
            configure(transport.iceGatherer._connection, self._ice)
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        for transport in getattr(self._pc, "_RTCPeerConnection__iceTransports"):  # noqa: B009
            self._signs.watch(transport.iceGatherer._connection)
        return with_opus_preferences(self._pc.localDescription.sdp, self._bitrate)

    async def add_candidate(self, candidate: str, mid: str | None, line: int | None) -> None:
        """A trickled candidate (`candidate:...`; empty: no more follow). Raises `PeerError`."""
        if not candidate:
            return
        self._candidates += 1
        if self._candidates > self._limits.candidates:
            raise PeerError(
                f"More than {self._limits.candidates} ICE candidates.", code="too_many_candidates"
            )
        if not is_reachable(candidate):
            return
        try:
            parsed = candidate_from_sdp(candidate.removeprefix("candidate:"))
            parsed.sdpMid, parsed.sdpMLineIndex = mid, line
            await self._pc.addIceCandidate(parsed)
        except ValueError:
            raise PeerError(
                "The ICE candidate was refused.",
                action="Send the browser's own RTCIceCandidate, with sdpMid or sdpMLineIndex.",
                code="bad_candidate",
            ) from None

    async def connected(self, timeout_s: float) -> bool:
        """Wait until media and events can flow; False if that did not come about in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._connected.wait()
        except TimeoutError:
            return False
        if self._is_given_up or self.state != "connected":
            return False
        if self._pc.sctp is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHANNEL_WAIT_S):
                    await self._channel_open.wait()
        return True

    def give_up(self) -> None:
        """Do not wait for the connection any more."""
        self._is_given_up = True
        self._connected.set()

    def play(self, playout: Playout) -> None:
        """Send what `playout` gives."""
        self._track.play(playout)

    def receive(self) -> AsyncGenerator[Frame | C, None]:
        """The caller's frames and commands."""
        return self._inbox.receive()

    def send(self, event: Event | Numbered) -> None:
        """Send an event; before the channel is open it waits."""
        if self._channel is None or not self._channel_open.is_set():
            self._unsent.append(event)
            return
        if self._channel.readyState != "open":
            return
        if self._channel.bufferedAmount > MAX_BUFFERED_BYTES:
            self._inbox.close()
            return
        message = message_of(event, self._dialect)
        if message is not None:
            self._channel.send(message)

    async def flush(self) -> bool:
        """Wait a moment for events that were sent but have not left yet; False if they do not."""
        channel = self._channel
        if channel is None or channel.readyState != "open" or not channel.bufferedAmount:
            return True
        is_empty = asyncio.Event()
        channel.bufferedAmountLowThreshold = 0
        channel.once("bufferedamountlow", is_empty.set)
        try:
            async with asyncio.timeout(FLUSH_S):
                await is_empty.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Free everything. May be called more than once."""
        self._is_closing = True
        self._inbox.close()
        self._track.stop()
        # Shielded: cancelled half-way, aiortc would leave its sockets open.
        await asyncio.shield(asyncio.ensure_future(self._pc.close()))

    def statistics(self) -> dict[str, float]:
        """Counts of the inward path, and its jitter now."""
        buffer = self._receiver.buffer
        return {
            "packets": self._receiver.packets,
            "packets_lost": buffer.lost,
            "packets_late": buffer.late,
            "packets_bad": self._receiver.bad_packets,
            "jitter_ms": self._receiver.jitter_ms,
            "frames_concealed": self._receiver.concealed_frames,
            "frames_waiting": self._inbox.waiting_frames,
            "frames_dropped": self._inbox.dropped_frames,
        }

    def _add_audio(self) -> RTCRtpTransceiver:
        """The transceiver for the offer's first audio section, in Opus and nothing else."""
        transceiver = self._pc.addTransceiver(self._track, direction="sendrecv")
        codecs = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences([c for c in codecs if c.mimeType == "audio/opus"])
        self._receiver.attach(transceiver.receiver)
        self._track.watch(transceiver.sender)
        return transceiver

    def _refuse_other_media(self) -> None:
        """All sections but the first audio one are answered as inactive."""
        for transceiver in self._pc.getTransceivers():
            if transceiver is not self._audio:
                transceiver.direction = "inactive"
                receiver: RTCRtpReceiver = transceiver.receiver
                receiver._enabled = False  # else its queue grows: nobody reads it

    def _on_state(self) -> None:
        if self.state in ("connected", "failed", "closed"):
            self._connected.set()
        if self.state in ("failed", "closed"):
            is_silent = asyncio.get_running_loop().time() - self.last_heard > SILENT_S
            if self.state == "closed" and not is_silent and not self._is_closing:
                self.departure = "closed"
            self._inbox.close()

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != CHANNEL_LABEL or self._channel is not None:
            channel.close()
            return
        self._channel = channel
        channel.on("message", self._on_message)
        self._channel_open.set()
        while self._unsent:
            self.send(self._unsent.popleft())

    def _on_message(self, message: str | bytes) -> None:
        try:
            if isinstance(message, bytes):
                raise PeerError(
                    "Binary messages have no meaning on this channel.",
                    action="Send JSON text; audio travels as the audio track.",
                    code="unknown_message",
                )
            self._inbox.put_command(self._dialect.decode(message))
        except PeerError as error:
            self.send(Failure(error.code, error.message, error.action))
        except CommandsOverflowError:
            self.departure = "refused"
            self._inbox.close()
