"""What callers may expect of PocketSphinx on the guide's phrases.

All audio is eSpeak's real sound, resampled to 16 kHz, as a rule with 300 ms of quiet
around it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from inzwa_rtc.audio.opus import OpusDecoder, OpusEncoder
from inzwa_rtc.engines.asr.pocketsphinx.ear import Ear, Heard, Judge
from inzwa_rtc.engines.asr.pocketsphinx.engine import PocketSphinx, PocketSphinxOptions
from inzwa_rtc.engines.asr.pocketsphinx.model import Model
from inzwa_rtc.engines.asr.pocketsphinx.voice import Span
from inzwa_rtc.engines.contracts import RecognizeRequest, SpeechRequest, TranscriptChunk
from inzwa_rtc.engines.guide.script import load
from inzwa_rtc.engines.tts.espeak.engine import ESpeak
from inzwa_rtc.errors import ConfigError, EngineError
from tests.support.guide import intent_of

ENGLISH = RecognizeRequest("en")


async def spoken(
    tts: ESpeak, text: str, voice: str = "en-us", before_ms: int = 300, after_ms: int = 300
) -> bytes:
    """The text as int16 mono audio at 16 kHz."""
    request = SpeechRequest(text, voice)
    pcm = b"".join([chunk.pcm async for chunk in tts.synthesize(request)])
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    frame = av.AudioFrame.from_ndarray(
        np.frombuffer(pcm, np.int16)[None], format="s16", layout="mono"
    )
    frame.sample_rate = tts.sample_rate
    parts = [part for given in (frame, None) for part in resampler.resample(given)]
    audio = np.concatenate([part.to_ndarray()[0] for part in parts]) // 2
    return np.pad(audio, (16 * before_ms, 16 * after_ms)).astype("<i2").tobytes()


def called(audio: bytes) -> bytes:
    """The audio as it arrives from a call: through Opus at 24 kbit/s."""
    encoder, decoder = OpusEncoder(16_000, 24_000, mode="voice"), OpusDecoder(16_000)
    frames = (audio[start : start + 640] for start in range(0, len(audio) // 640 * 640, 640))
    return b"".join(decoder.decode(encoder.encode(frame)) for frame in frames)


async def pieces(audio: bytes, size: int = 640) -> AsyncIterator[bytes]:
    for start in range(0, len(audio), size):
        yield audio[start : start + size]


async def hear(asr: PocketSphinx, audio: bytes, size: int = 640) -> list[TranscriptChunk]:
    return [chunk async for chunk in asr.recognize(pieces(audio, size), ENGLISH)]


class CountingJudge(Judge):
    """A judge that knows how often it was asked."""

    asked = 0

    def hear(self, pcm: bytes, span: Span) -> Heard:
        self.asked += 1
        return super().hear(pcm, span)


def listen(ear: Ear, audio: bytes) -> None:
    """Feed 100 ms at a time, as the engine does."""
    for start in range(0, len(audio), 3200):
        ear.feed(audio[start : start + 3200])
        ear.pause()


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(load())


@pytest.fixture
def judge(model: Model) -> CountingJudge:
    return CountingJudge(model)


@pytest.fixture
def ear(model: Model, judge: CountingJudge) -> Iterator[Ear]:
    ear = Ear(model, judge)
    ear.begin()
    yield ear
    ear.end()


@pytest.fixture
def fresh() -> Iterator[PocketSphinx]:
    """A recogniser that nobody has spoken to yet."""
    engine = PocketSphinx(PocketSphinxOptions())
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("tell me a story", "story"),
        ("what is the date today", "date"),
        ("what day is it", "day"),
        ("what time is it", "time"),
        ("what is seven times eight", "multiply"),
        ("what is twelve plus thirty four", "add"),
        ("count to twenty", "count_to"),
        ("what does inzwa mean", "meaning_of_inzwa"),
        ("who are you", "who_are_you"),
        ("are you human", "are_you_human"),
        ("what can you do", "what_can_you_do"),
        ("how do i get a real model", "real_models"),
        ("say that again", "repeat"),
        ("mangwanani", "mangwanani"),
        ("goodbye", "goodbye"),
    ],
)
async def test_a_spoken_question_reaches_its_intent(
    tts: ESpeak, asr: PocketSphinx, question: str, intent: str
) -> None:
    final = (await hear(asr, await spoken(tts, question)))[-1]
    assert intent_of(final.text) == intent, final


@pytest.mark.parametrize("before_ms", [100, 200, 350, 500, 650, 800])
@pytest.mark.parametrize(
    "question",
    ["what time is it", "tell me a story", "are you human", "count to twenty", "what can you do"],
)
async def test_the_quiet_before_the_first_word_of_a_call_makes_no_difference(
    tts: ESpeak, fresh: PocketSphinx, question: str, before_ms: int
) -> None:
    audio = called(await spoken(tts, question, "en-gb", before_ms, 500))
    final = (await hear(fresh, audio))[-1]
    assert final.text == question, final


async def test_the_same_sound_gives_the_same_answer_to_the_last_digit(
    tts: ESpeak, asr: PocketSphinx
) -> None:
    audio = called(await spoken(tts, "count to twenty", "en-gb"))
    first, second = (await hear(asr, audio))[-1], (await hear(asr, audio))[-1]
    assert first == second


async def test_a_soft_voice_is_understood_like_a_loud_one(tts: ESpeak, asr: PocketSphinx) -> None:
    loud = np.frombuffer(await spoken(tts, "tell me a story"), "<i2")
    for samples in (loud, loud // 20):
        assert (await hear(asr, samples.astype("<i2").tobytes()))[-1].text == "tell me a story"


async def test_a_voice_in_noise_is_understood(tts: ESpeak, asr: PocketSphinx) -> None:
    voice = np.frombuffer(await spoken(tts, "what day is it", "en-gb"), "<i2")
    noise = np.random.default_rng(3).normal(0, 200, len(voice))  # 15 dB below the voice
    final = (await hear(asr, (voice + noise).astype("<i2").tobytes()))[-1]
    assert final.text == "what day is it"


async def test_what_was_said_is_judged_in_the_pause_and_not_once_more_at_the_end(
    tts: ESpeak, judge: CountingJudge, ear: Ear
) -> None:
    audio = await spoken(tts, "tell me a story", after_ms=500)
    listen(ear, audio)
    assert judge.asked == 1
    assert ear.finish().text == "tell me a story"
    assert judge.asked == 1


async def test_a_voice_that_goes_on_after_a_pause_is_judged_as_a_whole(
    tts: ESpeak, ear: Ear
) -> None:
    first = await spoken(tts, "what is seven", after_ms=150)
    listen(ear, first + await spoken(tts, "times eight", before_ms=150))
    assert ear.finish().text == "what is seven times eight"


async def test_a_voice_longer_than_any_phrase_is_refused_without_work(
    tts: ESpeak, judge: CountingJudge, ear: Ear
) -> None:
    audio = await spoken(tts, "tell me a story", before_ms=0, after_ms=0)
    listen(ear, audio * 15)
    assert ear.finish().text == ""
    assert judge.asked == 0


@pytest.mark.parametrize(
    "sentence",
    [
        "my grandmother bought oranges at the market",
        "please book me a flight to london on friday",
        "the football match was cancelled because of rain",
        "remind me to call the dentist tomorrow",
        "how tall is mount everest",
    ],
)
async def test_a_sentence_that_the_guide_does_not_know_is_refused(
    tts: ESpeak, asr: PocketSphinx, sentence: str
) -> None:
    final = (await hear(asr, await spoken(tts, sentence)))[-1]
    assert final.is_final
    assert final.text == ""
    assert final.confidence < 0.5


async def test_partials_come_first_and_exactly_one_final_comes_last(
    tts: ESpeak, asr: PocketSphinx
) -> None:
    chunks = await hear(asr, await spoken(tts, "what is twelve plus thirty four"))
    assert [chunk.is_final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert len(chunks) > 1
    texts = [chunk.text for chunk in chunks[:-1]]
    assert all(one != other for one, other in pairwise(texts))


async def test_times_lie_where_the_words_are(tts: ESpeak, asr: PocketSphinx) -> None:
    audio = await spoken(tts, "what is the date today")
    final = (await hear(asr, audio))[-1]
    assert 200 <= final.start_ms <= 500
    assert len(audio) // 32 - 600 <= final.end_ms <= len(audio) // 32


async def test_pieces_of_any_even_length_are_heard_alike(tts: ESpeak, asr: PocketSphinx) -> None:
    audio = await spoken(tts, "tell me a story")
    texts = {(await hear(asr, audio, size))[-1].text for size in (2 * 37, 640, 50_000, 10**7)}
    assert texts == {"tell me a story"}


async def test_quiet_is_nothing_and_so_is_no_audio_at_all(asr: PocketSphinx) -> None:
    for audio in (b"", bytes(640), bytes(64_000)):
        (final,) = [chunk for chunk in await hear(asr, audio) if chunk.is_final]
        assert final.text == ""


async def test_noise_is_refused(asr: PocketSphinx) -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 32_000).astype("<i2").tobytes()
    assert (await hear(asr, noise))[-1].text == ""


async def test_one_caller_leaves_no_trace_in_the_next_ones_result(
    tts: ESpeak, asr: PocketSphinx
) -> None:
    audio = await spoken(tts, "what is the date today")
    alone = (await hear(asr, audio))[-1]
    await hear(asr, np.random.default_rng(1).normal(0, 9000, 64_000).astype("<i2").tobytes())
    assert (await hear(asr, audio))[-1] == alone


async def test_concurrent_callers_are_each_understood(tts: ESpeak, asr: PocketSphinx) -> None:
    said = ["tell me a story", "what is the date today", "are you human", "what can you do"] * 3
    audio = [await spoken(tts, text) for text in said]
    heard = await asyncio.gather(*(hear(asr, one) for one in audio))
    assert [chunks[-1].text for chunks in heard] == said


async def test_an_abandoned_utterance_frees_its_slot(tts: ESpeak) -> None:
    asr = PocketSphinx(PocketSphinxOptions(max_utterances=1))
    audio = await spoken(tts, "what is twelve plus thirty four")
    async with aclosing(asr.recognize(pieces(audio), ENGLISH)) as stream:
        await anext(stream)
    waiting = asyncio.ensure_future(hear(asr, audio))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    story = await spoken(tts, "tell me a story")
    assert (await hear(asr, story))[-1].text == "tell me a story"
    asr.close()


async def test_a_language_other_than_english_is_refused(asr: PocketSphinx) -> None:
    with pytest.raises(EngineError, match="asr_engine"):
        async for _ in asr.recognize(pieces(b""), RecognizeRequest("sn")):
            pass


async def test_a_phrase_of_an_extra_script_is_recognised_and_answered(
    tts: ESpeak, tmp_path: Path
) -> None:
    extra = tmp_path / "shop.yaml"
    extra.write_text(
        "intents:\n  opening:\n    phrases: when does the museum open on sunday\n"
        "    replies: [At eight.]\n"
    )
    asr = PocketSphinx(PocketSphinxOptions(extra=extra))
    final = (await hear(asr, await spoken(tts, "when does the museum open on sunday")))[-1]
    asr.close()
    assert final.text == "when does the museum open on sunday"
    assert intent_of(final.text, extra) == "opening"


def test_a_word_without_pronunciation_is_refused_by_naming_it(tmp_path: Path) -> None:
    extra = tmp_path / "shop.yaml"
    extra.write_text("intents: {a: {phrases: where is the chikafuzz, replies: [x]}}")
    with pytest.raises(ConfigError, match="chikafuzz"):
        PocketSphinx(PocketSphinxOptions(extra=extra))


def test_no_temporary_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    asr = PocketSphinx(PocketSphinxOptions())
    assert list(tmp_path.iterdir()) == []
    asr.close()
