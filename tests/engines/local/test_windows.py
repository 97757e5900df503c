"""Streaming over a decoder of whole stretches, with decodings that the test lets end."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from inzwa_rtc.engines.asr.windows import Streaming, in_windows
from inzwa_rtc.engines.asr.workers import Workers
from tests.engines.local.speaking import (
    GUARD_S,
    Caller,
    Counter,
    Failing,
    all_of,
    next_of,
    silence,
    until,
    voice,
)


async def test_an_utterance_is_decoded_while_it_is_spoken_and_again_at_its_end(
    workers: Workers,
) -> None:
    decode, caller = Counter(), Caller()
    stream = in_windows(caller.audio(), decode, workers, Streaming(partial_ms=600))
    caller.say(voice(600))
    first = await next_of(stream)
    assert (first.text, first.is_final, first.stable) == ("w0 w1 w2 w3 w4 w5", False, 0)
    caller.say(voice(200))
    caller.end()
    final = (await all_of(stream))[-1]
    assert final.is_final
    assert final.text == "w0 w1 w2 w3 w4 w5 w6 w7"
    assert final.text[: final.stable] == first.text
    assert (final.start_ms, final.end_ms) == (0, 800)


async def test_what_was_decoded_in_the_silence_before_the_end_is_the_final_transcript(
    workers: Workers,
) -> None:
    decode, caller = Counter(), Caller()
    stream = in_windows(caller.audio(), decode, workers, Streaming(partial_ms=0))
    caller.say(voice(400), silence(160))
    early = await next_of(stream)
    caller.say(silence(340))
    caller.end()
    (final,) = await all_of(stream)
    assert (final.text, final.is_final) == (early.text, True)
    assert [stretch.is_final for stretch in decode.stretches] == [True]


async def test_who_goes_on_after_a_pause_is_decoded_anew(workers: Workers) -> None:
    decode, caller = Counter(), Caller()
    stream = in_windows(caller.audio(), decode, workers, Streaming(partial_ms=0))
    caller.say(voice(400), silence(200))
    await next_of(stream)
    caller.say(voice(200))
    caller.end()
    (final,) = await all_of(stream)
    assert final.text == "w0 w1 w2 w3 w6 w7"
    assert len(decode.stretches) == 2


async def test_no_partial_is_decoded_while_the_worker_is_busy(workers: Workers) -> None:
    decode, caller, other = Counter(), Caller(), Caller()
    decode.may_end.clear()
    first = in_windows(other.audio(), decode, workers, Streaming(partial_ms=0))
    other.say(voice(600), silence(200))
    waiting = asyncio.create_task(anext(first))
    await until(lambda: bool(decode.stretches))
    stream = in_windows(caller.audio(), decode, workers, Streaming(partial_ms=100))
    caller.say(*[voice(200)] * 5)
    caller.end()
    answered = asyncio.create_task(all_of(stream))
    await until(lambda: caller.left == 0)
    decode.may_end.set()
    (final,) = await answered
    assert final.is_final
    assert [stretch.is_final for stretch in decode.stretches] == [True, True]
    async with asyncio.timeout(GUARD_S):
        await waiting
    await first.aclose()


@pytest.mark.parametrize("pieces", [[], [b""], [b"\0"], [silence(500)]])
async def test_without_a_voice_there_is_an_empty_transcript_and_no_decoding(
    workers: Workers, pieces: list[bytes]
) -> None:
    decode, caller = Counter(), Caller()
    caller.say(*pieces)
    caller.end()
    (final,) = await all_of(in_windows(caller.audio(), decode, workers, Streaming()))
    assert (final.text, final.is_final) == ("", True)
    assert decode.stretches == []


async def test_a_decoder_that_fails_at_the_end_fails_the_utterance(workers: Workers) -> None:
    caller = Caller()
    caller.say(voice(300))
    caller.end()
    with pytest.raises(MemoryError):
        await all_of(in_windows(caller.audio(), Failing(1), workers, Streaming()))


@pytest.mark.parametrize("heard", [voice(700), voice(400) + silence(200)], ids=["partial", "pause"])
async def test_a_decoding_that_fails_before_the_end_is_done_without(
    workers: Workers, heard: bytes
) -> None:
    decode, caller = Failing(1), Caller()
    stream = in_windows(caller.audio(), decode, workers, Streaming(partial_ms=600))
    caller.say(heard)
    answered = asyncio.create_task(all_of(stream))
    await until(lambda: decode.failed.is_set() and workers.is_one_free)
    caller.say(silence(20))
    await until(lambda: caller.left == 0)
    assert len(decode.stretches) == 1  # not again, with nothing new to decode
    caller.say(voice(100))
    caller.end()
    final = (await answered)[-1]
    assert final.is_final
    assert len(final.words) == np.count_nonzero(np.frombuffer(heard, np.int16)) // 1600 + 1


async def test_a_decoding_at_a_pause_is_needed_for_nothing_once_the_caller_went_on(
    workers: Workers,
) -> None:
    decode, caller = Failing(1), Caller()
    decode.may_end.clear()
    answered = asyncio.create_task(
        all_of(in_windows(caller.audio(), decode, workers, Streaming(partial_ms=0)))
    )
    caller.say(voice(400), silence(200))
    await until(lambda: bool(decode.stretches))
    caller.say(voice(200))
    caller.end()
    await until(lambda: caller.left == 0)
    for _ in range(100):
        await asyncio.sleep(0)
    decode.may_end.set()
    (final,) = await answered
    assert final.text == "w0 w1 w2 w3 w6 w7"


async def test_an_utterance_that_nobody_wants_any_more_frees_its_place(workers: Workers) -> None:
    decode, caller = Counter(), Caller()
    decode.may_end.clear()
    stream = in_windows(caller.audio(), decode, workers, Streaming(partial_ms=100))
    caller.say(voice(300))
    reading = asyncio.create_task(anext(stream))
    await until(lambda: bool(decode.stretches))
    reading.cancel()
    await asyncio.wait({reading})
    await stream.aclose()
    decode.may_end.set()
    await until(lambda: workers.is_one_free)
