"""What both sides of a call keep to: how much Opus is sent each way, and in which packets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from inzwa_rtc.audio.frame import FRAME_MS
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.settings import Settings

LOW_BITRATE = 12_000
"""Of low-data mode, bit/s: the least at which Opus keeps a voice's whole band (0 to 8 kHz)."""

LOW_PACKET_MS = 60
"""Of low-data mode: three frames share one packet's 50 bytes of headers, and the longest that
Opus codes as one in its mode for voice."""

_LEAST_BITRATE = 6_000  # RFC 7587, section 6.1
_MOST_PACKET_MS = 60
"""What callers may put into one packet: more would be heard too late."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an offer says of the Opus that its sender wants to receive (RFC 7587, section 6.1;
    RFC 8866, section 6.4): bit/s at most, and the length of packets; None where it says nothing."""

    bitrate: int | None = None
    packet_ms: int | None = None
    longest_packet_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """`bitrate_in` is what the caller is asked to send at most, `bitrate_out` what they are sent,
    in bit/s without headers; `packet_ms` is 20 or 60, both ways."""

    bitrate_in: int
    bitrate_out: int
    packet_ms: int = FRAME_MS
    kept_bitrate: int | None = field(default=None, compare=False)
    """Of phrases that were encoded before, where they may be sent at all."""

    @classmethod
    def usual(cls, settings: Settings) -> Terms:
        """Those of the configuration."""
        bitrate = settings.opus_bitrate
        return cls(settings.opus_bitrate_in, bitrate, kept_bitrate=bitrate)

    @property
    def sends_what_is_kept(self) -> bool:
        """Whether phrases that were encoded before are sent as they are."""
        return self.kept_bitrate is not None and self.kept_bitrate <= self.bitrate_out

    @classmethod
    def of(cls, settings: Settings, low_data: object) -> Terms:
        """The usual ones, or those of low-data mode where that was asked for."""
        return cls.low_data() if low_data else cls.usual(settings)

    @classmethod
    def low_data(cls) -> Terms:
        """Those of a caller who asks for as little data as speech takes."""
        return cls(LOW_BITRATE, LOW_BITRATE, LOW_PACKET_MS)

    def within(self, wishes: Wishes) -> Terms:
        """These, as far as the caller's own offer lets them."""
        longest_ms = wishes.longest_packet_ms or _MOST_PACKET_MS
        is_long = max(self.packet_ms, wishes.packet_ms or 0) >= LOW_PACKET_MS <= longest_ms
        bitrate = min(self.bitrate_out, max(wishes.bitrate or self.bitrate_out, _LEAST_BITRATE))
        packet_ms = LOW_PACKET_MS if is_long else FRAME_MS
        return replace(self, bitrate_out=bitrate, packet_ms=packet_ms)

    def parameters(self) -> str:
        """The answer's format parameters of Opus (RFC 7587, section 6.1), for what the caller
        sends: mono, as much of the band as is recognised, with FEC, and nothing in silence."""
        shortest_ms = 10 if self.packet_ms == FRAME_MS else self.packet_ms
        return (
            f"minptime={shortest_ms};useinbandfec=1;stereo=0;sprop-stereo=0;"
            f"maxplaybackrate={ASR_SAMPLE_RATE};maxaveragebitrate={self.bitrate_in};usedtx=1"
        )

    def packets(self) -> tuple[str, ...]:
        """The answer's lines about the length of packets."""
        return (f"a=ptime:{self.packet_ms}", f"a=maxptime:{_MOST_PACKET_MS}")
