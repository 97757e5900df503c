"""A recording is cut where a call would be."""

from __future__ import annotations

from itertools import pairwise

import pytest

from inzwa_rtc.recordings.cutting import Cutter, Stretch
from inzwa_rtc.settings import TurnSettings
from tests.support.engines import LoudIsSpeech

RATE = 16_000
LOUD = (1000).to_bytes(2, "little")


def ms(length: int, sample: bytes = bytes(2)) -> bytes:
    return sample * (RATE * length // 1000)


def cut(pcm: bytes, piece: int = 10_000, **settings: int) -> list[Stretch]:
    cutter = Cutter(LoudIsSpeech(), TurnSettings(**settings))
    found: list[Stretch] = []
    for at in range(0, len(pcm), piece):
        found += cutter.feed(pcm[at : at + piece])
    return found + cutter.finish()


def test_each_utterance_has_what_was_just_before_and_the_silence_behind() -> None:
    first, second = cut(ms(1000) + ms(600, LOUD) + ms(2000) + ms(800, LOUD) + ms(1000))
    assert first.start == RATE * 700 // 1000
    assert len(first.pcm) == len(ms(300 + 600 + 500))
    assert second.start == RATE * 3300 // 1000
    assert second.pcm.strip(bytes(1)) == ms(800, LOUD).strip(bytes(1))


@pytest.mark.parametrize("piece", [2, 640, 999_998])
def test_it_does_not_matter_in_which_pieces_it_comes(piece: int) -> None:
    pcm = ms(30) + ms(600, LOUD) + ms(700) + ms(400, LOUD)
    assert cut(pcm, piece) == cut(pcm)


def test_what_is_said_to_the_very_end_is_kept() -> None:
    (only,) = cut(ms(500) + ms(411, LOUD))
    assert only.pcm.count(LOUD) == RATE * 411 // 1000


def test_a_cough_is_no_utterance() -> None:
    assert cut(ms(500) + ms(100, LOUD) + ms(1000)) == []


def test_who_speaks_on_and_on_is_cut_and_nothing_is_lost_or_said_twice() -> None:
    found = cut(ms(5_000, LOUD), max_utterance_ms=1000, preroll_ms=0)
    assert len(found) > 2
    for one, following in pairwise(found):
        assert one.start + len(one.pcm) // 2 == following.start
    assert sum(len(one.pcm) for one in found) == len(ms(5_000))
