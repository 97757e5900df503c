"""Utterances longer than what is decoded at once."""

from __future__ import annotations

import asyncio

import pytest

from inzwa_rtc.engines.asr.decoding import Decoded, Stretch
from inzwa_rtc.engines.asr.windows import Streaming, _Utterance, in_windows
from inzwa_rtc.engines.asr.workers import Workers
from inzwa_rtc.engines.contracts import HeardWord
from tests.engines.local.speaking import (
    Caller,
    Counter,
    Failing,
    all_of,
    silence,
    until,
    voice,
)


async def test_a_long_dictation_slides_through_the_window(workers: Workers) -> None:
    decode, caller = Counter(), Caller()
    streaming = Streaming(partial_ms=0, window_ms=3000)
    stream = in_windows(caller.audio(), decode, workers, streaming)
    caller.say(*[voice(100)] * 70)
    caller.end()
    final = (await all_of(stream))[-1]
    assert max(len(stretch.audio) for stretch in decode.stretches) <= 58_000
    assert len(final.words) == 70
    starts = [word.start_ms for word in final.words]
    assert starts == list(range(0, 7000, 100))
    assert decode.stretches[1].context


async def test_a_full_window_is_cut_at_the_quietest_place_of_its_end(workers: Workers) -> None:
    decode, caller = Counter(), Caller()
    streaming = Streaming(partial_ms=0, window_ms=3000, at_pauses=False)
    stream = in_windows(caller.audio(), decode, workers, streaming)
    caller.say(*[voice(100)] * 20, silence(300), *[voice(100)] * 20)
    caller.end()
    final = (await all_of(stream))[-1]
    first, second = (len(stretch.audio) // 16 for stretch in decode.stretches)
    assert 2000 <= first <= 2300
    assert second == 4300 - first
    assert len(final.words) == 40


@pytest.mark.parametrize(
    "times", [(0, 0), (0, 20), (10**6, 10**6)], ids=["zero", "first", "beyond the audio"]
)
async def test_the_window_slides_whatever_times_words_are_told_to_have(
    workers: Workers, times: tuple[int, int]
) -> None:
    ends: list[int] = []

    def decode(stretch: Stretch) -> Decoded:
        ends.append(len(stretch.audio) // 16)
        word = f"part{len(ends)}"
        return Decoded(word, "en", 0.9, (HeardWord(word, *times, 0.9),))

    caller = Caller()
    caller.say(*[voice(100)] * 100)
    caller.end()
    stream = in_windows(caller.audio(), decode, workers, Streaming(partial_ms=0, window_ms=3000))
    final = (await all_of(stream))[-1]
    assert final.text.split() == [f"part{number + 1}" for number in range(len(ends))]
    assert sum(ends) == 10_000
    assert final.end_ms <= 10_000


async def test_a_part_without_words_takes_nothing_from_the_others_confidence(
    workers: Workers,
) -> None:
    answers = [Decoded("", "en", 0.0), Decoded("hello", "en", 0.8), Decoded("", "en", 0.0)]
    caller = Caller()
    caller.say(*[voice(100)] * 85)
    caller.end()
    streaming = Streaming(partial_ms=0, window_ms=3000)
    stream = in_windows(caller.audio(), lambda _: answers.pop(0), workers, streaming)
    final = (await all_of(stream))[-1]
    assert (final.text, final.confidence, answers) == ("hello", 0.8, [])


async def test_audio_that_comes_faster_than_it_is_decoded_waits_where_it_comes_from(
    workers: Workers,
) -> None:
    """Hours of a recording, handed over at once, never lie in memory."""
    decode, caller = Counter(), Caller()
    decode.may_end.clear()
    stream = in_windows(caller.audio(), decode, workers, Streaming(partial_ms=0, window_ms=3000))
    caller.say(*[voice(100)] * 100)
    caller.end()
    answered = asyncio.create_task(all_of(stream))
    await until(lambda: caller.left <= 41)  # two windows are taken, 60 pieces
    for _ in range(100):
        await asyncio.sleep(0)
    assert caller.left == 41
    decode.may_end.set()
    assert len((await answered)[-1].words) == 100


async def test_an_hour_of_digital_silence_is_neither_kept_nor_decoded(workers: Workers) -> None:
    decode = Counter()
    utterance = _Utterance(decode, workers, Streaming(window_ms=3000))
    for _ in range(60):
        utterance.audio.feed(silence(60_000))
        utterance.decode_if_due()
        assert utterance.audio.held().size == 0
    utterance.audio.feed(voice(400))
    final = await utterance.finish()
    assert final.text == "w0 w1 w2 w3"
    assert final.words[0].start_ms == 3_600_000


async def test_a_full_window_whose_decoding_failed_is_tried_again_until_there_are_two(
    workers: Workers,
) -> None:
    streaming = Streaming(partial_ms=0, window_ms=3000)
    for times, words in [(1, 100), (1000, None)]:
        decode, caller = Failing(times), Caller()
        caller.say(*[voice(100)] * 100)
        caller.end()
        stream = in_windows(caller.audio(), decode, workers, streaming)
        if words is None:
            with pytest.raises(MemoryError):
                await all_of(stream)
            assert len(decode.stretches) <= 4
        else:
            assert len((await all_of(stream))[-1].words) == words
