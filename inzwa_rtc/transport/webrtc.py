"""One caller over WebRTC: a peer connection with one audio track each way and events on
a data channel."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Generic, TypeVar

import structlog
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.sdp import candidate_from_sdp

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.engines.contracts import Haste, SharedVoiceDetector
from inzwa_rtc.errors import PeerError
from inzwa_rtc.events import Departure, Event, Failure, Numbered
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.settings import LimitSettings, Settings
from inzwa_rtc.transport.answer import answered
from inzwa_rtc.transport.candidate import Candidates, Reach
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.hooks import AudioLane, Gate, abandon, limit_datagrams, open_gates
from inzwa_rtc.transport.ice import IceSettings, call_addresses, configure
from inzwa_rtc.transport.inbox import CommandsOverflowError, Inbox
from inzwa_rtc.transport.jitterbuffer import LONGEST_QUIET_S
from inzwa_rtc.transport.line import WebRtcLine
from inzwa_rtc.transport.offer import Offer, read_offer
from inzwa_rtc.transport.receiver import OpusReceiver
from inzwa_rtc.transport.sender import OUT_SAMPLE_RATE, OpusSender
from inzwa_rtc.transport.terms import Terms
from inzwa_rtc.transport.wire import Dialect, message_of

C = TypeVar("C")

# Events before the channel is open. Who comes back is told 256 that were missed, and one before
# them; the rest is for what happens meanwhile.
MAX_UNSENT_EVENTS = 512
MAX_BUFFERED_BYTES = 1 << 20  # a client that does not read for so long is gone
CHANNEL_WAIT_S = 1.0  # clients without a data channel (WHIP) get their call all the same
FLUSH_S = 0.5
CLOSE_S = 3.0  # it takes some milliseconds
SILENT_S = 10.0  # consent is withdrawn after 25 s of silence, which is no farewell
CHANNEL_LABEL = "inzwa"
GAP_S = LONGEST_QUIET_S + 0.1  # the jitter buffer stands in for missing audio before that

log = structlog.get_logger(__name__)

limit_datagrams()


class WebRtcPeer(Generic[C]):
    """Satisfies `conversation.peer.Peer`. `answer` it once, wait until `connected`, `close`."""

    out_sample_rate = OUT_SAMPLE_RATE

    def __init__(
        self,
        settings: Settings,
        dialect: Dialect[C],
        clock: MediaClock,
        detector: SharedVoiceDetector,
        terms: Terms | None = None,
    ) -> None:
        self.terms = terms or Terms.usual(settings)  # once answered, within what was offered
        self._clock = clock
        self._dialect = dialect
        self._limits: LimitSettings = settings.limits
        self._offer: Offer | None = None
        self._ice = IceSettings.of(settings)
        # Without iceServers=[] aiortc asks a public STUN server.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._line: WebRtcLine | None = None
        self._inbox: Inbox[C] = Inbox(detector, gap_s=GAP_S)
        self._audio = self._add_audio()
        self._receiver = OpusReceiver(self._inbox)
        self._gates: list[Gate] = []
        self._lane: AudioLane | None = None
        self._sender: OpusSender | None = None
        self._channel: RTCDataChannel | None = None
        self._unsent: deque[Event | Numbered] = deque(maxlen=MAX_UNSENT_EVENTS)
        self._candidates: Candidates | None = None
        self._closing: asyncio.Task[None] | None = None
        self.departure: Departure = "lost"
        self._connected = asyncio.Event()
        self._is_given_up = False
        self._channel_awaited = asyncio.Event()  # or not to be waited for any more
        self._pc.on("connectionstatechange", self._on_state)
        self._pc.on("datachannel", self._on_channel)

    @property
    def state(self) -> str:
        """The W3C connection state: new, connecting, connected, disconnected, failed, closed."""
        return str(self._pc.connectionState)

    @property
    def last_heard(self) -> float:
        """When anything came that only the client can have sent, on the loop's clock."""
        return max((gate.heard_at for gate in self._gates), default=0.0)

    @property
    def has_channel(self) -> bool:
        """Whether the client has opened its data channel: without it, it is told nothing."""
        return self._channel is not None

    async def answer(self, offer: str) -> str:
        """The answer's SDP, with all candidates. Raises `PeerError` for a bad offer."""
        reach = Reach.of(call_addresses(self._ice))
        offered = self._offer = read_offer(offer, self._limits, reach)
        self._candidates = Candidates(self._limits.candidates, reach)
        self._candidates.offered(offered.candidates)
        self.terms = self.terms.within(offered.wishes)
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(offered.sdp, "offer"))
        except Exception as error:  # aiortc's parser raises whatever it trips on
            raise PeerError(
                "The offer cannot be understood.",
                action="Send the SDP of RTCPeerConnection.createOffer() unchanged.",
                code="bad_offer",
            ) from error
        for connection, gate in open_gates(self._pc, self._candidates.learned):
            configure(connection, gate, self._ice)
            self._gates.append(gate)
        self._lane = AudioLane(self._audio, self._gates, self._receiver.push)
        self._sender = OpusSender(self._lane, self.terms)
        self._line = WebRtcLine(self._lane, self._sender, self._receiver, self._inbox.close)
        self._inbox.source = self._line
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        return answered(offered, self._pc.localDescription.sdp, self.terms)

    async def add_candidate(self, candidate: str, mid: str | None, line: int | None) -> None:
        """A trickled candidate (`candidate:...`; empty: no more follow). Raises `PeerError`."""
        if not candidate:
            return
        assert self._offer is not None and self._candidates is not None, "nothing was answered"
        is_tried = self._candidates.trickled(candidate)
        section = self._offer.section_of(mid, line)
        if not is_tried or section is None:
            return
        try:
            parsed = candidate_from_sdp(candidate.removeprefix("candidate:"))
            parsed.sdpMid = section
            await self._pc.addIceCandidate(parsed)
        except ValueError:
            raise PeerError(
                "The ICE candidate was refused.",
                action="Send the browser's own RTCIceCandidate unchanged.",
                code="bad_candidate",
            ) from None

    async def connected(self, timeout_s: float) -> bool:
        """Wait until media and events can flow; False if that did not come about in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._connected.wait()
        except TimeoutError:
            return False
        if self._pc.sctp is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHANNEL_WAIT_S):
                    await self._channel_awaited.wait()
        return not self._is_given_up and self.state == "connected"

    def give_up(self) -> None:
        """Do not wait for the connection any more."""
        self._is_given_up = True
        self._wait_no_more()

    def play(self, playout: Playout) -> None:
        """Send what `playout` gives."""
        assert self._sender is not None, "nothing was answered"
        self._sender.play(playout)

    def listen(self, haste: Haste) -> None:
        """How soon what the caller says is wanted."""
        self._inbox.wanted = haste
        if haste is not Haste.IN_TIME:
            self._clock.wake()

    def receive(self) -> AsyncGenerator[Frame | C, None]:
        """The caller's frames and commands."""
        return self._inbox.receive()

    def send(self, event: Event | Numbered) -> None:
        """Send an event; before the channel is open it waits."""
        if self._channel is None:
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
        self._inbox.close()
        self._leave_clock()
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        # Shielded: cancelled half-way, aiortc would leave its sockets open.
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        """aiortc's own way out may fail, or wait for what never comes."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._pc.close()
        except Exception:  # whatever aiortc trips on: its sockets are closed all the same
            log.exception("call.not_closed")
            abandon(self._pc)

    def statistics(self) -> dict[str, float]:
        """Counts since the call began, and how its network is now (docs/metrics.md)."""
        network, lane = self._receiver.network(), self._lane
        return {
            "packets": network.received,
            "packets_lost": network.lost,
            "packets_late": network.late,
            "packets_bad": self._receiver.bad_packets,
            "packets_refused": network.refused + sum(gate.refused for gate in self._gates),
            "packets_unreadable": lane.unreadable if lane is not None else 0,
            "jitter_ms": network.jitter_ms,
            "buffer_ms": network.buffer_ms,
            "concealed_ms": network.concealed_ms,
            "round_trip_ms": round(lane.round_trip_s * 1000, 1) if lane is not None else 0.0,
            "lost_outward": round(lane.lost_outward, 3) if lane is not None else 0.0,
            "frames_waiting": self._inbox.waiting_frames,
            "frames_dropped": self._inbox.dropped_frames,
        }

    def _add_audio(self) -> RTCRtpTransceiver:
        """The transceiver for the offer's first audio section, in Opus and nothing else."""
        transceiver = self._pc.addTransceiver("audio", direction="sendrecv")
        codecs = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences([c for c in codecs if c.mimeType == "audio/opus"])
        return transceiver

    def _on_state(self) -> None:
        if self.state == "connected" and self._line is not None:
            self._clock.add(self._line)
        if self.state == "connected":
            self._connected.set()
        if self.state in ("failed", "closed"):
            self._wait_no_more()
            is_silent = asyncio.get_running_loop().time() - self.last_heard > SILENT_S
            if self.state == "closed" and not is_silent and self._closing is None:
                self.departure = "closed"
            self._inbox.close()
            self._leave_clock()

    def _wait_no_more(self) -> None:
        self._connected.set()
        self._channel_awaited.set()

    def _leave_clock(self) -> None:
        """For good: nobody asks for what comes any more."""
        if self._line is not None:
            self._clock.remove(self._line)
            self._line = self._inbox.source = None
        if self._lane is not None:
            self._lane.let_go()

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != CHANNEL_LABEL or self._channel is not None:
            channel.close()
            return
        self._channel = channel
        channel.on("message", self._on_message)
        self._channel_awaited.set()
        if len(self._unsent) == MAX_UNSENT_EVENTS:
            self._inbox.close()  # some were forgotten: whoever comes back is told all
            return
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
            self._clock.wake()  # it comes out of its tick: aiortc reads it in a task
        except PeerError as error:
            self.send(Failure(error.code, error.message, error.action))
        except CommandsOverflowError:
            self.departure = "refused"
            self._inbox.close()
