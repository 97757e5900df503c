"""Speech brought to another pace, and its words with it."""

from __future__ import annotations

import numpy as np
import pytest

from inzwa_rtc.engines.contracts import SpeechChunk, WordTime
from inzwa_rtc.engines.tts.stretch import Stretch

RATE = 16_000
PCM = (np.sin(np.arange(RATE) / RATE * 2 * np.pi * 300) * 8000).astype("<i2").tobytes()


@pytest.mark.parametrize("tempo", [0.5, 2.0])
def test_words_are_what_they_were_at_another_time(tempo: float) -> None:
    words = (WordTime(0, 4, 100), WordTime(5, 3, 400, is_estimated=True), WordTime(9, 2, 900))
    stretch = Stretch(RATE, tempo)
    chunks = [stretch.feed(SpeechChunk(PCM, words)), stretch.flush()]
    assert [word for chunk in chunks for word in chunk.words] == [
        WordTime(0, 4, int(100 / tempo)),
        WordTime(5, 3, int(400 / tempo), is_estimated=True),
        WordTime(9, 2, int(900 / tempo)),
    ]
    length = sum(len(chunk.pcm) for chunk in chunks)
    assert length == pytest.approx(len(PCM) / tempo, rel=0.05)
