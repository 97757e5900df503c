"""A voice whose loudness is not known is listened to before its file is begun."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inzwa_rtc.cli.listening import Listened
from inzwa_rtc.engines.contracts import Speaker, SpeechRequest
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.loudness import loudness
from inzwa_rtc.speech.reading import Reading
from tests.support.speech import AS_IT_IS, RATE, TEXT, Engine, SentenceReader, audio_of, read, tone

MANNER = replace(AS_IT_IS, reader=lambda language, rules: SentenceReader(language))
SENTENCES = ("The river listens", "The wind in the reeds answers slowly", "Who asked it")


class Quiet(Engine):
    """Speaks too low, five words a second, and tells who it is."""

    def __init__(self) -> None:
        super().__init__(lambda text: tone(len(text.split()) * RATE // 5, level=2500))

    def speaker(self, voice: str | None, language: str) -> Speaker:
        return Speaker("test")

    def model_of(self, engine: str) -> str:
        return "quiet"


@pytest.mark.parametrize("times", [1, 20])  # shorter, and longer, than a voice is listened to
async def test_nothing_is_made_twice_and_all_of_it_is_as_loud(times: int) -> None:
    engine, counted = Quiet(), list[tuple[str, str, int]]()
    listened = Listened(engine, lambda *told: counted.append(told))
    text = " ".join(f"{sentence} {n}." for n in range(times) for sentence in SENTENCES)
    request = SpeechRequest(text, "one")
    known = await listened.listen(request, MANNER, Settings())
    heard_ahead = len(engine.requests)
    assert heard_ahead == 3 if times == 1 else 3 < heard_ahead < 60
    spoken = await read(text, Reading(listened, replace(MANNER, loudness=known)), voice="one")
    asked = [request.text for request in engine.requests]
    assert len(asked) == len(set(asked)) == 3 * times
    sound = audio_of(spoken)
    for part in (sound[: RATE * 2], sound[-RATE * 2 :]):
        assert loudness(part.astype("<i2").tobytes(), RATE) == pytest.approx(-20, abs=0.5)
    assert sum(characters for _, _, characters in counted) == sum(map(len, asked))
    assert {told[:2] for told in counted} == {("test", "quiet")}


async def test_a_voice_that_need_not_be_known_is_not_listened_to() -> None:
    engine = Quiet()
    listened = Listened(engine, lambda *told: None)
    known = await listened.listen(SpeechRequest(TEXT), MANNER, Settings(tts_loudness_lufs=None))
    assert engine.requests == []
    (chunk, *_) = await read(TEXT, Reading(listened, replace(MANNER, loudness=known)))
    assert np.abs(audio_of([chunk])).max() <= 2500
