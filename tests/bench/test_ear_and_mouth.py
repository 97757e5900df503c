"""What a caller says arrives as it was meant; what it hears is judged packet by packet."""

from __future__ import annotations

import asyncio
import math
import time
from itertools import pairwise

import numpy as np
import pytest
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket

from inzwa_rtc.audio.opus import OpusDecoder, OpusEncoder
from inzwa_rtc.bench.ear import Ear
from inzwa_rtc.bench.mouth import Mouth
from inzwa_rtc.bench.utterance import AUDIBLE_RMS, rms, silence, utterance

LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
TICKS = 960


def tone(count: int, silent: int = 0) -> list[bytes]:
    """So many packets of a tone, and of the silence behind it."""
    samples = 6000 * np.sin(2 * np.pi * 440 * np.arange(480 * count) / 24_000)
    samples = np.concatenate([samples, np.zeros(480 * silent)])
    encoder = OpusEncoder(24_000, 28_000)
    return [encoder.encode(part.astype("<i2").tobytes()) for part in samples.reshape(-1, 480)]


class TestUtterances:
    @pytest.mark.parametrize(("name", "seconds"), [("request", 3.3), ("question", 1.42)])
    def test_are_speech_with_silence_behind_it(self, name: str, seconds: float) -> None:
        said = utterance(name)
        assert said.length_s == pytest.approx(seconds)
        assert said.packets[said.first].is_audible
        assert said.packets[said.last].is_audible
        assert not any(packet.is_audible for packet in said.packets[said.last + 1 :])
        assert len(said.packets) - said.last > 5

    def test_tell_how_loud_each_packet_is(self) -> None:
        decoder = OpusDecoder(16_000)
        for packet in utterance("question").packets:
            loudness = rms(decoder.decode(packet.payload))
            assert packet.is_audible == (loudness >= AUDIBLE_RMS)
            assert abs(20 * math.log10(loudness / 32768) + packet.level) <= 0.5
        assert silence().level == 127


class TestMouth:
    def test_it_sends_rtp_that_others_understand(self) -> None:
        mouth = Mouth(ssrc=77, payload_type=96, level_id=3)
        extensions = HeaderExtensionsMap()
        extensions.configure(
            RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(3, LEVEL)])
        )
        said = utterance("question")
        mouth.say(said)
        sent = [RtpPacket.parse(mouth.next(0.0), extensions) for _ in said.packets]
        assert [packet.payload for packet in sent] == [one.payload for one in said.packets]
        assert {(packet.ssrc, packet.payload_type) for packet in sent} == {(77, 96)}
        steps = {
            ((b.sequence_number - a.sequence_number) % 2**16, (b.timestamp - a.timestamp) % 2**32)
            for a, b in pairwise(sent)
        }
        assert steps == {(1, TICKS)}
        told = [packet.extensions.audio_level for packet in sent]
        assert told == [(one.is_audible, one.level) for one in said.packets]
        assert sent[0].marker == 1
        assert RtpPacket.parse(mouth.next(0.0), extensions).payload == silence().payload

    def test_no_extension_is_sent_to_a_server_that_wants_none(self) -> None:
        packet = RtpPacket.parse(Mouth(1, 111, None).next(0.0), HeaderExtensionsMap())
        assert (packet.extensions.audio_level, packet.payload) == (None, silence().payload)

    async def test_it_tells_when_the_first_and_the_last_audible_packet_left(self) -> None:
        mouth, said = Mouth(1, 96, None), utterance("question")
        spoken = mouth.say(said)
        for number in range(len(said.packets)):
            mouth.next(float(number))
        async with asyncio.timeout(10):
            await spoken.begun()
            await spoken.sent()
        assert (spoken.first_at, spoken.last_at) == (said.first, said.last)


class TestEar:
    async def test_a_tone_is_audible_and_silence_is_not(self) -> None:
        ear = Ear()
        payloads = [silence().payload] * 3 + tone(5)
        for number, payload in enumerate(payloads):
            ear.put(number * 0.02, number * TICKS, payload)
        seen = ear.arrivals(0.0)
        assert list(seen.audible[:3]) == [False] * 3
        assert list(seen.audible[4:]) == [True] * 4
        assert ear.first_at == 0.0
        assert ear.fell_silent_at is None

    @pytest.mark.parametrize("payload", [b"", b"\xf8", b"\xf8\xff\xfe"])
    async def test_packets_without_content_are_silent(self, payload: bytes) -> None:
        ear = Ear()
        ear.put(0.0, 0, payload)
        assert not ear.arrivals(0.0).audible.any()

    async def test_the_same_packet_again_is_judged_as_before(self) -> None:
        ear, loud = Ear(), tone(5)[-1]
        for number in range(4):
            ear.put(number * 0.02, number * TICKS, loud)
        assert ear.arrivals(0.0).audible.all()

    async def test_what_is_no_opus_is_counted_and_silent(self) -> None:
        ear = Ear()
        ear.put(0.0, 0, b"\xff" * 50)
        assert ear.bad_packets == 1
        assert not ear.arrivals(0.0).audible.any()

    async def test_it_tells_when_sound_began_and_when_it_ended(self) -> None:
        ear = Ear()
        waiting = asyncio.ensure_future(ear.audible())
        await asyncio.sleep(0)  # it begins to wait
        payloads = [silence().payload, *tone(5, silent=10)]
        for number, payload in enumerate(payloads):
            ear.put(number * 0.02, number * TICKS, payload)
        async with asyncio.timeout(10):
            assert await waiting == pytest.approx(0.02, abs=0.021)
            assert await ear.first_packet() == 0.0
        last = int(np.flatnonzero(ear.arrivals(0.0).audible)[-1])
        assert 5 <= last <= 7  # the codec rings on for a moment
        assert ear.last_audible_at == pytest.approx(last * 0.02)
        assert ear.fell_silent_at == pytest.approx((last + 1) * 0.02)

    async def test_silence_is_over_once_it_was_long_enough(self) -> None:
        ear = Ear()
        ear.put(time.monotonic() - 5.0, 0, tone(3)[-1])
        async with asyncio.timeout(10):
            await ear.silence(1.0)

    async def test_timestamps_go_on_where_they_wrap_around(self) -> None:
        ear = Ear()
        for number, timestamp in enumerate((2**32 - TICKS, 0, TICKS)):
            ear.put(number * 0.02, timestamp, b"")
        assert ear.arrivals(0.0).media_s == pytest.approx([0.0, 0.02, 0.04])

    async def test_only_what_came_since_is_told(self) -> None:
        ear = Ear()
        for number in range(5):
            ear.put(float(number), number * TICKS, b"")
        assert list(ear.arrivals(3.0).at) == [3.0, 4.0]
        assert ear.count == 5
