"""Recognisers in processes of their own, as a call uses them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from inzwa_rtc.engines.client import RecognizerClient
from inzwa_rtc.engines.contracts import RecognizeRequest
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.engines.supervised import supervised
from inzwa_rtc.errors import EngineError, EngineUnavailable
from models.tiny import whisper_ct2, whisper_ggml
from tests.engines.contract.asr import GUARD_S, check, heard, noise, spoken

CLASSES = {
    "faster-whisper": "inzwa_rtc.engines.asr.whisper.faster:FasterWhisper",
    "whisper.cpp": "inzwa_rtc.engines.asr.whisper.cpp:WhisperCpp",
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "faster-whisper": whisper_ct2.make(folder / "ct2"),
        "whisper.cpp": whisper_ggml.make(folder / "ggml.bin"),
    }


def process(name: str, model: Path, **options: object) -> EngineProcess:
    values = {"model": str(model), "device": "cpu", "window_s": 5, **options}
    return EngineProcess(Launch(spec=EngineSpec("asr", name, CLASSES[name]), options=values))


@pytest.mark.parametrize("name", CLASSES)
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


@pytest.mark.parametrize("name", CLASSES)
async def test_a_model_that_is_not_there_is_told_of_before_the_first_call(name: str) -> None:
    missing = process(name, Path("/nowhere/model"))
    with pytest.raises(EngineUnavailable, match="/nowhere/model") as refused:
        async with asyncio.timeout(GUARD_S), supervised([missing]):
            pytest.fail("it must not be entered")
    assert "asr_model" in refused.value.action
