"""Recognisers and voices in processes of their own, as a call uses them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from inzwa_rtc.engines.client import RecognizerClient, SynthesizerClient
from inzwa_rtc.engines.contracts import RecognizeRequest, SpeechRequest
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.engines.supervised import supervised
from inzwa_rtc.errors import EngineError, EngineUnavailable
from models.tiny import kokoro_onnx, vits_voices, whisper_ct2, whisper_ggml
from models.tiny.vits_onnx import Kind
from tests.engines.contract import tts
from tests.engines.contract.asr import GUARD_S, check, heard, noise, spoken

RECOGNISERS = {
    "faster-whisper": "inzwa_rtc.engines.asr.whisper.faster:FasterWhisper",
    "whisper.cpp": "inzwa_rtc.engines.asr.whisper.cpp:WhisperCpp",
}
VOICES = {
    "espeak": "inzwa_rtc.engines.tts.espeak.engine:ESpeak",
    "vits": "inzwa_rtc.engines.tts.vits.engine:Vits",
    "piper": "inzwa_rtc.engines.tts.vits.piper:Piper",
    "kokoro": "inzwa_rtc.engines.tts.kokoro.engine:Kokoro",
}
TEXT = "The river listens, and the wind in the reeds answers slowly."


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "faster-whisper": whisper_ct2.make(folder / "ct2"),
        "whisper.cpp": whisper_ggml.make(folder / "ggml.bin"),
        "vits": vits_voices.coqui(folder / "vits", Kind(speakers=3)),
        "piper": vits_voices.piper(folder / "piper", Kind(speakers=3)),
        "kokoro": kokoro_onnx.make(folder / "kokoro"),
    }


def process(name: str, model: Path, **options: object) -> EngineProcess:
    values = {"model": str(model), "device": "cpu", "window_s": 5, **options}
    return EngineProcess(Launch(spec=EngineSpec("asr", name, RECOGNISERS[name]), options=values))


def voice(name: str, model: Path | None) -> EngineProcess:
    values = {} if model is None else {"model": str(model), "device": "cpu", "threads": 1}
    if name in ("vits", "piper"):
        values |= {"noise_scale": 0, "noise_w": 0}
    return EngineProcess(Launch(spec=EngineSpec("tts", name, VOICES[name]), options=values))


@pytest.mark.parametrize("name", RECOGNISERS)
async def test_calls_share_a_process_and_none_disturbs_another(
    models: dict[str, Path], name: str
) -> None:
    running = process(name, models[name])
    async with asyncio.timeout(2 * GUARD_S), supervised([running]):
        recognizer = RecognizerClient(running)
        leaving = recognizer.recognize(spoken(noise(20)), RecognizeRequest("en"))
        async with aclosing(leaving):
            await anext(leaving)
        with pytest.raises(EngineError, match="tlh"):
            await heard(recognizer, noise(2), RecognizeRequest("tlh"))
        for chunks in await asyncio.gather(
            *(heard(recognizer, noise(2), RecognizeRequest("sn")) for _ in range(3))
        ):
            check(chunks, audio_ms=2000)


@pytest.mark.parametrize("name", VOICES)
async def test_calls_are_spoken_to_by_one_process_and_none_disturbs_another(
    models: dict[str, Path], name: str
) -> None:
    running = voice(name, models.get(name))
    async with asyncio.timeout(2 * GUARD_S), supervised([running]):
        client = SynthesizerClient(running)
        assert [one.engine for one in client.voices] == [name] * len(client.voices)
        assert client.speaker(None, "en").fingerprint
        requests = [SpeechRequest(TEXT, one.id, one.language) for one in client.voices[:3]]
        alone = [tts.sound(await tts.spoken(client, one)) for one in requests]
        leaving = client.synthesize(SpeechRequest(f"{TEXT} " * 50))
        async with aclosing(leaving):
            await anext(leaving)
        with pytest.raises(EngineError) as refused:
            await tts.spoken(client, SpeechRequest(TEXT, "nobody"))
        assert refused.value.code == "unknown_voice"
        together = await asyncio.gather(*(tts.spoken(client, one) for one in requests))
        for request, before, chunks in zip(requests, alone, together, strict=True):
            tts.check(chunks, request, client.sample_rate)
            assert all(chunk.engine == name for chunk in chunks)
            # eSpeak's waves go on from one text to the next: its samples are never quite the same.
            assert len(tts.sound(chunks)) == pytest.approx(len(before), rel=0.01)
            assert tts.sound(chunks) == before or name == "espeak"


@pytest.mark.parametrize("name", [*RECOGNISERS, "kokoro"])
async def test_a_model_that_is_not_there_is_told_of_before_the_first_call(name: str) -> None:
    make = process if name in RECOGNISERS else voice
    missing = make(name, Path("/nowhere/model"))
    with pytest.raises(EngineUnavailable, match="/nowhere/model") as refused:
        async with asyncio.timeout(GUARD_S), supervised([missing]):
            pytest.fail("it must not be entered")
    assert ("asr_model" if name in RECOGNISERS else "tts_model") in refused.value.action
