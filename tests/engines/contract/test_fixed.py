"""The engines for load tests keep the contracts of all engines, and are as predictable as told."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from inzwa_rtc.engines.asr.fixed import FixedTranscript
from inzwa_rtc.engines.contracts import RecognizeRequest, SpeechRequest
from inzwa_rtc.engines.llm.fixed import FixedReply
from inzwa_rtc.engines.tts.tone import Tone
from tests.engines.contract import asr, llm, tts


class TestFixedTranscript(asr.RecognizerContract):
    @pytest.fixture
    def subject(self) -> asr.Subject:
        def make(**options: Any) -> FixedTranscript:
            return FixedTranscript(FixedTranscript.Options.model_validate(options))

        return asr.Subject(make, asr.noise(2))


class TestFixedReply(llm.LanguageModelContract):
    @pytest.fixture
    def subject(self) -> llm.Subject:
        def make(**options: Any) -> FixedReply:
            return FixedReply(FixedReply.Options.model_validate(options))

        return llm.Subject(make, has_adapters=False)


class TestTone(tts.SynthesizerContract):
    @pytest.fixture
    def subject(self) -> tts.Subject:
        def make(**options: Any) -> Tone:
            return Tone(Tone.Options.model_validate(options))

        return tts.Subject(make)


async def test_every_utterance_is_heard_as_the_words_of_the_settings() -> None:
    options = FixedTranscript.Options(text="mhoroi", language="sn")
    with closing(FixedTranscript(options)) as engine:
        for seed in range(2):
            audio = asr.noise(1, seed=seed)
            (final,) = await asr.heard(engine, audio, RecognizeRequest("sn-ZW"))
            assert (final.text, final.language, final.end_ms) == ("mhoroi", "sn", 1000)


async def test_the_shipped_reply_is_three_sentences_and_each_is_a_second_of_tone() -> None:
    with closing(FixedReply(FixedReply.Options())) as engine:
        reply = await llm.text_of(engine, llm.asking("anything", max_tokens=256))
    with closing(Tone(Tone.Options())) as engine:
        pcm = tts.sound(await tts.spoken(engine, SpeechRequest(reply)))
        assert len(pcm) == 3 * 2 * engine.sample_rate
        spectrum = np.abs(np.fft.rfft(np.frombuffer(pcm[: 2 * engine.sample_rate], "<i2")))
    assert spectrum.argmax() == 440


async def test_a_tone_has_the_length_and_the_pitch_of_its_options() -> None:
    with closing(Tone(Tone.Options(frequency_hz=1000, sentence_ms=500))) as engine:
        pcm = tts.sound(await tts.spoken(engine, SpeechRequest("Yes")))
        assert len(pcm) == engine.sample_rate  # half a second of two bytes
        spectrum = np.abs(np.fft.rfft(np.frombuffer(pcm, "<i2")))
    assert spectrum.argmax() == 500  # bins of 2 Hz


@pytest.mark.parametrize("reply", ["", " \n"])
def test_a_reply_without_a_word_is_refused(reply: str) -> None:
    with pytest.raises(ValidationError):
        FixedReply.Options(reply=reply)
