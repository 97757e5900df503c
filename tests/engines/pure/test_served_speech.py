"""What is decided of a served speech without any I/O: samples, WAV files, times of words."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.engines.tts.elevenlabs.words import CharacterTimes
from inzwa_rtc.engines.tts.samples import Samples
from inzwa_rtc.engines.tts.served import says_something, sendable
from inzwa_rtc.engines.tts.wav import Wav
from tests.engines.remote.speaking import tone, wav


class TestSamples:
    def test_chunks_are_whole_samples_however_the_bytes_come(self) -> None:
        chance, sound = random.Random(3), tone(5000)
        samples, at = Samples(24_000, 10), 0
        chunks: list[bytes] = []
        while at < len(sound):
            size = chance.choice([1, 7, 333, 50_001])
            chunks += samples.feed(sound[at : at + size])
            at += size
        chunks.append(samples.end())
        assert b"".join(chunks) == sound
        assert all(len(chunk) % 2 == 0 for chunk in chunks)
        assert samples.made == len(sound) // 2

    def test_the_first_chunk_is_short_and_the_others_are_bounded(self) -> None:
        chunks = list(Samples(24_000, 10).feed(tone(5000)))
        assert len(chunks[0]) == 2 * 2400
        assert {len(chunk) for chunk in chunks[1:-1]} == {2 * 12_000}

    def test_twenty_ms_are_waited_for_and_no_more(self) -> None:
        samples = Samples(24_000, 10)
        assert list(samples.feed(tone(19))) == []
        assert list(samples.feed(tone(1))) == [tone(19) + tone(1)]

    def test_half_a_sample_and_a_sound_that_is_too_long_are_refused(self) -> None:
        samples = Samples(24_000, 0.1)
        list(samples.feed(b"abc"))
        with pytest.raises(ValueError, match="middle of a sample"):
            samples.end()
        with pytest.raises(ValueError, match="on and on"):
            list(samples.feed(tone(200)))


class TestWav:
    @pytest.mark.parametrize("step", [1, 3, 44, 10_000])
    @pytest.mark.parametrize("size", [None, 0, 0xFFFFFFFF])
    def test_it_is_read_however_the_bytes_come(self, step: int, size: int | None) -> None:
        file, reader = wav(tone(200), size=size), Wav(24_000)
        heard = b"".join(
            reader.feed(file[start : start + step]) for start in range(0, len(file), step)
        )
        assert heard + reader.end() == tone(200)

    def test_what_stands_after_the_sound_is_none(self) -> None:
        reader = Wav(24_000)
        assert reader.feed(wav(tone(50)) + b"LIST\4\0\0\0junk") == tone(50)
        assert reader.end() == b""

    def test_chunks_before_the_sound_are_passed_over(self) -> None:
        file = wav(tone(50))
        reader = Wav(24_000)
        assert reader.feed(file[:12] + b"LIST\3\0\0\0abc\0" + file[12:]) == tone(50)

    @pytest.mark.parametrize(
        ("code", "bits", "dtype", "scale"),
        [(1, 8, "u1", None), (1, 16, "<i2", 1), (1, 32, "<i4", 65536), (3, 32, "<f4", 1 / 32768)],
    )
    def test_stereo_of_any_usual_form_and_rate_becomes_the_same_sound(
        self, code: int, bits: int, dtype: str, scale: float | None
    ) -> None:
        mono = np.frombuffer(tone(500, 16_000), "<i2").astype(np.float64)
        told = mono / 256 + 128 if scale is None else mono * scale
        sound = np.repeat(told, 2).astype(dtype).tobytes()
        form = struct.pack("<HHIIHH", code, 2, 16_000, 16_000 * bits // 4, bits // 4, bits)
        file = (
            b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 16) + form
            + b"data" + struct.pack("<I", len(sound)) + sound
        )  # fmt: skip
        reader = Wav(24_000)
        heard = np.frombuffer(
            b"".join(reader.feed(file[at : at + 777]) for at in range(0, len(file), 777))
            + reader.end(),
            "<i2",
        )
        assert heard.size == pytest.approx(12_000, abs=40)
        assert np.abs(heard).max() == pytest.approx(8000, rel=0.05)

    @pytest.mark.parametrize(
        "file",
        [
            b"<html>",
            b"RIFF\0\0\0\0AVI LIST",
            b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd",
            b"RIFF\0\0\0\0WAVEfmt \4\0\0\0abcd",
            wav(b"", rate=0),
            wav(b"", channels=255),
            b"RIFF\0\0\0\0WAVE" + b"junk\x04\0\0\0abcd" * 6000,
        ],
        ids=["html", "avi", "no form", "cut form", "0 Hz", "255 channels", "endless header"],
    )
    def test_what_is_none_is_refused(self, file: bytes) -> None:
        with pytest.raises(ValueError, match=r"it|sound"):
            Wav(24_000).feed(file)

    def test_one_that_is_cut_is_refused_at_its_end(self) -> None:
        for file in (wav(tone(50))[:-2], wav(tone(50))[:20]):
            reader = Wav(24_000)
            reader.feed(file)
            with pytest.raises(ValueError, match="ends"):
                reader.end()


class TestCharacterTimes:
    TEXT = "Mhoro, shamwari yangu."

    def test_words_that_lie_in_two_pieces_are_told_once(self) -> None:
        times = CharacterTimes(self.TEXT)
        times.add(list(self.TEXT[:9]), range(0, 900, 100), 0)
        assert times.until(700) == (WordTime(0, 6, 0),)
        assert times.until(900) == (WordTime(7, 8, 700),)
        times.add(list(self.TEXT[9:]), range(0, 1300, 100), 900)
        assert times.until(5000) == (WordTime(16, 6, 1600),)

    @pytest.mark.parametrize("base_ms", [0, 900])
    def test_times_may_count_from_the_speech_or_from_the_piece(self, base_ms: int) -> None:
        times = CharacterTimes(self.TEXT)
        times.add(list(self.TEXT[:9]), range(0, 900, 100), 0)
        starts = range(900 - base_ms, 2200 - base_ms, 100)
        times.add(list(self.TEXT[9:]), starts, 900)
        assert times.rest(5000)[-1] == WordTime(16, 6, 1600)

    def test_what_was_read_in_another_way_costs_that_word_alone(self) -> None:
        times = CharacterTimes("in 1 day")
        times.add(list("in one day"), range(0, 1000, 100), 0)
        assert [word.offset for word in times.rest(2000)] == [0, 5]

    def test_times_never_go_back_nor_beyond_the_end(self) -> None:
        times = CharacterTimes("a b c")
        times.add(list("a b c"), [500, 0, 100, 0, 9000], 0)
        assert [word.start_ms for word in times.rest(1000)] == [500, 500, 1000]

    def test_signs_alone_are_no_words(self) -> None:
        times = CharacterTimes("-- a")
        times.add(list("-- a"), [0, 1, 2, 3], 0)
        assert times.rest(10) == (WordTime(3, 1, 3),)

    def test_lists_of_different_length_are_refused(self) -> None:
        with pytest.raises(ValueError, match="time for each"):
            CharacterTimes("a").add(["a"], [], 0)


def test_what_no_server_could_say_becomes_a_space_and_all_stays_in_its_place() -> None:
    assert sendable("a\0b\nc\ud83dd\N{BIRD}") == "a b c d\N{BIRD}"


@pytest.mark.parametrize(
    ("text", "does"), [("a", True), ("1", True), ("مر", True), ("漢", True), ("— ?! 🐦", False)]
)
def test_signs_alone_say_nothing(text: str, does: bool) -> None:
    assert says_something(text) is does
