"""Phrases that come as frames, encoded or not, among others that come as samples."""

from __future__ import annotations

import pytest

from inzwa_rtc.audio.frame import PlayoutFrame
from inzwa_rtc.audio.opus import OpusEncoder
from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.events import Caption
from inzwa_rtc.playout.encoding import PacketForm
from tests.support.playing import FRAME, encoded, marked, playout, say_frames, say_samples


async def test_frames_that_were_encoded_leave_as_they_came_behind_a_whole_frame() -> None:
    out, _ = playout()
    speech = out.speech(1)
    await say_samples(speech, "one ", 1)
    await speech.write(marked(1, 1)[:100])
    await say_frames(speech, "two", 2)
    speech.finish()
    expected = [PlayoutFrame(marked(1, 1)), PlayoutFrame(marked(1, 1)[:100] + bytes(FRAME - 100))]
    assert [out.pull() for _ in range(5)] == [*expected, *encoded(1, 2), None]


async def test_captions_of_encoded_frames_count_the_silence_that_was_put_before_them() -> None:
    out, events = playout()
    speech = out.speech(1)
    speech.begin_phrase("one ", 0)
    await speech.write(marked(1, 1)[:100], (WordTime(0, 3, 0),))
    speech.end_phrase()
    await say_frames(speech, "two three", 4, (WordTime(0, 3, 0), WordTime(4, 5, 40)))
    for _ in range(2):
        out.pull()
    out.report_played(1, FRAME // 2)
    assert speech.heard() == "one"
    out.pull()
    out.pull()
    captions = [(event.text, event.start_ms) for event in events if isinstance(event, Caption)]
    assert captions == [("one", 0), ("two", 20), ("three", 60)]


async def test_packets_alone_count_as_the_sound_that_they_are() -> None:
    out, events = playout()
    out.want(PacketForm(24_000, True, lambda: OpusEncoder(16_000, 24_000)))
    speech = out.speech(1)
    speech.begin_phrase("one two", 0)
    words = (WordTime(0, 3, 0), WordTime(4, 3, 40))
    await speech.write_frames([PlayoutFrame(b"", b"opus")] * 4, words)
    speech.end_phrase()
    assert not speech.ends_within(0)
    speech.finish()
    assert speech.ends_within(80)
    for _ in range(3):
        assert out.pull() == PlayoutFrame(b"", b"opus")
    assert [event.start_ms for event in events if isinstance(event, Caption)] == [0, 40]
    speech.report_played(10**9)
    assert speech.heard() == "one"


@pytest.mark.parametrize(
    "frame",
    [PlayoutFrame(bytes(FRAME + 2), b"opus"), PlayoutFrame(b""), PlayoutFrame(b"", b"opus")],
    ids=["another rate", "empty", "not taken"],
)
async def test_frames_that_cannot_be_played_are_refused(frame: PlayoutFrame) -> None:
    out, _ = playout()
    speech = out.speech(1)
    speech.begin_phrase("hi", 0)
    with pytest.raises(ValueError, match="640 bytes"):
        await speech.write_frames([frame])
