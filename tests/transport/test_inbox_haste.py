"""Whoever is behind, has nothing to say or cannot be asked is listened to all the same."""

from __future__ import annotations

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.engines.contracts import Haste
from tests.transport.test_inbox import FRAME, Line


async def test_who_was_left_behind_is_listened_to_until_nothing_waits() -> None:
    """In no haste as well, which is as quick as audio comes and no quicker."""
    line = Line()
    line.inbox.wanted = Haste.IN_TIME
    for _ in range(100):  # what a network brings at once that has stalled
        line.inbox.put_audio(FRAME)
    for _ in range(21):
        line.now += 0.02
        await line.tick()
    assert line.inbox.waiting_frames == 0
    heard = [one.pcm for one in line.items if isinstance(one, Frame)]
    assert heard[:100] == [FRAME] * 100
    assert not any(map(any, heard[100:]))  # silence, of the time since
    await line.all()


async def test_time_in_a_call_without_audio_goes_as_quickly_whatever_the_haste() -> None:
    heard = {}
    for haste in (Haste.EACH_FRAME, Haste.IN_TIME, Haste.EACH_SOUND):
        line = Line()
        line.inbox.wanted = haste
        for _ in range(400):
            line.now += 0.02
            await line.tick()
        heard[haste] = len(line.items)
        await line.all()
    assert min(heard.values()) >= 0.97 * 400


async def test_an_inbox_closes_whatever_is_wrong_with_its_source() -> None:
    class Broken:
        def fetch(self, at: float) -> None:
            raise RuntimeError("broken")

        def is_silent(self, at: float) -> bool:
            raise RuntimeError("broken")

    line = Line()
    line.inbox.put_audio(FRAME)
    line.inbox.source = Broken()
    line.inbox.close()
    assert [type(one) for one in await line.all()] == [Frame]
