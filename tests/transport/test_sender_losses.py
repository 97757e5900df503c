"""What a caller who loses many packets is sent can be repaired."""

from __future__ import annotations

from inzwa_rtc.audio.opus import OpusDecoder
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.transport.sender import OUT_SAMPLE_RATE
from tests.support.sending import Line, voice


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
    line = Line()
    for share, is_sent in ((0.0, True), (0.15, False), (0.0, True)):
        await spoken_at_loss(line, share, 20)
        playout = Playout(OUT_SAMPLE_RATE, lambda event: None)
        line.sender.play(playout)
        speech = playout.speech(1)
        speech.begin_phrase("one", 0)
        assert speech.takes_packets is is_sent
