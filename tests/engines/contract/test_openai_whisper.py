"""openai-whisper keeps the contract with a tiny model, where it is installed.

It needs PyTorch, which never enters the server's environment: `make test` skips this file. It
runs in an environment of its own that has `openai-whisper` and what the tests need.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="openai-whisper runs in an environment of its own")
whisper = pytest.importorskip("whisper")

from inzwa_rtc.engines.asr.whisper.openai_whisper import OpenAIWhisper  # noqa: E402
from inzwa_rtc.engines.contracts import RecognizeRequest  # noqa: E402
from inzwa_rtc.errors import EngineError, EngineUnavailable  # noqa: E402
from tests.engines.contract.asr import (  # noqa: E402
    GUARD_S,
    RecognizerContract,
    Subject,
    hang_up,
    heard,
    noise,
    spoken,
    until,
)

# The library opens its vocabularies and lets the collector close them.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SPEECH = noise(2)
MULTILINGUAL, ENGLISH = 51_865, 51_864


def make(file: Path, *, tokens: int = MULTILINGUAL, width: int = 32) -> None:
    """Write a model of random weights."""
    torch.manual_seed(0)
    dims = whisper.ModelDimensions(80, 1500, width, 2, 1, tokens, 448, width, 2, 1)
    model = whisper.Whisper(dims)
    for weights in model.parameters():
        torch.nn.init.normal_(weights, 0, 0.2)
    torch.save({"dims": asdict(dims), "model_state_dict": model.state_dict()}, file)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make(folder / "tiny.pt")
    make(folder / "tiny.en.pt", tokens=ENGLISH)
    make(folder / "large.pt", width=128)
    return folder


def engine_of(model: Path, **options: Any) -> OpenAIWhisper:
    values = {"model": model, "device": "cpu", "partial_ms": 0, "window_s": 5, **options}
    return OpenAIWhisper(OpenAIWhisper.Options.model_validate({"threads": 1, **values}))


class TestOpenAIWhisper(RecognizerContract):
    @pytest.fixture
    def subject(self, models: Path) -> Subject:
        return Subject(
            make=lambda **options: engine_of(models / "tiny.pt", **options),
            speech=SPEECH,
            streaming={"partial_ms": 300},
            larger=lambda: engine_of(models / "large.pt", window_s=30),
        )


class Library:
    """The decoder, which remembers what it was given first, and how much sound."""

    def __init__(self) -> None:
        self.prompts: list[list[int]] = []
        self.states: list[int] = []
        self.may_decode = threading.Event()
        self.may_decode.set()
        self._forward = whisper.model.TextDecoder.forward

    def forward(self, decoder: Any, tokens: Any, sound: Any, kv_cache: Any = None) -> Any:
        assert self.may_decode.wait(GUARD_S)
        if tokens.shape[-1] > 1 and kv_cache is not None:
            self.prompts.append(tokens[0].tolist())
            self.states.append(sound.shape[1])
        return self._forward(decoder, tokens, sound, kv_cache=kv_cache)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    library = Library()

    def forward(decoder: Any, x: Any, xa: Any, kv_cache: Any = None) -> Any:
        return library.forward(decoder, x, xa, kv_cache)

    monkeypatch.setattr(whisper.model.TextDecoder, "forward", forward)
    yield library


def whole(models: Path, name: str = "tiny.pt", **options: Any) -> OpenAIWhisper:
    return engine_of(models / name, window_s=30, **options)


async def final_prompt(library: Library, engine: OpenAIWhisper, request: RecognizeRequest) -> str:
    """What the model is given of an utterance that is decoded once, in the stock window."""
    library.prompts.clear()
    await heard(engine, SPEECH, request)
    (prompt,) = library.prompts
    tokenizer = whisper.tokenizer.get_tokenizer(engine.details["languages"] != "en")
    return str(tokenizer.decode_with_timestamps(prompt))


async def test_the_model_is_told_the_language_and_the_task(models: Path, library: Library) -> None:
    with closing(whole(models, hotwords=[])) as engine:
        told = await final_prompt(library, engine, RecognizeRequest("sn-ZW"))
        assert told == "<|startoftranscript|><|sn|><|transcribe|><|notimestamps|>"
        told = await final_prompt(library, engine, RecognizeRequest("nb", translate=True))
        assert told == "<|startoftranscript|><|no|><|translate|><|notimestamps|>"
        told = await final_prompt(library, engine, RecognizeRequest(None))
        assert told.endswith("<|transcribe|><|notimestamps|>")


async def test_a_model_of_english_only_is_told_neither(models: Path, library: Library) -> None:
    with closing(whole(models, "tiny.en.pt", hotwords=[])) as engine:
        told = await final_prompt(library, engine, RecognizeRequest(None))
        assert told == "<|startoftranscript|><|notimestamps|>"
        with pytest.raises(EngineError, match="English only"):
            await heard(engine, SPEECH, RecognizeRequest("en", translate=True))


async def test_hotwords_and_the_prompt_reach_the_model(models: Path, library: Library) -> None:
    hotwords = ["Inzwa", "<|endoftext|>"]
    with closing(whole(models, hotwords=hotwords, prompt="Good morning.")) as engine:
        told = await final_prompt(library, engine, RecognizeRequest("en"))
    before = "<|startofprev|> Inzwa <|endoftext|> Good morning.<|startoftranscript|>"
    assert told.startswith(before)
    assert len(library.prompts[0]) > 12  # the one that looks special was spelt out


async def test_the_window_fits_the_utterance(models: Path, library: Library) -> None:
    with closing(engine_of(models / "tiny.pt")) as engine:
        library.states.clear()
        await heard(engine, noise(6), RecognizeRequest("en"))
    # A model of random weights is never sure of itself: it is asked again in the stock window.
    assert library.states == [350, 1500]


async def test_a_decoding_that_nobody_waits_for_is_broken_off(
    models: Path, library: Library
) -> None:
    with closing(whole(models)) as engine:
        library.prompts.clear()
        library.may_decode.clear()
        stream = engine.recognize(spoken(SPEECH), RecognizeRequest("en"))
        reading = asyncio.create_task(anext(stream))
        for _ in range(30):
            await asyncio.sleep(0)
        await hang_up(reading, stream)
        library.may_decode.set()
        await until(lambda: engine._workers.is_one_free)
    assert len(library.prompts) <= 1


@pytest.mark.parametrize("damage", ["missing", "empty", "garbage", "cut", "pickle", "no model"])
def test_a_file_that_is_no_whole_model_is_refused(
    models: Path, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "model.pt"
    data = (models / "tiny.pt").read_bytes()
    match damage:
        case "empty":
            file.write_bytes(b"")
        case "garbage":
            file.write_bytes(bytes(range(256)) * 40)
        case "cut":
            file.write_bytes(data[: len(data) // 2])
        case "pickle":
            torch.save(Touching(tmp_path / "touched"), file)
        case "no model":
            torch.save({"weights": torch.zeros(3)}, file)
    with pytest.raises(EngineUnavailable) as refused:
        engine_of(file)
    assert str(file) in refused.value.message
    assert refused.value.action
    assert not (tmp_path / "touched").exists()


class Touching:
    """Makes a file when it is read as a pickle."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)
