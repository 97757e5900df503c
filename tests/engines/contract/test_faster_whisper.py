"""faster-whisper keeps the contract with a tiny model, and asks of the library what it should."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import ctranslate2
import pytest

from inzwa_rtc.engines.asr.whisper.faster import FasterWhisper
from inzwa_rtc.engines.contracts import RecognizeRequest
from inzwa_rtc.errors import EngineError, EngineUnavailable
from models.tiny import whisper_ct2
from tests.engines.contract.asr import (
    GUARD_S,
    Caller,
    RecognizerContract,
    Subject,
    check,
    hang_up,
    heard,
    noise,
    spoken,
    until,
)

SPEECH = noise(2)
LARGE = whisper_ct2.Size(width=256, layers=2, heads=4, tokens=20_000)
WORDS = whisper_ct2.vocabulary(whisper_ct2.TINY.tokens)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    whisper_ct2.make(folder / "tiny")
    whisper_ct2.make(folder / "tiny.en", is_multilingual=False)
    whisper_ct2.make(folder / "large", LARGE)
    return folder


def engine_of(model: Path, **options: Any) -> FasterWhisper:
    values = {"model": model, "device": "cpu", "partial_ms": 0, "window_s": 5, **options}
    return FasterWhisper(FasterWhisper.Options.model_validate({"threads": 1, **values}))


class TestFasterWhisper(RecognizerContract):
    @pytest.fixture
    def subject(self, models: Path) -> Subject:
        return Subject(
            make=lambda **options: engine_of(models / "tiny", **options),
            speech=SPEECH,
            streaming={"partial_ms": 300},
            larger=lambda: engine_of(models / "large", window_s=30),
        )


class Library(ctranslate2.models.Whisper):  # type: ignore[misc]  # it has no types
    """The library itself, which remembers what it was asked."""

    frames: list[int]
    prompts: list[list[str]]
    limits: list[int]
    beams: list[int]
    detections: int
    may_encode: threading.Event

    def encode(self, features: Any, *given: Any, **named: Any) -> Any:
        type(self).frames.append(features.shape[-1])
        assert self.may_encode.wait(GUARD_S)
        return super().encode(features, *given, **named)

    def generate(self, encoded: Any, prompts: list[list[int]], **named: Any) -> Any:
        type(self).prompts += [[WORDS[token] for token in prompt] for prompt in prompts]
        type(self).limits.append(named["max_length"])
        type(self).beams.append(named["beam_size"])
        return super().generate(encoded, prompts, **named)

    def detect_language(self, encoded: Any) -> Any:
        type(self).detections += 1
        return super().detect_language(encoded)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Library]]:
    monkeypatch.setattr(ctranslate2.models, "Whisper", Library)
    Library.frames, Library.prompts, Library.limits, Library.detections = [], [], [], 0
    Library.beams = []
    Library.may_encode = threading.Event()
    Library.may_encode.set()
    yield Library


async def final_prompt(
    library: type[Library], engine: FasterWhisper, request: RecognizeRequest
) -> str:
    """What the model is given of an utterance that is decoded once, in the stock window."""
    library.prompts.clear()
    await heard(engine, SPEECH, request)
    (prompt,) = library.prompts
    return "".join(prompt).replace("Ġ", " ")


def whole(models: Path, name: str = "tiny", **options: Any) -> FasterWhisper:
    return engine_of(models / name, window_s=30, **options)


async def test_the_model_is_told_the_language_and_the_task(
    models: Path, library: type[Library]
) -> None:
    with closing(whole(models, hotwords=[])) as engine:
        told = await final_prompt(library, engine, RecognizeRequest("sn-ZW"))
        assert told == "<|startoftranscript|><|sn|><|transcribe|><|notimestamps|>"
        told = await final_prompt(library, engine, RecognizeRequest("nb", translate=True))
        assert told == "<|startoftranscript|><|no|><|translate|><|notimestamps|>"


async def test_a_model_of_english_only_is_told_neither(
    models: Path, library: type[Library]
) -> None:
    with closing(whole(models, "tiny.en", hotwords=[])) as engine:
        assert engine.details["languages"] == "en"
        for request in (RecognizeRequest(None), RecognizeRequest("en-GB")):
            told = await final_prompt(library, engine, request)
            assert told == "<|startoftranscript|><|notimestamps|>"
        with pytest.raises(EngineError, match="sn"):
            await heard(engine, SPEECH, RecognizeRequest("sn"))
        with pytest.raises(EngineError, match="English only"):
            await heard(engine, SPEECH, RecognizeRequest("en", translate=True))


async def test_a_language_that_is_not_given_is_detected_from_what_is_encoded_anyway(
    models: Path, library: type[Library]
) -> None:
    with closing(whole(models)) as engine:
        library.frames.clear()
        chunks = await heard(engine, SPEECH, RecognizeRequest(None))
        assert (library.detections, library.frames) == (1, [3000])
        assert f"<|{chunks[-1].language}|>" in WORDS


async def test_hotwords_and_the_prompt_reach_the_model(
    models: Path, library: type[Library]
) -> None:
    hotwords = ["Inzwa", "<|endoftext|>"]
    with closing(whole(models, hotwords=hotwords, prompt="Good morning.")) as engine:
        told = await final_prompt(library, engine, RecognizeRequest("en"))
    before = "<|startofprev|> Inzwa <|endoftext|> Good morning.<|startoftranscript|>"
    assert told.startswith(before)
    assert "<|endoftext|>" not in library.prompts[0]  # the one that looks special was spelt out


async def test_the_hotwords_shipped_for_the_language_are_the_default(
    models: Path, library: type[Library]
) -> None:
    with closing(whole(models)) as engine:
        assert " mhoro " in await final_prompt(library, engine, RecognizeRequest("sn"))
        assert " Bulawayo " in await final_prompt(library, engine, RecognizeRequest("en"))
        told = await final_prompt(library, engine, RecognizeRequest("fr"))
        assert told.startswith("<|startoftranscript|>")


async def test_what_is_too_much_for_the_model_is_cut_between_words(
    models: Path, library: type[Library]
) -> None:
    hotwords = [f"word{number:03}" for number in range(200)]
    with closing(whole(models, hotwords=hotwords, prompt="before " * 500)) as engine:
        told = await final_prompt(library, engine, RecognizeRequest("en"))
    before, _, _ = told.removeprefix("<|startofprev|>").partition("<|startoftranscript|>")
    assert len(library.prompts[0]) <= 448 - 220
    assert set(before.split()) <= {*hotwords, "before"}
    assert before.split()[:3] == hotwords[:3]
    assert before.endswith("before")


@pytest.mark.parametrize("hotwords", [[], ["mangwanani"] * 20])
async def test_the_text_has_as_much_room_with_a_prompt_as_without(
    models: Path, library: type[Library], hotwords: list[str]
) -> None:
    with closing(whole(models, hotwords=hotwords)) as engine:
        await final_prompt(library, engine, RecognizeRequest("en"))
    length, limit = len(library.prompts[0]), library.limits[-1]
    assert min(limit // 2, limit - length) >= 16 + 2 * 20  # as the library reckons


@pytest.mark.parametrize(
    ("window_s", "seconds", "frames"), [(5, 2, 500), (5, 6, 700), (15, 2, 1500)]
)
async def test_the_window_fits_the_utterance(
    models: Path, library: type[Library], window_s: float, seconds: float, frames: int
) -> None:
    with closing(engine_of(models / "tiny", window_s=window_s)) as engine:
        library.frames.clear()
        await heard(engine, noise(seconds), RecognizeRequest("en"))
    # A model of random weights is never sure of itself: it is asked again in the stock window.
    assert library.frames == [frames, 3000]


async def test_beams_are_for_the_final_transcript(models: Path, library: type[Library]) -> None:
    with closing(engine_of(models / "tiny", partial_ms=300, beam_size=3, window_s=30)) as engine:
        library.beams.clear()
        caller = Caller()
        stream = engine.recognize(caller.audio(), RecognizeRequest("en"))
        async with asyncio.timeout(GUARD_S), aclosing(stream):
            caller.say(SPEECH)
            await anext(stream)
            caller.end()
            async for _ in stream:
                pass
    assert (library.beams[0], library.beams[-1]) == (1, 3)


async def test_an_utterance_longer_than_the_window_is_decoded_with_what_went_before(
    models: Path, library: type[Library]
) -> None:
    with closing(whole(models, hotwords=[])) as engine:
        library.frames.clear()
        chunks = await heard(engine, noise(35), RecognizeRequest("en"))
    assert len(library.frames) >= 2
    assert chunks[-1].end_ms <= 35_000


async def test_of_a_decoding_that_nobody_waits_for_no_text_is_written(
    models: Path, library: type[Library]
) -> None:
    with closing(whole(models)) as engine:
        library.frames.clear()
        library.prompts.clear()
        library.may_encode.clear()
        stream = engine.recognize(spoken(SPEECH), RecognizeRequest("en"))
        reading = asyncio.create_task(anext(stream))
        await until(lambda: library.frames)
        await hang_up(reading, stream)
        library.may_encode.set()
    assert library.prompts == []


def test_auto_is_the_cpu_where_there_is_no_gpu(models: Path) -> None:
    with closing(engine_of(models / "tiny", device="auto")) as engine:
        assert engine.details["device"] == "cpu (no GPU found)"
        assert engine.details["compute"].startswith("int8")


def test_auto_is_the_cpu_where_the_gpu_does_not_work(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    with closing(engine_of(models / "tiny", device="auto")) as engine:
        assert engine.details["device"].startswith("cpu (the GPU does not work: ")
    with pytest.raises(EngineUnavailable):
        engine_of(models / "tiny", device="cuda")


@pytest.mark.parametrize("gpus", [0, 1])
async def test_without_a_gpu_that_works_the_smaller_model_is_loaded_and_told(
    models: Path, monkeypatch: pytest.MonkeyPatch, gpus: int
) -> None:
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: gpus)
    smaller = {"device": "auto", "cpu_model": models / "tiny", "threads": 2}
    with closing(engine_of(models / "large", **smaller)) as engine:
        check(await heard(engine, SPEECH, RecognizeRequest("en")), audio_ms=3000)
    told = engine.details
    assert (told["model"], told["instead_of"], told["threads"]) == ("tiny", "large", "2")
    with closing(engine_of(models / "large", **{**smaller, "device": "cpu"})) as engine:
        assert engine.details["model"] == "large"
        assert "instead_of" not in engine.details


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_gpu_that_is_not_there_is_missed_by_name(models: Path, device: str) -> None:
    with pytest.raises(EngineUnavailable, match=f"no GPU `{device}`") as missed:
        engine_of(models / "tiny", device=device)
    assert "asr_device: cpu" in missed.value.action


def test_what_the_device_cannot_compute_in_is_refused_with_what_it_can(models: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"`float16`; it can in .*int8"):
        engine_of(models / "tiny", compute_type="float16")
