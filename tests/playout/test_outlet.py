"""One connection's end of a playout: what left in vain is played again, in the form it takes."""

from __future__ import annotations

import numpy as np

from inzwa_rtc.audio.frame import PlayoutFrame, frame_bytes
from inzwa_rtc.audio.opus import OpusEncoder
from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.events import Event, PlaybackStarted
from inzwa_rtc.playout.encoding import PacketForm
from inzwa_rtc.playout.outlet import LEAST_TRANSIT_MS, Outlet
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.playout.unheard import Unheard
from tests.support.playing import FRAME, RATE, marked, playout, say_samples

LEAST_S = LEAST_TRANSIT_MS / 1000


class Time:
    """Seconds, as a test sets them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.heard = 100.0


def outlet(of: Playout, time: Time, rate: int = RATE) -> Outlet:
    return Outlet(of, rate, lambda: time.heard, lambda: time.now)


def pulled(out: Outlet, time: Time, frames: int) -> list[bytes | None]:
    taken = []
    for _ in range(frames):
        frame = out.pull()
        taken.append(frame.pcm if frame else None)
        time.now += 0.02
    return taken


def tone(rate: int, frames: int) -> bytes:
    times = np.arange(rate // 50 * frames) / rate
    return (9000 * np.sin(2 * np.pi * 500 * times)).astype("<i2").tobytes()


def is_tone(pcm: bytes, rate: int) -> bool:
    """Whether it is that tone: its strongest frequency is 500 Hz."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(samples))
    return bool(abs(int(spectrum.argmax()) * rate / len(samples) - 500) < 30)


async def test_what_left_before_the_caller_was_last_heard_from_is_not_played_again() -> None:
    source, _ = playout()
    time = Time()
    first = outlet(source, time)
    await say_samples(source.speech(1), "one", 50)
    pulled(first, time, 20)
    time.heard = time.now - 0.01 + LEAST_S
    pulled(first, time, 10)
    assert first.close() == ()
    assert pulled(outlet(source, time), time, 31) == [marked(1, 1)] * 30 + [None]


async def test_what_the_device_has_said_that_it_played_is_not_played_again() -> None:
    source, _ = playout()
    time = Time()
    first = outlet(source, time)
    await say_samples(source.speech(1), "one", 50)
    pulled(first, time, 20)
    source.report_played(1, 15 * FRAME // 2)
    assert first.close() == ()
    assert pulled(outlet(source, time), time, 36) == [marked(1, 1)] * 35 + [None]


async def test_the_next_device_counts_from_where_it_begins_to_play() -> None:
    source, _ = playout()
    time = Time()
    first = outlet(source, time)
    speech = source.speech(1)
    await say_samples(speech, "one two", 30, (WordTime(0, 3, 0), WordTime(4, 3, 500)))
    pulled(first, time, 20)
    source.report_played(1, 20 * FRAME // 2)
    time.heard = time.now + LEAST_S  # nothing of what has left is in doubt
    first.close()
    pulled(outlet(source, time), time, 10)
    source.report_played(1, 4 * FRAME // 2)
    assert speech.heard() == ""
    source.report_played(1, 5 * FRAME // 2)
    assert speech.heard() == "one"


async def test_a_closed_outlet_takes_nothing_from_the_next_one() -> None:
    source, _ = playout()
    time = Time()
    first, second = outlet(source, time), outlet(source, time)
    await say_samples(source.speech(1), "one", 3)
    first.close()
    assert pulled(first, time, 2) == [None, None]
    assert pulled(second, time, 4) == [marked(1, 1)] * 3 + [None]
    assert first.close() == ()


async def test_the_next_device_is_told_that_the_turn_begins_to_sound() -> None:
    source, events = playout()
    time = Time()
    first = outlet(source, time)
    await say_samples(source.speech(1), "one", 3)
    pulled(first, time, 1)
    first.close()
    pulled(outlet(source, time), time, 1)
    assert events.count(PlaybackStarted(1)) == 2


async def test_a_speech_that_was_played_to_its_end_tells_what_was_heard_of_it() -> None:
    source, _ = playout()
    time = Time()
    first = outlet(source, time)
    speech = source.speech(1)
    await say_samples(speech, "one. ", 10)
    await say_samples(speech, "two.", 10)
    speech.finish()
    pulled(first, time, 12)
    time.heard = time.now - 0.01 + LEAST_S
    pulled(first, time, 10)
    assert speech.is_over
    assert first.close() == (Unheard(1, "one.", "one. two."),)
    assert Unheard(1, "one.", "one. two.").rest == "two."


async def test_a_speech_that_was_cut_has_settled_already_what_was_heard() -> None:
    source, _ = playout()
    time = Time()
    first = outlet(source, time)
    speech = source.speech(1)
    await say_samples(speech, "one.", 10)
    pulled(first, time, 5)
    speech.cut()
    assert first.close() == ()


async def test_no_more_is_remembered_than_a_dead_connection_lasts() -> None:
    source, _ = playout()
    time = Time()
    first = outlet(source, time)
    speech = source.speech(1)
    speech.begin_phrase("long", 0)
    for _ in range(30):
        await speech.write(marked(1, 50))
        pulled(first, time, 50)
    first.close()
    assert len([one for one in pulled(outlet(source, time), time, 1500) if one]) == 1000


async def test_packets_become_sound_for_a_device_that_takes_none() -> None:
    events: list[Event] = []
    source = Playout(24_000, events.append)
    time = Time()
    packets = outlet(source, time, 24_000)
    encoder = OpusEncoder(24_000, 28_000)
    packets.want(PacketForm(28_000, True, lambda: encoder))
    pcm, size = tone(24_000, 25), frame_bytes(24_000)
    frames = [
        PlayoutFrame(b"", encoder.encode(pcm[at : at + size])) for at in range(0, len(pcm), size)
    ]
    speech = source.speech(1)
    speech.begin_phrase("tone", 0)
    await speech.write_frames(frames)
    assert packets.pull() == frames[0]
    packets.close()
    heard = [one for one in pulled(outlet(source, time, 16_000), time, 25) if one]
    assert {len(one) for one in heard} == {FRAME}
    assert len(heard) == 25
    assert is_tone(b"".join(heard[3:]), 16_000)


async def test_sound_of_another_rate_is_played_at_the_rate_of_the_device() -> None:
    source, _ = playout()
    time = Time()
    speech = source.speech(1)
    speech.begin_phrase("tone", 0)
    await speech.write(tone(RATE, 25))
    out = outlet(source, time, 24_000)
    heard = [one for one in pulled(out, time, 27) if one]
    assert {len(one) for one in heard} == {frame_bytes(24_000)}
    assert len(heard) == 25
    assert is_tone(b"".join(heard[:24]), 24_000)


async def test_packets_of_one_rate_are_not_asked_for_by_a_device_of_another() -> None:
    source, _ = playout()
    out = outlet(source, Time(), 24_000)
    out.want(PacketForm(28_000, True, lambda: OpusEncoder(24_000, 28_000)))
    assert source.form is None


async def test_who_takes_less_data_than_before_is_sent_less_at_once() -> None:
    """The reply that has begun is encoded anew, the next one is encoded for them."""
    source = Playout(24_000, lambda event: None)
    time = Time()
    first = outlet(source, time, 24_000)
    first.want(PacketForm(28_000, True, lambda: OpusEncoder(24_000, 28_000)))
    before = source.speech(1)
    before.begin_phrase("tone", 0)
    await before.write(tone(24_000, 5))
    left = first.pull()
    assert left is not None
    assert left.packet
    first.close()
    second = outlet(source, time, 24_000)
    second.want(PacketForm(12_000, False, lambda: OpusEncoder(24_000, 12_000)))
    first.want(PacketForm(28_000, True, lambda: OpusEncoder(24_000, 28_000)))  # too late
    assert before.takes_packets, "who waits with packets may write them"
    await before.write_frames([left] * 5)
    heard = [second.pull() for _ in range(10)]
    assert all(frame is not None and frame.pcm and not frame.packet for frame in heard)
    after = source.speech(2)
    assert not after.takes_packets
    after.begin_phrase("tone", 0)
    await after.write(tone(24_000, 1))
    frame = second.pull()
    assert frame is not None
    assert frame.packet


async def test_who_takes_more_data_than_before_is_sent_what_there_is() -> None:
    source = Playout(24_000, lambda event: None)
    time = Time()
    first = outlet(source, time, 24_000)
    first.want(PacketForm(12_000, False, lambda: OpusEncoder(24_000, 12_000)))
    speech = source.speech(1)
    speech.begin_phrase("tone", 0)
    await speech.write(tone(24_000, 5))
    first.close()
    second = outlet(source, time, 24_000)
    second.want(PacketForm(28_000, True, lambda: OpusEncoder(24_000, 28_000)))
    frame = second.pull()
    assert frame is not None
    assert frame.packet
    assert source.speech(2).takes_packets


async def test_who_takes_samples_after_one_who_took_packets_is_sent_them_bare() -> None:
    source = Playout(24_000, lambda event: None)
    time = Time()
    first = outlet(source, time, 24_000)
    first.want(PacketForm(28_000, True, lambda: OpusEncoder(24_000, 28_000)))
    first.close()
    outlet(source, time, 24_000)
    assert not source.speech(1).takes_packets
