"""What the microphone hears waits for the recogniser, but not without bound."""

from __future__ import annotations

from inzwa_rtc.conversation.utterance import Utterance

SECOND = 32_000


async def test_a_lagging_recogniser_loses_the_oldest_audio_and_it_is_counted() -> None:
    utterance = Utterance(0, 0, b"\x01" * SECOND, limit_s=2)
    utterance.feed(b"\x02" * SECOND)
    utterance.feed(b"\x03" * SECOND)
    utterance.end(0)
    heard = b"".join([piece async for piece in utterance.audio()])
    assert heard == b"\x02" * SECOND + b"\x03" * SECOND
    assert utterance.dropped_samples == 16_000
