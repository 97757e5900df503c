"""What callers may expect of eSpeak as an engine."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest, WordTime
from inzwa_rtc.engines.tts.clauses import clauses
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions
from inzwa_rtc.errors import EngineError

LONG = "The river listens, and the wind in the reeds answers it slowly. " * 40


async def speak(tts: ESpeak, request: SpeechRequest) -> list[SpeechChunk]:
    return [chunk async for chunk in tts.synthesize(request)]


def audio(chunks: list[SpeechChunk]) -> bytes:
    return b"".join(chunk.pcm for chunk in chunks)


def alike(one: bytes, other: bytes) -> bool:
    """eSpeak lets its voices flutter, so the same text is never the same to the last bit."""
    return bool(one) and abs(len(one) - len(other)) <= 0.02 * len(other)


def words(chunks: list[SpeechChunk]) -> list[WordTime]:
    return [word for chunk in chunks for word in chunk.words]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello world, how are you?", ["Hello", "world", "how", "are", "you"]),
        ("Mhoroi, makadii zvakanaka.", ["Mhoroi", "makadii", "zvakanaka"]),
        ("Ça va 😀 naïve café!", ["Ça", "va", "😀", "naïve", "café"]),
        ("It costs 1,234 dollars.", ["It", "costs", "1,234", "dollars"]),
        ('"Don\'t," she said.', ["Don't", "she", "said"]),
    ],
)
async def test_word_offsets_point_at_the_words_themselves(
    tts: ESpeak, text: str, expected: list[str]
) -> None:
    times = words(await speak(tts, SpeechRequest(text)))
    assert [text[word.offset : word.offset + word.length] for word in times] == expected


async def test_word_offsets_stay_right_over_many_clauses(tts: ESpeak) -> None:
    times = words(await speak(tts, SpeechRequest(LONG)))
    spoken = [LONG[word.offset : word.offset + word.length] for word in times]
    assert spoken.count("river") == spoken.count("reeds") == 40
    assert [word.start_ms for word in times] == sorted(word.start_ms for word in times)


async def test_a_word_is_told_no_later_than_the_chunk_in_which_it_starts(tts: ESpeak) -> None:
    for speed in (0.25, 0.5, 1.0, 4.0):
        played = 0
        async for chunk in tts.synthesize(SpeechRequest(LONG[:300], speed=speed)):
            played += len(chunk.pcm) // 2
            for word in chunk.words:
                assert word.start_ms <= 1000 * played / tts.sample_rate


async def test_text_with_nothing_to_say_makes_no_sound_and_no_error(tts: ESpeak) -> None:
    for text in ("", "   ", "...", "\n\n", "\0"):
        assert await speak(tts, SpeechRequest(text)) == []


@pytest.mark.parametrize("voice", ["nobody", "../../etc/passwd", "en-gb+../../x", ""])
async def test_a_voice_that_is_not_listed_is_refused_by_naming_those_that_are(
    tts: ESpeak, voice: str
) -> None:
    with pytest.raises(EngineError, match="en-gb, en-us"):
        await speak(tts, SpeechRequest("Hello", voice))


async def test_every_listed_voice_speaks_and_sounds_like_no_other(tts: ESpeak) -> None:
    sounds = [audio(await speak(tts, SpeechRequest("Good morning", v.id))) for v in tts.voices]
    assert len(set(sounds)) == len(tts.voices)
    assert all(sounds)


def test_the_configured_voice_comes_first() -> None:
    engine = ESpeak(ESpeakOptions(voice="sw"))
    assert engine.voices[0].id == "sw"
    engine.close()


@pytest.mark.parametrize(
    ("language", "voice"), [("sw", "sw"), ("sn", "sn"), ("sn-ZW", "sn"), ("tn", "tn")]
)
async def test_a_language_gets_a_voice_of_its_own(tts: ESpeak, language: str, voice: str) -> None:
    text = "Swipa mbwa zvakanaka, nzvimbo itsva."  # each of these voices reads it otherwise
    chosen = audio(await speak(tts, SpeechRequest(text, voice)))
    assert alike(audio(await speak(tts, SpeechRequest(text, language=language))), chosen)
    english = audio(await speak(tts, SpeechRequest(text, language="xx")))
    assert not alike(english, chosen)


@pytest.mark.parametrize("speed", [0.25, 0.35, 0.45, 0.5, 0.75, 1.5, 2.0, 3.0, 4.0])
async def test_speech_takes_as_long_as_its_speed_says(tts: ESpeak, speed: float) -> None:
    """Within a tenth: eSpeak shortens pauses and long sounds by laws of its own."""
    normal = len(audio(await speak(tts, SpeechRequest(LONG[:200]))))
    length = len(audio(await speak(tts, SpeechRequest(LONG[:200], speed=speed))))
    assert length * speed == pytest.approx(normal, rel=0.1)


async def test_speech_slower_than_espeak_s_own_keeps_its_words_and_its_pitch(tts: ESpeak) -> None:
    text = "Now, where are we all?"
    plain, slow = [await speak(tts, SpeechRequest(text, speed=s)) for s in (0.5, 0.25)]
    for word, slower in zip(words(plain), words(slow), strict=True):
        assert (word.offset, word.length) == (slower.offset, slower.length)
        assert slower.start_ms == pytest.approx(2 * word.start_ms, rel=0.1)
    low, high = sorted((pitch(audio(plain), tts), pitch(audio(slow), tts)))
    assert high < 1.1 * low


def pitch(pcm: bytes, tts: ESpeak) -> float:
    """The median pitch of the voiced pieces, in Hz, by their likeness to themselves later."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    shortest, longest = tts.sample_rate // 300, tts.sample_rate // 60
    found = []
    for piece in samples[: len(samples) // 1024 * 1024].reshape(-1, 1024):
        if piece.std() > 1000:
            likeness = np.correlate(piece, piece, "full")[1023 + shortest : 1023 + longest]
            found.append(tts.sample_rate / (shortest + int(likeness.argmax())))
    return float(np.median(found))


async def test_phoneme_and_markup_syntax_is_spoken_as_text(tts: ESpeak) -> None:
    plain = "[[h@l'oU]] <break time='9s'/> end"
    times = words(await speak(tts, SpeechRequest(plain)))
    assert "break" in {plain[word.offset :][: word.length].strip("<") for word in times}
    assert any("h" in plain[word.offset :][: word.length] for word in times)


async def test_cancelling_mid_way_frees_espeak_for_the_next_caller(tts: ESpeak) -> None:
    fresh = audio(await speak(tts, SpeechRequest("Next, please.")))
    async with aclosing(tts.synthesize(SpeechRequest(LONG))) as stream:
        await anext(stream)
    assert alike(audio(await speak(tts, SpeechRequest("Next, please."))), fresh)


async def test_a_cancelled_task_leaves_no_work_behind(tts: ESpeak) -> None:
    task = asyncio.ensure_future(speak(tts, SpeechRequest(LONG)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await speak(tts, SpeechRequest("Hello"))


async def test_concurrent_callers_get_their_own_audio_intact(tts: ESpeak) -> None:
    requests = [
        SpeechRequest(f"Caller {index} says hello. " * 12, voice.id, speed=1 + index / 10)
        for index, voice in enumerate(tts.voices)
    ]
    alone = [await speak(tts, request) for request in requests]
    together = await asyncio.gather(*(speak(tts, request) for request in requests))
    for mixed, single in zip(together, alone, strict=True):
        assert alike(audio(mixed), audio(single))
        for word, expected in zip(words(mixed), words(single), strict=True):
            assert (word.offset, word.length) == (expected.offset, expected.length)
            assert abs(word.start_ms - expected.start_ms) <= 100


async def test_a_slow_consumer_of_a_long_text_keeps_nobody_waiting(tts: ESpeak) -> None:
    async with aclosing(tts.synthesize(SpeechRequest(LONG))) as stalled:
        await anext(stalled)
        assert await speak(tts, SpeechRequest("I am not stuck."))


async def test_audio_made_ahead_is_one_clause_however_long_the_text(tts: ESpeak) -> None:
    """With the consumer stopped after its first chunk, only that clause's chunks come to be."""
    made = 0
    speak_clause = tts._library.speak

    def counting(*arguments: object, **named: object) -> None:
        nonlocal made
        made += 1
        speak_clause(*arguments, **named)  # type: ignore[arg-type]

    tts._library.speak = counting  # type: ignore[method-assign]
    try:
        async with aclosing(tts.synthesize(SpeechRequest(LONG * 20))) as stream:
            await anext(stream)
            await speak(tts, SpeechRequest("Another caller, whose clause queues behind."))
    finally:
        tts._library.speak = speak_clause  # type: ignore[method-assign]
    assert made == 2


@pytest.mark.parametrize("text", [LONG, "a" * 1000, "é😀 " * 300, "one,two. three\n\nfour " * 50])
def test_clauses_leave_nothing_out_and_stay_within_their_limit(text: str) -> None:
    parts = list(clauses(text, 160))
    assert "".join(part.text for part in parts) == text
    assert all(0 < len(part.text) <= 160 for part in parts)
    assert all(text.startswith(part.text, part.offset) for part in parts)


def test_two_engines_share_the_library_and_the_last_one_frees_it(tts: ESpeak) -> None:
    second = ESpeak(ESpeakOptions())
    second.close()
    second.close()
    assert asyncio.run(speak(tts, SpeechRequest("Still here.")))
