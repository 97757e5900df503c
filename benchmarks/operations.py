"""What no media path can do without, one operation at a time, and how long each takes by itself.

Each is what a server of ours calls, with real speech, in the smallest loop that does it. CPU time,
in seconds for one.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from aiortc.rtcdtlstransport import SRTP_PROFILES
from pylibsrtp import Policy, Session

from benchmarks.coders import BROWSER, Coder
from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, frame_bytes
from inzwa_rtc.audio.opus import OpusDecoder, OpusEncoder
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.transport import rtp
from inzwa_rtc.turntaking import silero

Work = Callable[[], float]

CALLER_RATE = 48_000
_HEADER = struct.Struct("!BBHII")
_LEVEL = bytes.fromhex("bede 0001 1047 0000")  # as browsers send it in every packet (RFC 6464)
_PROFILE = SRTP_PROFILES[0]  # what two libraries agree on that know all that aiortc knows
_SSRC, _TYPE = 0x1234, 111
_AT_ONCE = 100  # datagrams, which a socket's buffer holds
_TIMERS = 50
_LOCAL = ("127.0.0.1", 0)


def encode(speech: Sequence[bytes], rate: int, bitrate: int) -> Work:
    """A frame of a reply, at the server's settings."""
    encoder = OpusEncoder(rate, bitrate)
    return _each(speech, encoder.encode)


def decode(speech: Sequence[bytes]) -> Work:
    """A packet of the caller's, given 20 ms frames of 48 kHz."""
    encoder, decoder = Coder(BROWSER, CALLER_RATE), OpusDecoder(ASR_SAMPLE_RATE)
    packets = [encoder.encode(frame) for frame in speech]
    return _each(packets, decoder.decode)


def protect(payloads: Sequence[bytes]) -> Work:
    """Encrypting a packet."""
    session = _session(Policy.SSRC_ANY_OUTBOUND)
    numbers = itertools.count()

    def work() -> float:
        plain = [_packet(payload, next(numbers)) for payload in payloads]
        return _timed(plain, session.protect)

    return work


def unprotect(payloads: Sequence[bytes]) -> Work:
    """Decrypting one, each once: a replayed one is refused sooner."""
    outward, inward = _session(Policy.SSRC_ANY_OUTBOUND), _session(Policy.SSRC_ANY_INBOUND)
    numbers = itertools.count()

    def work() -> float:
        sealed = [outward.protect(_of_browser(payload, next(numbers))) for payload in payloads]
        return _timed(sealed, inward.unprotect)

    return work


def parse(payloads: Sequence[bytes]) -> Work:
    """Reading a packet's header."""
    plain = [_of_browser(payload, number) for number, payload in enumerate(payloads)]
    return _each(plain, rtp.parse)


def build(payloads: Sequence[bytes]) -> Work:
    """Writing one."""
    numbers = itertools.count()
    return _each(payloads, lambda payload: _packet(payload, next(numbers)))


def listen(calls: int, windows: Sequence[bytes]) -> Work:
    """Judging a window of one call, where those of so many calls are judged together."""
    network = silero.load()
    rows = np.array([network.begin() for _ in range(calls)])
    heard = np.frombuffer(b"".join(windows), np.int16).reshape(-1, silero.WINDOW)
    # Each call hears another part of the speech.
    starts = np.arange(calls) * len(heard) // calls
    together = [heard[(starts + number) % len(heard)] for number in range(max(2, 200 // calls))]
    judge = _each(together, lambda several: network.probabilities(several, rows))
    return lambda: judge() / calls


def send(datagram: bytes) -> Work:
    """Sending a datagram through the event loop's transport, on the loopback interface."""

    async def work() -> float:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind(_LOCAL)
            sink.setblocking(False)
            address = sink.getsockname()
            transport, _ = await loop.create_datagram_endpoint(_Counter, local_addr=_LOCAL)
            cost = _timed([datagram] * _AT_ONCE, lambda data: transport.sendto(data, address))
            transport.close()
            await asyncio.sleep(0)
            return cost

    return lambda: asyncio.run(work())


def receive(datagram: bytes) -> Work:
    """A datagram that wakes the event loop and is given to its protocol."""

    async def work() -> float:
        loop = asyncio.get_running_loop()
        transport, counter = await loop.create_datagram_endpoint(_Counter, local_addr=_LOCAL)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
            address = transport.get_extra_info("sockname")
            for _ in range(_AT_ONCE):
                source.sendto(datagram, address)
            began = time.process_time()
            await counter.done
            cost = (time.process_time() - began) / _AT_ONCE
        transport.close()
        await asyncio.sleep(0)
        return cost

    return lambda: asyncio.run(work())


def wake() -> float:
    """A timer of the event loop, with the sleep before it."""

    async def work() -> float:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        left = _TIMERS

        def due() -> None:
            nonlocal left
            left -= 1
            if left:
                loop.call_later(0.001, due)
            else:
                done.set_result(None)

        began = time.process_time()
        loop.call_later(0.001, due)
        await done
        return (time.process_time() - began) / _TIMERS

    return asyncio.run(work())


class _Counter(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self._left = _AT_ONCE

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._left -= 1
        if not self._left:
            self.done.set_result(None)


def _each(given: Sequence[Any], act: Callable[[Any], Any]) -> Work:
    return lambda: _timed(given, act)


def _timed(given: Sequence[Any], act: Callable[[Any], Any]) -> float:
    began = time.process_time()
    for one in given:
        act(one)
    return (time.process_time() - began) / len(given)


def _packet(payload: bytes, number: int) -> bytes:
    sequence, timestamp = number % (1 << 16), 960 * number % (1 << 32)
    return _HEADER.pack(0x80, _TYPE, sequence, timestamp, _SSRC) + payload


def _of_browser(payload: bytes, number: int) -> bytes:
    """With the loudness in a header extension."""
    plain = _packet(payload, number)
    return bytes([plain[0] | 0x10]) + plain[1 : _HEADER.size] + _LEVEL + payload


def _session(direction: int) -> Session:
    key = bytes(_PROFILE.key_length + _PROFILE.salt_length)  # its value changes no time
    profile = _PROFILE.libsrtp_profile
    return Session(Policy(key=key, ssrc_type=direction, srtp_profile=profile))


def windows_of(pcm: bytes) -> list[bytes]:
    """int16 LE mono 16 kHz, in the detector's windows of 32 ms."""
    size = silero.WINDOW * BYTES_PER_SAMPLE
    return [pcm[at : at + size] for at in range(0, len(pcm) - size + 1, size)]


def frames_of(pcm: bytes, rate: int) -> list[bytes]:
    """Whole frames of 20 ms."""
    size = frame_bytes(rate)
    return [pcm[at : at + size] for at in range(0, len(pcm) - size + 1, size)]


def silence(rate: int, seconds: float) -> bytes:
    """Nothing but zeros."""
    return bytes(round(rate * seconds) * BYTES_PER_SAMPLE)
