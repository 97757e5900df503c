"""Recordings written down for requests."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from inzwa_rtc.engines.contracts import RecognizeRequest
from inzwa_rtc.errors import EngineError, PeerError, Unavailable
from inzwa_rtc.users import UserSettings, VoiceMode
from signaling.access.caller import Caller
from signaling.operations.transcribing import Segment, Transcript
from tests.support.engines import ScriptedRecognizer
from tests.support.recordings import RATE, recorded, wav
from tests.support.work import working


async def test_a_recording_is_cut_at_its_pauses_and_times_count_from_its_start() -> None:
    word = (await recorded("good morning"))[44:]
    pause = bytes(2 * RATE * 2)
    async with working(asr=ScriptedRecognizer("One.", "", "Three.")) as shop:
        recording = shop.work.transcribing.begin(wav(pause.join([b"", word, word, word])))
        transcript = await recording.transcript()
        heard = shop.engines.asr.fed
    assert transcript.text == "One. Three."
    first, third = transcript.segments
    assert 1_500 < first.start_ms < 2_500 < third.start_ms
    seconds = [len(pcm) / 2 / RATE for pcm in heard]
    assert len(seconds) == 3 and all(0.5 < length < 2.5 for length in seconds)
    assert transcript.duration_s == pytest.approx(6 + 3 * len(word) / 2 / RATE, abs=0.05)


async def test_bare_samples_of_any_rate_are_taken() -> None:
    samples = await recorded("good morning", "pcm", 48_000)
    async with working(asr=ScriptedRecognizer("Good morning.")) as shop:
        told = await shop.work.transcribing.begin(samples, sample_rate=48_000).transcript()
    assert told.duration_s == pytest.approx(len(samples) / 2 / 48_000, abs=0.03)
    assert told.text == "Good morning."


async def test_confidence_and_language_are_those_of_most_of_the_speech() -> None:
    segments = (Segment("a", 0, 3000, 1.0, "sn"), Segment("b", 4000, 5000, 0.2, "en"))
    transcript = Transcript(segments, 6.0, "de")
    assert transcript.language == "sn"
    assert transcript.confidence == pytest.approx(0.8)
    assert (Transcript((), 1.0, "de").language, Transcript((), 1.0, "de").confidence) == ("de", 0)


@pytest.mark.parametrize("mode", ["disabled", "tts_only"])
async def test_who_may_not_be_written_down_is_not(mode: VoiceMode) -> None:
    async with working() as shop:
        with pytest.raises(PeerError) as refused:
            shop.work.transcribing.begin(wav(b""), caller=Caller(settings=UserSettings(mode)))
    assert refused.value.status == 403


async def test_the_users_language_counts_unless_another_is_named() -> None:
    async with working() as shop:
        begin = shop.work.transcribing.begin
        caller = Caller(settings=UserSettings(stt_language="sn"))
        assert begin(wav(b""), caller=caller).request.language == "sn"
        assert begin(wav(b""), "en", caller).request.language == "en"
        assert begin(wav(b"")).request.language == "en"


async def test_what_is_translated_may_be_in_any_language() -> None:
    async with working() as shop:
        begin = shop.work.transcribing.begin
        caller = Caller(settings=UserSettings(stt_language="sn"))
        assert begin(wav(b""), caller=caller, translate=True).request == RecognizeRequest(
            None, True
        )
        assert begin(wav(b""), caller=caller, translate=False).request == RecognizeRequest("sn")


async def test_a_recogniser_that_cannot_translate_is_asked_for_what_it_does_not_have() -> None:
    class English(ScriptedRecognizer):
        async def recognize(self, audio, request):  # type: ignore[no-untyped-def]
            raise EngineError("It knows English only.", code="cannot_translate")
            yield

    file = await recorded("good morning")
    async with working(asr=English()) as shop:
        with pytest.raises(PeerError) as refused:
            await shop.work.transcribing.begin(file, translate=True).transcript()
    assert refused.value.code == "cannot_translate"


async def test_a_recording_that_is_too_long_is_refused() -> None:
    async with working(limits={"upload_audio_s": 2.0}) as shop:
        with pytest.raises(PeerError) as refused:
            await shop.work.transcribing.begin(wav(bytes(2 * RATE * 3))).transcript()
    assert (refused.value.status, refused.value.code) == (413, "audio_too_long")


async def test_a_recogniser_that_fails_is_told_and_the_place_given_back() -> None:
    class Failing(ScriptedRecognizer):
        async def recognize(self, audio, request):  # type: ignore[no-untyped-def]
            raise EngineError("It broke.")
            yield

    file = await recorded("good morning")
    limits = {"transcriptions_at_once": 1, "requests_waiting": 0}
    async with working(asr=Failing(), limits=limits) as shop:
        for _ in range(2):
            with pytest.raises(EngineError, match="It broke"):
                await shop.work.transcribing.begin(file).transcript()


async def test_more_than_can_wait_are_sent_away() -> None:
    class Waiting(ScriptedRecognizer):
        go_on = asyncio.Event()
        has_begun = asyncio.Event()

        async def recognize(self, audio, request):  # type: ignore[no-untyped-def]
            self.has_begun.set()
            await self.go_on.wait()
            async with aclosing(super().recognize(audio, request)) as chunks:
                async for chunk in chunks:
                    yield chunk

    file = await recorded("good morning")
    engine = Waiting("Good morning.")
    limits = {"transcriptions_at_once": 1, "requests_waiting": 0}
    async with working(asr=engine, limits=limits) as shop:
        first = asyncio.create_task(shop.work.transcribing.begin(file).transcript())
        await engine.has_begun.wait()
        with pytest.raises(Unavailable) as refused:
            await shop.work.transcribing.begin(file).transcript()
        engine.go_on.set()
        assert (await first).text == "Good morning."
    assert refused.value.code == "busy"
