"""VITS in windows: the sound of the whole model, early, with words, and it can be stopped."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from inzwa_rtc.catalogue import manifest
from inzwa_rtc.catalogue.store import Store
from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.hardware import Device
from inzwa_rtc.engines.tts.onnx.runtime import Stop, Stopped
from inzwa_rtc.engines.tts.vits.engine import Vits
from inzwa_rtc.engines.tts.vits.model import Manner, VitsModel
from inzwa_rtc.engines.tts.vits.piper import Piper
from inzwa_rtc.engines.tts.vits.windows import windows
from models.recipes.exported import FILES, describe
from models.tiny import vits_voices
from models.tiny.vits_onnx import HOP, Kind, Naming, make
from tests.catalogue.models import entry, fetch

IDS = [7, 1, 30, 4, 4, 63, 0, 12] * 8
TEXT = "rwizi runoteerera uye mhepo inopindura zvishoma"
QUIET: dict[str, Any] = {"device": "cpu", "noise_scale": 0, "noise_w": 0}


@pytest.mark.parametrize("speakers", [1, 3])
@pytest.mark.parametrize("naming", ["dec", "waveform_decoder", "decoder"])
def test_windows_join_to_the_sound_of_the_whole_model(
    tmp_path: Path, naming: Naming, speakers: int
) -> None:
    path = make(tmp_path / "model.onnx", Kind(naming=naming, speakers=speakers))
    model = VitsModel(path, Device("cpu"), 1)
    assert model.undivided == ""
    assert model.hop == HOP
    encoded = model.encode(IDS, Manner(0, 1.2, 0, speakers - 1), Stop())
    pieces = list(model.sound(encoded, 16_000, Stop()))
    feed: dict[str, Any] = {
        "input": np.array([IDS], np.int64),
        "input_lengths": np.array([len(IDS)], np.int64),
        "scales": np.array([0, 1.2, 0], np.float32),
    }
    if speakers > 1:
        feed["sid"] = np.array([speakers - 1], np.int64)
    whole = ort.InferenceSession(str(path)).run(None, feed)[0].reshape(-1)
    joined = np.concatenate(pieces)
    assert len(pieces) > 3
    assert len(pieces[0]) <= 0.04 * 16_000
    np.testing.assert_allclose(joined, whole, atol=1e-6)
    assert np.abs(whole).max() > 0.01


def test_windows_cover_every_frame_once_and_begin_small() -> None:
    made = list(windows(1000, 12, 11, 11.6))
    assert [one.start for one in made] == [0, *(one.end for one in made[:-1])]
    assert made[-1].end == 1000
    assert (made[0].end, made[0].last) == (3, 14)
    assert all(one.first == max(0, one.start - 12) for one in made)
    assert all(one.last == min(1000, one.end + 11) for one in made)
    assert max(one.end - one.start for one in made) * 11.6 < 1600


async def test_a_model_that_cannot_be_divided_says_so_and_speaks_clause_by_clause(
    tmp_path: Path,
) -> None:
    voice = vits_voices.coqui(tmp_path, Kind(plain=False, speakers=2))
    with closing(Vits(Vits.Options(model=voice, **QUIET))) as engine:
        assert engine.abilities == ("word times",)
        assert "ReduceMean" in engine.details["sound"]
        words, _ = await spoken(engine, "one, two")
        _, length = await spoken(engine, "one, ")
    assert words[1].start_ms >= length * 1000 // 16_000


def test_a_model_without_durations_has_no_word_times(tmp_path: Path) -> None:
    voice = vits_voices.mms(tmp_path, Kind(told=False))
    with closing(Vits(Vits.Options(model=voice, **QUIET))) as engine:
        assert engine.abilities == ("streams",)


async def test_words_begin_where_the_frames_of_their_letters_do(tmp_path: Path) -> None:
    """Half of a text is where it is when it is spoken alone, up to its silence at the end."""
    with closing(Vits(Vits.Options(model=vits_voices.mms(tmp_path), **QUIET))) as engine:
        words, samples = await spoken(engine, TEXT)
        assert [TEXT[one.offset : one.offset + one.length] for one in words] == TEXT.split()
        first, length = await spoken(engine, "rwizi runoteerera uye")
    assert [one.start_ms for one in words[:3]] == [one.start_ms for one in first]
    # The blank after the last letter, then the space before the next word and its blank.
    assert 0 < words[3].start_ms - length * 1000 // 16_000 < 200
    assert words[-1].start_ms < samples * 1000 // 16_000


async def test_words_of_a_later_sentence_are_counted_from_the_texts_beginning(
    tmp_path: Path,
) -> None:
    text = "One is here.\n\nTwo follows it."
    with closing(Piper(Piper.Options(model=vits_voices.piper(tmp_path), **QUIET))) as engine:
        words, _ = await spoken(engine, text)
        _, length = await spoken(engine, "One is here.")
    said = {text[one.offset : one.offset + one.length]: one.start_ms for one in words}
    assert list(said) == ["One", "is", "here", "Two", "follows", "it"]
    assert said["here"] < length * 1000 // 16_000 <= said["Two"]


async def test_an_exact_voice_says_each_speed_at_its_length(tmp_path: Path) -> None:
    voice = vits_voices.piper(tmp_path)
    with closing(Piper(Piper.Options(model=voice, length_scale=2, **QUIET))) as engine:
        _, slow = await spoken(engine, "hello there")
    with closing(Piper(Piper.Options(model=voice, **QUIET))) as engine:
        _, usual = await spoken(engine, "hello there")
    assert slow == pytest.approx(2 * usual, rel=0.1)


async def test_a_voice_without_a_pace_is_stretched_to_the_speed_asked_for(tmp_path: Path) -> None:
    voice = vits_voices.mms(tmp_path, Kind(scaled=False, told=False))
    made = []
    for scale, speed in ((None, 1.0), (None, 0.5), (2.0, 1.0), (2.0, 2.0)):
        options = Vits.Options.model_validate({"model": voice, "length_scale": scale, **QUIET})
        with closing(Vits(options)) as engine:
            assert engine.details["pace"] == "stretched"
            request = SpeechRequest(TEXT, speed=speed)
            async with aclosing(engine.synthesize(request)) as chunks:
                made.append(sum([len(chunk.pcm) // 2 async for chunk in chunks]))
    usual, slow, slower, restored = made
    assert slow == pytest.approx(2 * usual, rel=0.1)
    assert slower == pytest.approx(2 * usual, rel=0.1)
    assert restored == pytest.approx(usual, rel=0.1)


def test_a_stop_breaks_off_the_run_under_way_and_all_that_would_follow(tmp_path: Path) -> None:
    model = VitsModel(make(tmp_path / "model.onnx", Kind(width=256)), Device("cpu"), 1)
    stop = Stop()
    encoded = model.encode(IDS * 50, Manner(0, 1, 0), Stop())
    raised: list[Stopped] = []
    begun = threading.Event()

    def speak() -> None:
        try:
            for _ in model.sound(encoded, 16_000, stop):
                begun.set()
        except Stopped as stopped:
            raised.append(stopped)

    thread = threading.Thread(target=speak)
    thread.start()
    assert begun.wait(60)
    stop.set()
    thread.join(60)
    assert len(raised) == 1
    with pytest.raises(Stopped):
        model.encode(IDS, Manner(0, 1, 0), stop)


async def test_closing_the_engine_ends_a_speech_that_nobody_consumes(tmp_path: Path) -> None:
    engine = Vits(Vits.Options(model=vits_voices.mms(tmp_path), **QUIET))
    async with aclosing(engine.synthesize(SpeechRequest(TEXT * 20, language="sn"))) as chunks:
        await anext(chunks)
        async with asyncio.timeout(30):
            await asyncio.to_thread(engine.close)
            with pytest.raises(Exception, match="closed while it had text"):
                async for _ in chunks:
                    pass


def test_voices_have_the_licence_that_the_catalogue_tells(tmp_path: Path) -> None:
    voice = vits_voices.piper(tmp_path / "own")
    store = Store(tmp_path / "models")
    known = entry("tiny", voice.parent.as_uri(), licence="CC-BY-4.0", opens=voice.name)
    fetch(known, store)
    for model, licence in ((voice, ""), (store.folder / "tiny" / voice.name, "CC-BY-4.0")):
        with closing(Piper(Piper.Options(model=model, **QUIET))) as engine:
            assert [one.licence for one in engine.voices] == [licence]


def test_an_exported_voice_keeps_the_licence_that_it_was_pulled_under(tmp_path: Path) -> None:
    """The part of the recipe for MMS voices that needs no torch."""
    store = Store(tmp_path / "models")
    published = vits_voices.mms(tmp_path / "published")
    fetch(entry("mms-sna", published.as_uri(), licence="CC-BY-NC-4.0", non_commercial=True), store)
    licences = []
    for folder, name in ((published, "own"), (store.folder / "mms-sna", "pulled")):
        made = vits_voices.mms(tmp_path / name)
        for file in FILES:
            (made / file).unlink()
        describe(folder, made)
        with closing(Vits(Vits.Options(model=made, **QUIET))) as engine:
            licences.append([voice.licence for voice in engine.voices])
    assert licences == [[""], ["CC-BY-NC-4.0"]]
    told = manifest.read(tmp_path / "pulled", manifest.Manifest)
    assert told.source == published.as_uri()
    assert told.files[0].sha256 == hashlib.sha256((made / "model.onnx").read_bytes()).hexdigest()
    assert told.given == "model.onnx"


def test_names_that_have_other_numbers_are_another_fingerprint(tmp_path: Path) -> None:
    """The same name would be another's voice, or another language's."""
    kind = Kind(speakers=2, languages=2)
    made = []
    for speakers in ({"a": 0, "b": 1}, {"a": 1, "b": 0}):
        voice = vits_voices.piper(tmp_path, Kind(speakers=2), speaker_id_map=speakers)
        with closing(Piper(Piper.Options(model=voice, **QUIET))) as engine:
            made.append(engine.fingerprint)
    for numbers in ((0, 1, 0, 1), (1, 0, 0, 1), (0, 1, 1, 0)):
        folder = vits_voices.coqui(tmp_path / "coqui", kind)
        for file, names, two in (
            ("speakers.json", "ab", numbers[:2]),
            ("language_ids.json", ("en", "sn"), numbers[2:]),
        ):
            (folder / file).write_text(json.dumps(dict(zip(names, two, strict=True))))
        with closing(Vits(Vits.Options(model=folder, **QUIET))) as engine:
            made.append(engine.fingerprint)
    assert len(set(made)) == 5


async def spoken(engine: Any, text: str) -> tuple[list[Any], int]:
    """The words, and how many samples there were."""
    words, samples = [], 0
    async with aclosing(engine.synthesize(SpeechRequest(text))) as chunks:
        async for chunk in chunks:
            words += chunk.words
            samples += len(chunk.pcm) // 2
    return words, samples
