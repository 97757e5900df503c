"""What a caller who loses many packets is sent can be repaired."""

from __future__ import annotations

from inzwa_rtc.audio.opus import OpusDecoder
from inzwa_rtc.conversation.stages import speak_kept
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.transport.sender import OUT_SAMPLE_RATE
from tests.support.sending import BITRATE, Line, voice


async def spoken_at_loss(line: Line, share: float, replies: int) -> bytes:
    """A packet of the last of so many replies of a second each, to a caller who loses so much."""
    line.lost_outward = share
    playout = Playout(OUT_SAMPLE_RATE, lambda event: None)
    line.sender.play(playout)
    for turn in range(replies):
        sent = len(line.sent)
        speech = playout.speech(turn)
        await speech.write(voice(110, 50))
        for _ in range(50):
            line.sender.send(line.ticks)
            line.ticks += 1
    return line.sent[sent + 10].payload


async def test_a_caller_who_loses_much_is_sent_what_can_be_repaired() -> None:
    """Not for a report or two, and for as long as it may be of use."""
    line, decoder = Line(), OpusDecoder(OUT_SAMPLE_RATE)
    assert not decoder.has_fec(await spoken_at_loss(line, 0.02, 20))
    assert not decoder.has_fec(await spoken_at_loss(line, 0.2, 2))
    assert not decoder.has_fec(await spoken_at_loss(line, 0.0, 5))
    assert decoder.has_fec(await spoken_at_loss(line, 0.15, 12))
    assert decoder.has_fec(await spoken_at_loss(line, 0.08, 20))
    assert not decoder.has_fec(await spoken_at_loss(line, 0.01, 12))


async def test_what_a_report_says_of_silence_is_of_no_account() -> None:
    line, decoder = Line(), OpusDecoder(OUT_SAMPLE_RATE)
    line.lost_outward = 1.0
    line.play(*[None] * 1000)
    assert not decoder.has_fec(await spoken_at_loss(line, 0.0, 1))


async def test_phrases_that_were_kept_are_sent_as_they_are_but_to_who_loses_much() -> None:
    line, decoder = Line(), OpusDecoder(OUT_SAMPLE_RATE)
    phrase = KeptPhrase.of(voice(110, 50), OUT_SAMPLE_RATE, (), BITRATE)

    async def spoken() -> list[bytes]:
        playout, sent = Playout(OUT_SAMPLE_RATE, lambda event: None), len(line.sent)
        line.sender.play(playout)
        await speak_kept("one", phrase, 0, playout.speech(1))
        for _ in phrase.packets:
            line.sender.send(line.ticks)
            line.ticks += 1
        return [one.payload for one in line.sent[sent:]]

    assert await spoken() == list(phrase.packets)
    await spoken_at_loss(line, 0.15, 20)
    again = await spoken()
    assert len(again) == len(phrase.packets)
    assert sum(map(decoder.has_fec, again)) > 15  # where it is voiced
    assert not any(map(decoder.has_fec, phrase.packets))
    await spoken_at_loss(line, 0.0, 20)
    assert await spoken() == list(phrase.packets)
