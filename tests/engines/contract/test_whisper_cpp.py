"""whisper.cpp keeps the contract with a tiny model, and is asked for what it should be."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines.asr.whisper import cpp
from inzwa_rtc.engines.asr.whisper.cpp import WhisperCpp
from inzwa_rtc.engines.contracts import RecognizeRequest
from inzwa_rtc.errors import EngineError, EngineUnavailable
from models.tiny import whisper_ggml
from tests.engines.contract.asr import (
    GUARD_S,
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
LARGE = whisper_ggml.Size(width=256, layers=1, heads=4)
BINDINGS: Any = import_module("_pywhispercpp")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    whisper_ggml.make(folder / "tiny.bin")
    whisper_ggml.make(folder / "tiny.en.bin", is_multilingual=False)
    whisper_ggml.make(folder / "large.bin", LARGE)
    return folder


def engine_of(model: Path, **options: Any) -> WhisperCpp:
    values = {"model": model, "device": "cpu", "partial_ms": 0, "window_s": 5, **options}
    return WhisperCpp(WhisperCpp.Options.model_validate({"threads": 1, **values}))


class TestWhisperCpp(RecognizerContract):
    @pytest.fixture
    def subject(self, models: Path) -> Subject:
        return Subject(
            make=lambda **options: engine_of(models / "tiny.bin", **options),
            speech=SPEECH,
            streaming={"partial_ms": 300},
            larger=lambda: engine_of(models / "large.bin", window_s=30),
        )


class Library:
    """The bindings' decoding, which remembers what it was asked and how it went."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.likelihoods: list[list[float]] = []
        self.may_begin = threading.Event()
        self.may_begin.set()

    def whisper_full(self, context: Any, params: Any, audio: Any, samples: int) -> int:
        names = ("language", "translate", "audio_ctx", "initial_prompt", "max_tokens")
        self.asked.append({name: getattr(params, name) for name in names})
        assert self.may_begin.wait(GUARD_S)
        answer: int = self._whisper_full(context, params, audio, samples)
        self.answers.append(answer)
        self.likelihoods.append(
            [
                BINDINGS.whisper_full_get_token_p(context, segment, token)
                for segment in range(BINDINGS.whisper_full_n_segments(context))
                for token in range(BINDINGS.whisper_full_n_tokens(context, segment))
            ]
        )
        return answer

    _whisper_full = staticmethod(BINDINGS.whisper_full)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    library = Library()
    monkeypatch.setattr(BINDINGS, "whisper_full", library.whisper_full)
    yield library


def whole(models: Path, name: str = "tiny.bin", **options: Any) -> WhisperCpp:
    return engine_of(models / name, window_s=30, **options)


async def asked(library: Library, engine: WhisperCpp, request: RecognizeRequest) -> dict[str, Any]:
    """What the library is asked of an utterance that is decoded once, in the stock window."""
    library.asked.clear()
    await heard(engine, SPEECH, request)
    (question,) = library.asked
    return question


async def test_the_library_is_told_the_language_and_the_task(
    models: Path, library: Library
) -> None:
    with closing(whole(models)) as engine:
        question = await asked(library, engine, RecognizeRequest("sn-ZW"))
        assert (question["language"], question["translate"]) == ("sn", False)
        question = await asked(library, engine, RecognizeRequest("nb", translate=True))
        assert (question["language"], question["translate"]) == ("no", True)
        (final,) = await heard(engine, SPEECH, RecognizeRequest("sn", translate=True))
        assert final.language == "en"


async def test_a_language_that_is_not_given_is_detected(models: Path, library: Library) -> None:
    with closing(whole(models)) as engine:
        question = await asked(library, engine, RecognizeRequest(None))
        assert question["language"] == ""
        (final,) = await heard(engine, SPEECH, RecognizeRequest(None))
        assert BINDINGS.whisper_lang_id(final.language) >= 0


async def test_a_model_of_english_only_does_nothing_else(models: Path, library: Library) -> None:
    with closing(whole(models, "tiny.en.bin")) as engine:
        assert engine.details["languages"] == "en"
        assert (await asked(library, engine, RecognizeRequest(None)))["language"] == "en"
        with pytest.raises(EngineError, match="sn"):
            await heard(engine, SPEECH, RecognizeRequest("sn"))
        with pytest.raises(EngineError, match="English only"):
            await heard(engine, SPEECH, RecognizeRequest("en", translate=True))


async def test_a_language_newer_than_the_model_is_unknown(models: Path) -> None:
    """Cantonese came with large-v3; before it, its number was that of the task to translate."""
    with closing(whole(models)) as engine, pytest.raises(EngineError, match="yue"):
        await heard(engine, SPEECH, RecognizeRequest("yue"))


async def test_hotwords_and_the_prompt_reach_the_library(models: Path, library: Library) -> None:
    with closing(whole(models, hotwords=["Inzwa", "ZiG"], prompt="Good morning.")) as engine:
        question = await asked(library, engine, RecognizeRequest("en"))
    assert question["initial_prompt"] == " Inzwa ZiG Good morning."


async def test_beams_give_one_transcript_too(models: Path) -> None:
    with closing(whole(models, beam_size=3)) as engine:
        check(await heard(engine, SPEECH, RecognizeRequest("en")), audio_ms=2000)


async def test_hotwords_change_what_the_model_hears(models: Path) -> None:
    """They do more than reach the library: the same sound is found more or less likely."""
    confidences = set()
    for hotwords in ([], ["mangwanani"], ["Bulawayo"]):
        with closing(whole(models, hotwords=hotwords)) as engine:
            confidences.add((await heard(engine, SPEECH, RecognizeRequest("en")))[-1].confidence)
    assert len(confidences) == 3


async def test_what_is_too_much_for_the_model_is_cut_between_words(
    models: Path, library: Library
) -> None:
    hotwords = [f"word{number:03}" for number in range(200)]
    with closing(whole(models, hotwords=hotwords, prompt="before " * 500)) as engine:
        words = (await asked(library, engine, RecognizeRequest("en")))["initial_prompt"].split()
    assert set(words) <= {*hotwords, "before"}
    assert words[:3] == hotwords[:3]
    assert words[-1] == "before"


@pytest.mark.parametrize(
    ("window_s", "seconds", "states"), [(5, 2, 250), (5, 6, 350), (15, 2, 750)]
)
async def test_the_window_fits_the_utterance(
    models: Path, library: Library, window_s: float, seconds: float, states: int
) -> None:
    with closing(engine_of(models / "tiny.bin", window_s=window_s)) as engine:
        await heard(engine, noise(seconds), RecognizeRequest("en"))
    # A model of random weights is never sure of itself: it is asked again in the stock window.
    assert [question["audio_ctx"] for question in library.asked] == [states, 1500]


async def test_what_was_heard_before_in_a_longer_window_changes_nothing(
    models: Path, library: Library
) -> None:
    """The library's flash attention would let it."""
    request = RecognizeRequest("en")
    with closing(engine_of(models / "tiny.bin", window_s=15)) as engine:
        for audio in (SPEECH, noise(25, seed=5), SPEECH):
            await heard(engine, audio, request)
    fitted, stock, *_, fitted_again, stock_again = library.likelihoods
    assert (fitted, stock) == (fitted_again, stock_again)
    assert fitted != stock


async def test_a_decoding_that_nobody_waits_for_is_broken_off(
    models: Path, library: Library
) -> None:
    library.may_begin.clear()
    with closing(whole(models)) as engine:
        stream = engine.recognize(spoken(SPEECH), RecognizeRequest("en"))
        reading = asyncio.create_task(anext(stream))
        await until(lambda: library.asked)
        await hang_up(reading, stream)
        library.may_begin.set()
        await until(lambda: library.answers)
    assert library.answers[0] < 0  # what the library says of a decoding that it did not finish


def test_it_prints_nothing_and_ends_in_good_order(models: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path\n"
        "from tests.engines.contract.test_whisper_cpp import *\n"
        "engine = engine_of(Path(sys.argv[1]))\n"
        "asyncio.run(heard(engine, SPEECH, RecognizeRequest(None)))\n"
        "engine.close()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(models / "tiny.bin")],
        capture_output=True,
        timeout=GUARD_S,
        cwd=Path(__file__).parents[3],
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


def test_auto_is_the_cpu_with_the_smaller_model_where_there_is_no_gpu(models: Path) -> None:
    smaller = {"device": "auto", "cpu_model": models / "tiny.bin", "threads": 1}
    with closing(engine_of(models / "large.bin", **smaller)) as engine:
        assert engine.details["device"] == "cpu (no GPU found)"
        assert engine.details["instead_of"] == "large.bin"
        assert (engine.details["compute"], engine.details["threads"]) == ("f16", "1")


def test_a_build_for_gpus_on_a_machine_without_one_says_so(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpp, "_GPUS", ("CPU",))  # as if what it computes with were a GPU's
    with closing(engine_of(models / "tiny.bin", device="auto")) as engine:
        assert engine.details["device"] == "cpu (no GPU found)"
    with pytest.raises(EngineUnavailable, match="no GPU `cuda:1`") as missed:
        engine_of(models / "tiny.bin", device="cuda:1")
    assert "GGML_CUDA=1" in missed.value.action


def test_gpus_are_counted_by_what_the_library_logs(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpp, "_GPUS", ("CPU",))
    monkeypatch.setattr(cpp, "_GPU_LINE", re.compile(r"device \d+: .* \(type: 0\)"))
    assert cpp.gpus(BINDINGS, models / "tiny.bin") == 1, "the CPU, taken for one"
