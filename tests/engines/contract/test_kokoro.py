"""Kokoro keeps the contract of a synthesizer, on a tiny model of random weights."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.tts.kokoro.engine import Kokoro
from inzwa_rtc.engines.tts.kokoro.mix import read_mix
from inzwa_rtc.engines.tts.kokoro.units import units
from inzwa_rtc.errors import ConfigError, EngineError, EngineUnavailable
from models.tiny import kokoro_onnx
from tests.engines.contract.tts import Subject, SynthesizerContract, check, sound, spoken, words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kokoro_onnx.make(tmp_path_factory.mktemp("kokoro"))


def loaded(folder: Path, **options: Any) -> Kokoro:
    return Kokoro(Kokoro.Options.model_validate({"model": folder, "device": "cpu", **options}))


class TestKokoro(SynthesizerContract):
    @pytest.fixture
    def subject(self, folder: Path) -> Subject:
        return Subject(lambda **options: loaded(folder, **options))


class TestKokoroOfWholeSpeeds(SynthesizerContract):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        other = kokoro_onnx.make(tmp_path / "model", speeds=TensorProto.INT32)
        return Subject(lambda **options: loaded(other, **options))


class TestKokoroWithoutDurations(SynthesizerContract):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        other = kokoro_onnx.make(tmp_path / "model", told=False, tokens="input_ids")
        return Subject(lambda **options: loaded(other, **options))


@pytest.fixture(scope="module")
def kokoro(folder: Path) -> Iterator[Kokoro]:
    with closing(loaded(folder)) as engine:
        yield engine


@pytest.mark.parametrize(
    ("asked", "shares"),
    [
        ("af_bella", {"af_bella": 1.0}),
        ("af_bella*0.7+af_sarah*0.3", {"af_bella": 0.7, "af_sarah": 0.3}),
        ("af_bella * 3 + af_sarah", {"af_bella": 0.75, "af_sarah": 0.25}),
        ("af_bella+af_sarah", {"af_bella": 0.5, "af_sarah": 0.5}),
        ("af_bella+af_bella*3+am_adam*0", {"af_bella": 1.0}),
    ],
)
def test_a_mix_is_read_into_shares_of_one_whole(asked: str, shares: dict[str, float]) -> None:
    mix = read_mix(asked)
    assert mix is not None
    assert mix.shares == pytest.approx(shares)


@pytest.mark.parametrize(
    "asked",
    [
        "", "+", "af_bella+", "af_bella*", "af_bella*-1", "af_bella*nan", "af_bella*0",
        "af_bella*1e9", "af_bella*0.5*0.5", "../voices", "+".join(["af_bella"] * 9), "a*9999999",
    ],
)  # fmt: skip
def test_what_is_no_mix_is_refused(kokoro: Kokoro, asked: str) -> None:
    assert read_mix(asked) is None
    with pytest.raises(EngineError) as refused:
        kokoro._book.reader(asked, "en")
    assert refused.value.code == "unknown_voice"
    assert "af_bella" in refused.value.action


async def test_a_mix_sounds_between_its_voices(kokoro: Kokoro) -> None:
    async def heard(voice: str) -> np.ndarray[Any, Any]:
        chunks = await spoken(kokoro, SpeechRequest("Hello there, everyone.", voice))
        return np.frombuffer(sound(chunks), "<i2").astype(float)

    one, other = await heard("af_bella"), await heard("af_sarah")
    mixed = await heard("af_bella*0.7+af_sarah*0.3")
    # The tiny model adds the style to the sound, so that of a mix is the mixed one.
    assert np.abs(mixed - (0.7 * one + 0.3 * other)).max() <= 2
    assert np.abs(mixed - one).max() > 100
    assert (await heard("af_sarah*3+af_bella*7") == mixed).all()


@pytest.mark.parametrize("voice", ["af_bella*0.5+nobody*0.5", "nobody", "jf_alpha", "zf_xiaobei"])
async def test_a_voice_that_cannot_be_read_is_refused_in_a_mix_too(
    kokoro: Kokoro, voice: str
) -> None:
    with pytest.raises(EngineError) as refused:
        await spoken(kokoro, SpeechRequest("Hello", voice))
    assert refused.value.code == "unknown_voice"


def test_voices_tell_language_and_gender_and_those_without_a_reader_are_left_out(
    kokoro: Kokoro,
) -> None:
    assert [(voice.id, voice.language, voice.gender) for voice in kokoro.voices] == [
        ("af_bella", "en-US", "female"),
        ("af_sarah", "en-US", "female"),
        ("am_adam", "en-US", "male"),
        ("bf_emma", "en-GB", "female"),
        ("ef_dora", "es", "female"),
    ]
    assert kokoro.details["languages"] == "en-US, en-GB, es"


def test_mixes_of_the_configuration_are_voices(folder: Path) -> None:
    mixes = {"thandi": "ef_dora*0.9+af_sarah*0.1"}
    with closing(loaded(folder, mixes=mixes, voice="thandi")) as engine:
        first = engine.voices[0]
        assert (first.id, first.language, first.gender) == ("thandi", "es", "female")
        assert engine._book.reader("thandi", "es").language == "es"
    with closing(loaded(folder, voice="af_bella*2+bf_emma")) as engine:
        assert engine.voices[0].id == "af_bella*2+bf_emma"
    with closing(loaded(folder, voice="bf_emma", mixes=mixes)) as engine:
        assert [voice.id for voice in engine.voices][:2] == ["bf_emma", "thandi"]


@pytest.mark.parametrize(
    "options",
    [{"voice": "nobody"}, {"mixes": {"x": "nobody*2"}}, {"mixes": {"af_bella": "af_sarah"}}],
)
def test_a_wrong_voice_in_the_configuration_is_the_operators_fault(
    folder: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError):
        loaded(folder, **options)


@pytest.mark.parametrize(
    ("voice", "asked", "read"),
    [
        (None, "en", "en-US"),
        (None, "en-GB", "en-GB"),
        (None, "es-MX", "es"),
        (None, "sn", "en-US"),  # no voice fits: the default one, in its own language
        ("ef_dora", "en", "es"),
        ("af_bella", "en-GB", "en-GB"),
        ("bf_emma", "en", "en-GB"),
    ],
)
def test_the_language_is_the_requests_where_the_voice_fits_else_the_voices_own(
    kokoro: Kokoro, voice: str | None, asked: str, read: str
) -> None:
    assert kokoro._book.reader(voice, asked).language == read


async def test_words_start_where_the_durations_say(kokoro: Kokoro) -> None:
    text = "Hello of the world, and goodbye."
    chunks = await spoken(kokoro, SpeechRequest(text))
    told = [text[word.offset : word.offset + word.length] for word in words(chunks)]
    # eSpeak runs "of the" together: the first of the two is told.
    assert told == ["Hello", "of", "world", "and", "goodbye"]
    starts = [word.start_ms for word in words(chunks)]
    assert starts == sorted(set(starts))
    length_ms = len(sound(chunks)) / 2 / 24
    slow = await spoken(kokoro, SpeechRequest(text, speed=0.5))
    for word, slower in zip(words(chunks), words(slow), strict=True):
        assert slower.start_ms == pytest.approx(2 * word.start_ms, abs=0.15 * length_ms)


async def test_no_text_is_lost_in_runs_of_a_bounded_length(
    kokoro: Kokoro, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    speak = kokoro._model.speak

    def counting(ids: Any, *given: Any) -> Any:
        runs.append(len(ids))
        return speak(ids, *given)

    monkeypatch.setattr(kokoro._model, "speak", counting)
    text = "the river listens and " * 200
    chunks = await spoken(kokoro, SpeechRequest(text))
    assert max(runs) <= 510
    told = {word.offset for word in words(chunks)}
    assert set(range(0, len(text), 22)) <= {*told, *(one - 4 for one in told)}
    await spoken(kokoro, SpeechRequest("w" * 3000))
    assert max(runs) <= 510


def test_a_text_of_marks_alone_is_cut_in_one_pass() -> None:
    """On the event loop; a pass for each mark would take minutes, and the test's time."""
    text = "!" * 100_000
    assert "".join(unit.text for unit in units(text)) == text


async def test_the_first_clause_is_spoken_before_the_rest_is_begun(
    kokoro: Kokoro, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    speak = kokoro._model.speak

    def counting(ids: Any, *given: Any) -> Any:
        runs.append(len(ids))
        return speak(ids, *given)

    monkeypatch.setattr(kokoro._model, "speak", counting)
    request = SpeechRequest("Good morning to you, and to all who listen by the river. " * 20)
    async with aclosing(kokoro.synthesize(request)) as chunks:
        await anext(chunks)
        assert len(runs) == 1


async def test_a_request_that_is_closed_breaks_off_the_run_under_way(folder: Path) -> None:
    with closing(loaded(folder)) as engine:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()
        run = engine._model._session.run
        stopped: list[bool] = []

        def slowly(names: Any, feed: Any, stop: Any) -> Any:
            with stop.running() as options:
                loop.call_soon_threadsafe(begun.set)
                while not options.terminate:
                    pass  # a run that looks for it between its operators
                stopped.append(True)
            return run(names, feed, stop)

        engine._model._session.run = slowly  # type: ignore[method-assign]
        task = asyncio.create_task(spoken(engine, SpeechRequest("Hello there.")))
        async with asyncio.timeout(30):
            await begun.wait()
            task.cancel()
            await asyncio.wait({task})
        engine._threads.close()
        assert stopped == [True]


async def test_a_model_whose_speeds_are_whole_is_stretched_to_those_between(
    tmp_path: Path,
) -> None:
    whole = kokoro_onnx.make(tmp_path / "model", speeds=TensorProto.INT32)
    text = "Hello there, and goodbye to all who listen by the river."
    made = {}
    with closing(loaded(whole)) as engine:
        for speed in (0.5, 1.0, 1.25, 2.0, 2.5):
            request = SpeechRequest(text, speed=speed)
            chunks = await spoken(engine, request)
            check(chunks, request, engine.sample_rate)
            made[speed] = len(sound(chunks)), [word.start_ms for word in words(chunks)]
        assert engine.details["pace"] == "stretched"
    for speed, own in ((0.5, 1.0), (1.25, 1.0), (2.5, 2.0)):
        assert made[speed][0] == pytest.approx(made[own][0] * own / speed, rel=0.05)
        assert made[speed][1] == pytest.approx([at * own / speed for at in made[own][1]], abs=2)
    assert made[1.0][0] > 1.5 * made[2.0][0]


def test_a_model_without_durations_has_no_word_times(tmp_path: Path) -> None:
    with closing(loaded(kokoro_onnx.make(tmp_path / "model", told=False))) as engine:
        assert engine.abilities == ("mixes voices",)


def test_the_fingerprint_is_another_for_another_model_voice_file_or_mix(
    folder: Path, tmp_path: Path
) -> None:
    other = kokoro_onnx.make(tmp_path / "model", voices=("af_bella", "am_adam"))
    prints = set()
    for options in (
        {"model": folder},
        {"model": other},
        {"model": folder, "mixes": {"x": "af_bella*2+af_sarah"}},
        {"model": folder, "mixes": {"x": "af_bella*3+af_sarah"}},
    ):
        with closing(Kokoro(Kokoro.Options.model_validate({"device": "cpu", **options}))) as engine:
            prints.add(engine.fingerprint)
    assert len(prints) == 4


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="nowhere") as missing:
        loaded(tmp_path / "nowhere")
    assert "tts_model" in missing.value.action
    folder = kokoro_onnx.make(tmp_path / "model")
    (folder / "voices.bin").unlink()
    with pytest.raises(EngineUnavailable, match="voices") as missing:
        loaded(folder)
    assert "tts.voices" in missing.value.action
