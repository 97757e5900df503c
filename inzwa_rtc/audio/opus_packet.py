"""What an Opus packet tells about itself before it is decoded (RFC 6716, section 3).

Times are in ticks of 48 kHz, at which Opus counts whatever it carries (RFC 7587).
"""

from __future__ import annotations

TICKS_PER_MS = 48
SHORTEST_TICKS = 120  # 2.5 ms: every frame is a multiple of it, and so is what is concealed
_MOST_TICKS = 120 * TICKS_PER_MS


def frame_ticks(packet: bytes) -> int:
    """How long each frame of the packet is; 0 for an empty packet."""
    return _FRAME_TICKS[packet[0]] if packet else 0


def packet_ticks(packet: bytes) -> int:
    """How long the audio of the packet is; 0 for what is not Opus."""
    if not packet:
        return 0
    first = packet[0]
    code = first & 3  # one frame, two, two, or as many as the next byte says
    if code < 3:
        return _FRAME_TICKS[first] * 2 if code else _FRAME_TICKS[first]
    ticks = _FRAME_TICKS[first] * (packet[1] & 0x3F) if len(packet) > 1 else 0
    return ticks if ticks <= _MOST_TICKS else 0


def _frame_ms(configuration: int) -> float:
    if configuration < 12:  # SILK
        return (10, 20, 40, 60)[configuration & 3]
    if configuration < 16:  # hybrid
        return (10, 20)[configuration & 1]
    return (2.5, 5, 10, 20)[configuration & 3]  # CELT


_FRAME_TICKS = [round(_frame_ms(first >> 3) * TICKS_PER_MS) for first in range(256)]
