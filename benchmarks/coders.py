"""Ways to set libopus's encoder, and what a listener hears of packets of which some are lost."""

from __future__ import annotations

import ctypes
from collections.abc import Container, Sequence
from dataclasses import dataclass

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, FRAME_MS, frame_bytes
from inzwa_rtc.audio.opus import MAX_PACKET_BYTES, OpusDecoder, library
from inzwa_rtc.errors import PeerError

RATE = 24_000  # Hz, at which replies are encoded in calls

# opus_defines.h, and opus_private.h for the mode that is forced
VOIP, AUDIO, LOW_DELAY = 2048, 2049, 2051
NARROW, WIDE, SUPER_WIDE, FULL = 1101, 1103, 1104, 1105  # sound up to 4, 8, 12 and 20 kHz
_SET_BITRATE, _SET_MAX_BANDWIDTH, _SET_COMPLEXITY = 4002, 4004, 4010
_SET_FEC, _SET_LOSS, _SET_SIGNAL, _GET_LOOKAHEAD = 4012, 4014, 4024, 4027
_SET_FORCE_MODE = 11002
_SIGNAL_VOICE = 3001
_FORCED = {"silk": 1000, "hybrid": 1001, "celt": 1002}

_Int = ctypes.c_int


@dataclass(frozen=True, slots=True)
class Coding:
    """One way to encode. `mode` is `silk`, `hybrid` or `celt`, or empty where libopus chooses;
    `loss_percent` is what the encoder is told to expect, and 0 turns its FEC off. `is_voice`
    tells it that it is given speech. What `follows` another was encoded so before, and decoded."""

    name: str
    application: int = VOIP
    mode: str = ""
    bitrate: int = 28_000
    complexity: int = 5
    loss_percent: int = 5
    bandwidth: int = SUPER_WIDE
    is_voice: bool = True
    follows: Coding | None = None

    def settings(self) -> list[tuple[int, int]]:
        """Requests of `opus_encoder_ctl`, in the order in which they are made."""
        told = [
            (_SET_BITRATE, self.bitrate),
            (_SET_COMPLEXITY, self.complexity),
            (_SET_MAX_BANDWIDTH, self.bandwidth),
            (_SET_FEC, int(self.loss_percent > 0)),
            (_SET_LOSS, self.loss_percent),
        ]
        if self.is_voice:
            told.append((_SET_SIGNAL, _SIGNAL_VOICE))
        if self.mode:
            told.append((_SET_FORCE_MODE, _FORCED[self.mode]))
        return told


BROWSER = Coding("browser", complexity=9, bandwidth=FULL)
"""As browsers encode at 48 kHz for a server that asks for FEC and 28 kbit/s."""


class Coder:
    """An encoder of 20 ms frames, set in one of these ways. `rate` in Hz."""

    def __init__(self, coding: Coding, rate: int = RATE) -> None:
        self._lib = library()
        error = _Int()
        application = coding.application
        self._state = self._lib.opus_encoder_create(rate, 1, application, ctypes.byref(error))
        self._check(error.value)
        for request, value in coding.settings():
            self._check(self._lib.opus_encoder_ctl(self._state, request, _Int(value)))
        lookahead = _Int()
        told = ctypes.byref(lookahead)
        self._check(self._lib.opus_encoder_ctl(self._state, _GET_LOOKAHEAD, told))
        self.lookahead = lookahead.value
        self._packet = ctypes.create_string_buffer(MAX_PACKET_BYTES)
        self._before: tuple[Coder, OpusDecoder] | None = None
        if coding.follows is not None:
            before = Coder(coding.follows, rate)
            self._before = before, OpusDecoder(rate)
            self.lookahead += before.lookahead

    def encode(self, pcm: bytes) -> bytes:
        """One packet from exactly 20 ms of int16 LE mono."""
        if self._before is not None:
            before, decoder = self._before
            pcm = decoder.decode(before.encode(pcm))
        samples = len(pcm) // BYTES_PER_SAMPLE
        size = self._lib.opus_encode(self._state, pcm, samples, self._packet, MAX_PACKET_BYTES)
        self._check(size)
        return self._packet.raw[:size]

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._lib.opus_encoder_destroy(self._state)

    def _check(self, code: int) -> None:
        if code < 0:
            raise RuntimeError(f"libopus: {self._lib.opus_strerror(code).decode()}")


def frames(pcm: bytes, rate: int = RATE) -> list[bytes]:
    """int16 LE mono in frames of 20 ms, the last one filled up with silence."""
    size = frame_bytes(rate)
    whole = pcm + bytes(-len(pcm) % size)
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def heard(packets: Sequence[bytes], lost: Container[int], rate: int = RATE) -> bytes:
    """What a decoder makes of the packets but for those whose numbers are `lost`: the last of
    each gap comes from the FEC of the packet behind it, the others before it are concealed. A
    browser does as much, and stretches time besides."""
    decoder = OpusDecoder(rate)
    sound = []
    for number, packet in enumerate(packets):
        if number not in lost:
            sound.append(decoder.decode(packet))
        elif number + 1 < len(packets) and number + 1 not in lost:
            sound.append(_recovered(decoder, packets[number + 1]))
        else:
            sound.append(decoder.conceal())
    return b"".join(sound)


def mode_of(packet: bytes) -> str:
    """The mode in which a packet was encoded (RFC 6716, section 3.1)."""
    kind = packet[0] >> 3
    return "silk" if kind < 12 else "hybrid" if kind < 16 else "celt"


def duration_s(packets: Sequence[bytes]) -> float:
    """Of the sound in packets of 20 ms."""
    return len(packets) * FRAME_MS / 1000


def _recovered(decoder: OpusDecoder, following: bytes) -> bytes:
    try:
        return decoder.recover(following)
    except PeerError:
        return decoder.conceal()
