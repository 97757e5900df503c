"""The outward path of a WebRTC call: playout frames to Opus packets, 20 ms apart."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import Protocol

from inzwa_rtc.audio.frame import FRAME_MS, PlayoutFrame, frame_bytes
from inzwa_rtc.audio.opus import CELT_FROM, OpusEncoder
from inzwa_rtc.audio.packing import joined, runs
from inzwa_rtc.playout.encoding import PacketForm
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.transport.losses import Losses
from inzwa_rtc.transport.rtp import RTP_CLOCK
from inzwa_rtc.transport.terms import Terms

OUT_SAMPLE_RATE = 24_000
_TICKS = RTP_CLOCK * FRAME_MS // 1000
CLIENT_BUFFER_MS = 60  # what a browser's jitter buffer holds on a quiet network
_MEASURE_TICKS = 50
_TAIL_FRAMES = 10  # encode this much silence after speech, so that the codec settles
_PAUSE_TICKS = 20  # a sign of life each 400 ms of silence, as Opus encoders do (DTX)
_ONE_FRAME = 0xFC  # of a packet's first byte, which tells of one frame then (RFC 6716, 3.1)
_SILENCE = bytes(frame_bytes(OUT_SAMPLE_RATE))


class PacketLane(Protocol):
    """Where packets leave."""

    @property
    def round_trip_s(self) -> float:
        """To the caller and back; 0 while it is not known."""
        ...

    @property
    def lost_outward(self) -> float:
        """The share of packets that got lost on their way to the caller, as they told last."""
        ...

    def send(self, payload: bytes, timestamp: int, marker: bool) -> None:
        """See `hooks.AudioLane`."""
        ...


class OpusSender:
    """Sends what a playout gives, one packet a tick; in silence next to nothing.

    Where the caller asked for less data, a packet holds up to three frames and leaves with the
    first, as far as the others are there already: speech is written ahead of its time. So nothing
    waits for a packet to be full, and whatever was cut or held is silent in the next one.

    What was encoded before is sent as it is. Behind it comes a tail of silence, so that what a
    caller's buffer still holds is played, then one empty packet in 400 ms: it keeps the path
    open and tells the caller's decoder that nothing is missing.
    """

    def __init__(self, lane: PacketLane, terms: Terms) -> None:
        self.encodes = 0  # frames encoded so far
        self._lane = lane
        self._bitrate = terms.bitrate_out
        encoder = partial(OpusEncoder, OUT_SAMPLE_RATE, terms.bitrate_out)
        self._form = PacketForm(terms.bitrate_out, terms.sends_what_is_kept, encoder)
        self._lossy_form = self._form
        if terms.bitrate_out >= CELT_FROM:  # with less than that, it is for such networks always
            lossy = partial(encoder, mode="lossy")
            self._lossy_form = replace(self._form, takes_kept=False, new_encoder=lossy)
        self._losses = Losses()
        self._together = terms.packet_ms // FRAME_MS
        self._sent_until = 0  # the tick that is next: those before it have left
        self._encoder = OpusEncoder(OUT_SAMPLE_RATE, terms.bitrate_out)
        self._tail = 0  # frames of silence yet to be sent as such
        self._is_behind = False  # packets were sent that the encoder knows nothing of
        self._first: int | None = None
        self._toc = _silent_packet(terms.bitrate_out)[0] & _ONE_FRAME
        self._is_silent = False  # behind the last packet of sound, or of the tail behind it
        self._life_at = self._measure_at = 0  # the ticks from which on each is due
        self._playout: Playout | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing but signs of life is due, until the playout has something."""
        return self._is_silent and not self._tail and not self._has_more()

    def play(self, playout: Playout) -> None:
        """Send what this playout gives from the next tick on."""
        self._playout = playout
        self._measure(playout)

    def send(self, tick: int) -> None:
        """Send what is due."""
        if self._first is None:
            self._first = tick
        number = tick - self._first
        if self._playout is not None and number >= self._measure_at:
            self._measure_at = number + _MEASURE_TICKS
            if self._tail:  # it sounds; else a report is of hardly any packets
                self._losses.add(self._lane.lost_outward)
            self._measure(self._playout)
        if number < self._sent_until:
            return
        payloads = self._due()
        if len(payloads) == 1 and len(payloads[0]) == 1:
            self._is_silent = True
            if number >= self._life_at:
                self._life_at = number + _PAUSE_TICKS
                self._lane.send(payloads[0], number * _TICKS, False)
            return
        begins, self._is_silent = self._is_silent, False
        for run in runs(payloads):
            self._lane.send(joined(run), number * _TICKS, begins)
            number += len(run)
            begins = False
        self._sent_until = self._life_at = number

    def _due(self) -> list[bytes]:
        """The packet of this tick and what may leave with it: sound behind sound, silence behind
        silence. One of a single byte stands for silence."""
        frame = self._pull()
        if frame is None:
            if not self._tail:
                return [bytes([self._toc])]
            return [self._settling() for _ in range(min(self._together, self._tail))]
        payloads = [self._sound(frame)]
        while len(payloads) < self._together and self._has_more():
            if (frame := self._pull()) is None:
                break
            payloads.append(self._sound(frame))
        return payloads

    def _pull(self) -> PlayoutFrame | None:
        return self._playout.pull() if self._playout is not None else None

    def _has_more(self) -> bool:
        return self._playout is not None and self._playout.is_ready

    def _measure(self, playout: Playout) -> None:
        """Tell it how sound is to be encoded, and how long it is under way: the last frame of a
        packet is heard as much later as it left before its time."""
        playout.want(self._lossy_form if self._losses.are_high else self._form)
        ahead_ms = (self._together - 1) * FRAME_MS
        playout.transit_ms = CLIENT_BUFFER_MS + ahead_ms + round(self._lane.round_trip_s * 500)

    def _sound(self, frame: PlayoutFrame) -> bytes:
        self._tail = _TAIL_FRAMES
        if frame.packet:
            # Where a hold has torn a phrase in two, its packets go on all the same: a decoder
            # that has heard silence in between is back on the sound after a frame or two, and
            # more gently than if encoding began in the middle of it.
            self._is_behind = True
            return frame.packet
        return self._encode(frame.pcm)

    def _settling(self) -> bytes:
        self._tail -= 1
        # Behind finished packets, one from within silence ends the sound well.
        return _silent_packet(self._bitrate) if self._is_behind else self._encode(_SILENCE)

    def _encode(self, pcm: bytes) -> bytes:
        if self._is_behind:
            # What it encoded last is not what was decoded last: rely on none of it.
            self._encoder.reset()
            self._is_behind = False
        self.encodes += 1
        return self._encoder.encode(pcm)


@cache
def _silent_packet(bitrate: int) -> bytes:
    """A packet from within long silence."""
    encoder = OpusEncoder(OUT_SAMPLE_RATE, bitrate)
    return [encoder.encode(_SILENCE) for _ in range(_TAIL_FRAMES + 1)][-1]
