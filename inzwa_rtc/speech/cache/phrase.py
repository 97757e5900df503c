"""The sound of a phrase as it is kept: Opus packets, ready to be sent.

Samples are not kept beside them: they take nine times the memory (48 kB for a second of speech
against 5.6). WebRTC callers are sent the packets themselves. For callers who take samples, and for
those who are sent another form of Opus (who lose much, or asked for less data), they are decoded,
in about 2 ms for a second of speech, a small part of what it cost to make.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, FRAME_MS, PlayoutFrame, frame_bytes
from inzwa_rtc.audio.ogg import OPUS_RATE, ogg_opus
from inzwa_rtc.audio.opus import CELT_FROM, OpusDecoder, OpusEncoder
from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines.contracts import WordTime

ENCODED_RATE = 24_000  # Hz; what is sent to WebRTC callers
BATCH_FRAMES = 25  # decoded at a time: 1 ms of the loop's time for 500 ms of speech
_FIRST_FRAMES = 5  # of the first batch: sound at once
_COMPLEXITY = 10  # the highest: encoded once, heard often
_RECORD_BYTES = 200  # about what a phrase takes besides its packets
_WORD_BYTES = 120
_PACKET_BYTES = 40  # what Python adds to each packet


@dataclass(frozen=True, slots=True)
class KeptPhrase:
    """A whole phrase: 20 ms packets of one run of the encoder, and the words in it.

    `words` count characters of the texts of the phrase's pieces, joined, and milliseconds from
    the first sample.
    """

    packets: tuple[bytes, ...]
    words: tuple[WordTime, ...] = ()

    @classmethod
    def of(cls, pcm: bytes, rate: int, words: tuple[WordTime, ...], bitrate: int) -> KeptPhrase:
        """The phrase of this sound (int16 LE mono at `rate` Hz). Takes about 4 ms for a
        second of it: call it in a thread."""
        encoder = _encoder(bitrate)
        resampler = Resampler(rate, ENCODED_RATE)
        sound = resampler.feed(pcm) + resampler.flush()
        sound += bytes(encoder.lookahead * BYTES_PER_SAMPLE)  # so that its last samples come out
        size = frame_bytes(ENCODED_RATE)
        sound += bytes(-len(sound) % size)
        packets = (encoder.encode(sound[at : at + size]) for at in range(0, len(sound), size))
        return cls(tuple(packets), words)

    @property
    def size_bytes(self) -> int:
        """Memory that it takes, roughly."""
        packets = sum(map(len, self.packets)) + _PACKET_BYTES * len(self.packets)
        return packets + _WORD_BYTES * len(self.words) + _RECORD_BYTES

    @property
    def duration_ms(self) -> int:
        """How long it sounds, with the silence that fills its last packet."""
        return len(self.packets) * FRAME_MS

    def as_ogg(self) -> bytes:
        """Its packets as an Ogg file."""
        pre_skip = _lookahead() * OPUS_RATE // ENCODED_RATE
        return ogg_opus(self.packets, pre_skip, ENCODED_RATE)

    def pcm(self, rate: int) -> bytes:
        """All of it as samples at `rate` Hz, any. Takes 2 ms for a second of it: call it in a
        thread."""
        resampler = Resampler(ENCODED_RATE, rate)
        frames = (frame.pcm for some in self.decoded_frames(ENCODED_RATE) for frame in some)
        return resampler.feed(b"".join(frames)) + resampler.flush()

    def encoded_frames(self) -> list[PlayoutFrame]:
        """Its frames for a playout that takes packets."""
        return [PlayoutFrame(b"", packet) for packet in self.packets]

    def decoded_frames(self, rate: int) -> Iterator[list[PlayoutFrame]]:
        """Its frames as PCM at `rate` Hz (8, 12, 16, 24 or 48 kHz), up to half a second of
        them at a time, decoded as they are taken."""
        decoder = OpusDecoder(rate)
        size = frame_bytes(rate)
        sound = bytearray()
        skip = _lookahead() * rate // ENCODED_RATE * BYTES_PER_SAMPLE
        start = 0
        while start < len(self.packets):
            end = start + (BATCH_FRAMES if start else _FIRST_FRAMES)
            for packet in self.packets[start:end]:
                sound += decoder.decode(packet)
            if start == 0:
                del sound[:skip]
            if end >= len(self.packets):
                sound += bytes(skip)
            whole = len(sound) - len(sound) % size
            yield [PlayoutFrame(bytes(sound[at : at + size])) for at in range(0, whole, size)]
            del sound[:whole]
            start = end


def coding(bitrate: int) -> str:
    """How phrases are encoded to be kept: another name wherever packets would differ."""
    return _encoder(bitrate).coding


def _encoder(bitrate: int) -> OpusEncoder:
    # In one mode at any bit rate: whoever reads a phrase knows how far its encoder looked ahead.
    return OpusEncoder(ENCODED_RATE, bitrate, complexity=_COMPLEXITY, mode="celt")


@cache
def _lookahead() -> int:
    return _encoder(CELT_FROM).lookahead
