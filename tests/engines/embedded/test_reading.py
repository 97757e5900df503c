"""Long and odd texts read aloud by a real engine, as a call and the command line have them."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions
from inzwa_rtc.settings.speech import SpeechSettings
from inzwa_rtc.speech.manner import manner_of
from inzwa_rtc.speech.reading import Reading
from tests.engines.contract.tts import check, sound, spoken, words

MANNER = manner_of(SpeechSettings())
TEXT = """# Opening hours

Dr. Moyo's clinic opens at **8:30**; on 3 March 2024 it cost $19.50.

- Call +263 77 123 4567, or see [the page](https://example.org/a?b=c).
- It is 3.5 km (2 miles) away. 😀 \N{RIGHT-TO-LEFT OVERRIDE}מַה שְּׁלוֹמְךָ?
"""


@pytest.mark.parametrize("speed", [0.25, 1.0, 4.0])
async def test_its_words_are_those_of_the_text_in_order_and_in_time(speed: float) -> None:
    request = SpeechRequest(TEXT, speed=speed)
    with closing(ESpeak(ESpeakOptions())) as engine:
        chunks = await spoken(Reading(engine, MANNER), request)
        check(chunks, request, engine.sample_rate)
    told = [TEXT[word.offset : word.offset + word.length] for word in words(chunks)]
    assert {"Moyo's", "clinic", "3 March 2024", "$19.50.", "3.5 km"} <= set(told)
    assert not any(word.is_estimated for word in words(chunks))


async def test_between_sentences_it_clicks_no_more_than_within_them() -> None:
    one = "The river listens."
    with closing(ESpeak(ESpeakOptions())) as engine:
        alone = np.frombuffer(sound(await spoken(engine, SpeechRequest(one))), "<i2")
        text = " ".join([one] * 10)
        audio = np.frombuffer(
            sound(await spoken(Reading(engine, MANNER), SpeechRequest(text))), "<i2"
        )
    assert len(audio) > 8 * len(alone)
    largest = np.abs(np.diff(audio.astype(int))).max()
    assert largest <= 1.2 * np.abs(np.diff(alone.astype(int))).max()  # its voices flutter


@pytest.mark.parametrize(
    "text", ["😀🐦", "...?!", "\0\x07\x1b", "\u202e", "   \n\n", "<speak></speak>"]
)
async def test_a_text_with_nothing_to_say_makes_no_sound(text: str) -> None:
    with closing(ESpeak(ESpeakOptions())) as engine:
        assert sound(await spoken(Reading(engine, MANNER), SpeechRequest(text))) == b""


@pytest.mark.parametrize("unit", ["w", "漢", "1", "<", "`"])
async def test_hundreds_of_characters_without_a_space_do_no_harm(unit: str) -> None:
    request = SpeechRequest(unit * 700, speed=4.0)
    with closing(ESpeak(ESpeakOptions())) as engine:
        check(await spoken(Reading(engine, MANNER), request), request, engine.sample_rate)
