"""Any text is read aloud, piece by piece, by an engine that knows sentences only."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from inzwa_rtc.engines.contracts import Voice, WordTime
from inzwa_rtc.errors import PeerError
from inzwa_rtc.speech.joining import Joints
from inzwa_rtc.speech.loudness import Loudness
from inzwa_rtc.speech.passage import UNDECIDED_MS
from inzwa_rtc.speech.piece import Piece, Span
from inzwa_rtc.speech.reading import Manner, Reading
from inzwa_rtc.speech.text.rules import Rules
from inzwa_rtc.speech.timing import Paces
from tests.support.speech import (
    RATE,
    TEXT,
    Engine,
    PieceList,
    SentenceReader,
    audio_of,
    read,
    reading,
    told,
    tone,
)


def word_times(text: str) -> list[WordTime]:
    """Of the words of a piece, 200 ms each."""
    words, at = [], 0
    for number, word in enumerate(text.split()):
        at = text.index(word, at)
        words.append(WordTime(at, len(word), 200 * number))
        at += len(word)
    return words


async def test_a_text_is_spoken_sentence_by_sentence_as_one() -> None:
    engine = Engine()
    chunks = await read(TEXT, reading(engine), voice="one", speed=1.5)
    assert [request.text.strip() for request in engine.requests] == [
        "The river listens.",
        "The wind in the reeds answers slowly!",
        "Who asked it?",
    ]
    assert {(one.voice, one.speed) for one in engine.requests} == {("one", 1.5)}
    words = len(TEXT.split())
    assert len(audio_of(chunks)) == words * RATE // 5 - 2 * RATE // 100  # two joints
    assert {chunk.engine for chunk in chunks} == {"test"}


async def test_no_piece_is_longer_than_the_engine_takes() -> None:
    class Limited(Engine):
        max_chars: int | None = 40

    reader, engine = SentenceReader(), Limited()
    await read(TEXT, reading(engine, reader))
    engine.max_chars = None
    await read(TEXT, reading(engine, reader))
    engine.max_chars = 5000
    await read(TEXT, reading(engine, reader, piece_chars=200))
    assert reader.limits == [40, 300, 200]


async def test_words_are_those_of_the_text_as_it_was_written() -> None:
    text = "Dr. Moyo is 26, I think. Yes."
    pieces = [
        Piece(
            "Doctor Moyo is twenty six, I think.",
            "en",
            (
                Span(0, 6, 0, 3),
                Span(7, 11, 4, 8),
                Span(12, 14, 9, 11),
                Span(15, 25, 12, 14),
                Span(27, 28, 16, 17),
                Span(29, 35, 18, 24),
            ),
        ),
        Piece("Yes.", "en", (Span(0, 4, 25, 29),)),
    ]
    engine = Engine()
    engine.words = word_times
    chunks = await read(text, reading(engine, PieceList(pieces)))
    words = told(chunks)
    written = [text[word.offset : word.offset + word.length] for word in words]
    assert written == ["Dr.", "Moyo", "is", "26,", "I", "think.", "Yes."]
    # "six" is part of "26"; the second piece begins 10 ms early, under the end of the first.
    assert [word.start_ms for word in words] == [0, 200, 400, 600, 1000, 1200, 1390]
    assert not any(word.is_estimated for word in words)


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("chunk", [80, 800, 90_000])
async def test_every_word_is_told_with_the_chunk_in_which_it_starts(
    tells: bool, chunk: int
) -> None:
    engine = Engine(chunk=chunk)
    if tells:
        engine.words = word_times
    made = 0
    chunks = await read(TEXT, reading(engine))
    for part in chunks:
        before, made = made, made + len(part.pcm) // 2
        for word in part.words:
            assert before * 1000 // RATE <= word.start_ms <= made * 1000 / RATE
            assert word.is_estimated is not tells
    words = told(chunks)
    assert [TEXT[word.offset : word.offset + word.length] for word in words] == TEXT.split()
    assert all(one.start_ms <= other.start_ms for one, other in pairwise(words))


@pytest.mark.parametrize("chunk", [80, 800, 90_000])
async def test_an_engine_that_tells_the_first_word_after_a_breath_is_believed(chunk: int) -> None:
    """Also of the first piece that it ever speaks."""
    engine = Engine(chunk=chunk)
    engine.words = lambda text: [
        replace(one, start_ms=one.start_ms + 90) for one in word_times(text)
    ]
    words = told(await read("The river listens.", reading(engine)))
    assert [word.start_ms for word in words] == [90, 290, 490]
    assert not any(word.is_estimated for word in words)


async def test_only_the_first_audio_of_a_voice_waits_for_what_its_engine_may_tell() -> None:
    engine, begins = Engine(chunk=80), []
    own = reading(engine)
    for _ in range(2):
        chunks = await read("The river listens.", own)
        begins.append(len(chunks[0].pcm) // 2 * 1000 // RATE)
        assert next(chunk for chunk in chunks if chunk.words) is chunks[0]
        assert len(audio_of(chunks)) == 3 * RATE // 5
        assert next(word.start_ms for word in told(chunks)) == 0
    assert begins[0] >= UNDECIDED_MS > 20 > begins[1]


@pytest.mark.parametrize("length_ms", [30, 190, 210])
async def test_a_first_piece_that_is_soon_over_is_told_in_whole(length_ms: int) -> None:
    engine = Engine(lambda text: tone(length_ms * RATE // 1000), chunk=80)
    chunks = await read("Yes I do.", reading(engine))
    assert len(audio_of(chunks)) == length_ms * RATE // 1000
    words = told(chunks)
    assert [(word.offset, word.is_estimated) for word in words] == [(0, True), (4, True), (6, True)]
    assert 0 == words[0].start_ms < words[2].start_ms < length_ms


async def test_a_voice_whose_pace_is_known_is_estimated_well() -> None:
    """This one speaks half as fast as is usual."""
    text = "The river listens to the wind. " * 6
    engine = Engine(lambda said: tone(len(said.split()) * RATE * 6 // 10))
    slow = reading(engine)
    await read(text, slow)
    words = told(await read(text, slow))
    ends = [word.start_ms for word in words[5::6]]
    assert [round(ms / 3600 - number, 1) for number, ms in enumerate(ends)] == pytest.approx(
        [0.8] * 6, abs=0.12
    )


async def test_the_speed_of_a_piece_is_a_factor_and_stays_within_what_engines_speak() -> None:
    pieces = [Piece("One.", "en", (Span(0, 4, 0, 4),), speed=speed) for speed in (0.5, 1.0, 3.0)]
    engine = Engine()
    for speed in (0.25, 1.0, 4.0):
        await read("One.", reading(engine, PieceList(pieces)), speed=speed)
    assert [request.speed for request in engine.requests] == [
        *(0.25, 0.25, 0.75),
        *(0.5, 1.0, 3.0),
        *(2.0, 4.0, 4.0),
    ]


@pytest.mark.parametrize("speed", [0, 0.24, 4.01, 99, -1, math.nan, math.inf])
async def test_a_speed_that_there_is_not_is_refused(speed: float) -> None:
    engine = Engine()
    with pytest.raises(PeerError) as refused:
        await read(TEXT, reading(engine), speed=speed)
    assert refused.value.code == "bad_speed"
    assert not engine.requests


async def test_a_piece_has_its_own_loudness_and_never_wraps_around() -> None:
    pieces = [
        Piece("Loud.", "en", (Span(0, 5, 0, 5),), gain_db=6.0),
        Piece("Too loud.", "en", (Span(0, 9, 5, 14),), gain_db=60.0),
    ]
    engine = Engine(lambda text: tone(RATE, 200))
    audio = audio_of(await read("Loud. Too loud.", reading(engine, PieceList(pieces))))
    assert abs(audio[2000:8000]).max() == pytest.approx(9000 * 10**0.3, rel=0.01)
    assert audio.max() == 32767
    crest = audio[RATE - 160 + 1600 : 2 * RATE - 800 : 80]  # of each wave of the second piece
    assert (crest == 32767).all()


async def test_pauses_are_silence_of_their_length_in_chunks_that_memory_bears() -> None:
    pieces = [
        Piece("", "en", pause_ms=500),
        Piece("One.", "en", (Span(0, 4, 0, 4),), pause_ms=2500),
        Piece("Two.", "en", (Span(0, 4, 5, 9),)),
    ]
    engine = Engine(lambda text: tone(RATE, 200))
    chunks = await read("One. Two.", reading(engine, PieceList(pieces)))
    audio = audio_of(chunks)
    assert len(audio) == RATE // 2 + RATE + RATE * 5 // 2 + RATE
    assert not audio[: RATE // 2].any() and not audio[RATE * 3 // 2 : RATE * 4].any()
    assert max(len(chunk.pcm) for chunk in chunks) <= 2 * RATE
    assert [word.start_ms for word in told(chunks)] == [500, 4000]
    assert len(engine.requests) == 2


async def test_a_passage_in_another_language_is_spoken_by_a_voice_of_it_if_there_is_one() -> None:
    pieces = [
        Piece(text, language, (Span(0, 5, 0, 5),))
        for text, language in (("Hello", "en-GB"), ("Mhoro", "sn"), ("Salut", "fr"))
    ]
    engine = Engine()
    await read("Hello", reading(engine, PieceList(pieces)), voice="one")
    assert [(one.voice, one.language) for one in engine.requests] == [
        ("one", "en"),
        ("two", "sn"),
        ("one", "en"),
    ]
    engine.voices = (Voice("one", "One", ""),)
    await read("Hello", reading(engine, PieceList(pieces)), voice="one")
    assert engine.requests[-1].language == "fr"


async def test_each_voice_of_a_text_is_measured_and_paced_as_itself() -> None:
    """The second speaks slowly, and ten times as loud."""

    def spoken(text: str) -> NDArray[np.int16]:
        return tone(5 * RATE, level=900) if "river" in text else tone(6 * RATE, level=9000)

    pieces = [
        Piece("A river is wide and long and slow.", "en", (Span(0, 34, 0, 34),)),
        Piece("A pot is round and black and hot.", "sn", (Span(0, 33, 35, 68),)),
    ]
    loudness, paces = Loudness(-23.0), Paces()
    own = reading(Engine(spoken), PieceList(pieces), loudness=loudness, paces=paces)
    await read(
        "A river is wide and long and slow. A pot is round and black and hot.", own, voice="one"
    )
    softer, louder = loudness.gain("test", "one"), loudness.gain("test", "two")
    assert loudness.is_known("test", "one") and loudness.is_known("test", "two")
    assert louder < 0 < softer
    assert paces.of(("test", "one", "sn"), "sn") == Paces().of((), "sn")
    assert paces.of(("test", "two", "sn"), "sn") < 2


@pytest.mark.parametrize("text", ["", "  \n", "..."])
async def test_a_text_with_nothing_to_say_makes_no_sound_and_asks_nobody(text: str) -> None:
    engine = Engine()
    assert await read(text, reading(engine, PieceList([]))) == []
    assert not engine.requests


async def test_an_engine_that_makes_no_sound_of_a_piece_does_no_harm() -> None:
    engine = Engine(lambda text: tone(0 if text.startswith("The wind") else RATE, 200))
    chunks = await read(TEXT, reading(engine))
    assert len(audio_of(chunks)) == 2 * RATE - RATE // 100
    assert len(told(chunks)) == 6


async def test_what_is_open_at_the_end_of_a_phrase_counts_for_the_next_one() -> None:
    made: list[str] = []

    def make(language: str, rules: Rules) -> SentenceReader:
        made.append(language)
        return SentenceReader(language)

    reply = Reading(Engine(), Manner(make))
    for language in ("en", "en", "sn"):
        await read("A phrase.", reply, language=language)
    assert made == ["en", "sn"]


async def test_it_tells_how_far_it_has_come() -> None:
    passages: list[tuple[int, str]] = []
    follow = lambda behind, passage: passages.append((behind, passage))  # noqa: E731
    own = Reading(Engine(), Manner(lambda language, rules: SentenceReader()), follow)
    await read(TEXT, own)
    assert passages == [
        (0, "The river listens."),
        (18, "The wind in the reeds answers slowly!"),
        (56, "Who asked it?"),
        (len(TEXT), ""),
    ]


async def test_a_text_sounds_the_same_whatever_the_chunks_it_came_in() -> None:
    sounds = [
        audio_of(await read(TEXT, reading(Engine(chunk=chunk), joints=Joints(20, 5)))).tobytes()
        for chunk in (37, 800, 90_000)
    ]
    assert sounds[0] == sounds[1] == sounds[2]
