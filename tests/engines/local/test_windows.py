"""Streaming over a decoder of whole stretches, with decodings that the test lets end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing

import numpy as np
import pytest

from inzwa_rtc.engines.asr.stoppable import Stoppable, StoppableWorkers, Wanted
from inzwa_rtc.engines.asr.windows import Decoded, Streaming, Stretch, _Utterance, in_windows
from inzwa_rtc.engines.asr.workers import Workers
from inzwa_rtc.engines.contracts import HeardWord, TranscriptChunk

GUARD_S = 20.0


def voice(ms: int) -> bytes:
    return np.tile(np.array([8000, -8000], np.int16), ms * 8).tobytes()


def silence(ms: int) -> bytes:
    return bytes(ms * 32)


class Counter:
    """Understands a stretch as the numbers of its voiced 100 ms, and remembers the stretches."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self, stretch: Stretch) -> Decoded:
        self.stretches.append(stretch)
        assert self.may_end.wait(GUARD_S)
        levels = np.abs(stretch.audio[: len(stretch.audio) // 1600 * 1600]).reshape(-1, 1600)
        words = tuple(
            HeardWord(f"w{number}", number * 100, number * 100 + 100, 0.9)
            for number, level in enumerate(levels.mean(axis=1))
            if level > 0.1
        )
        return Decoded(" ".join(word.text for word in words), "en", 0.9, words)


class Caller:
    """Speaks piece by piece, as the test says."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    @property
    def left(self) -> int:
        """Pieces, and the end, that nobody has taken yet."""
        return self._pieces.qsize()

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._pieces.put_nowait(piece)

    def end(self) -> None:
        self._pieces.put_nowait(None)

    async def audio(self) -> AsyncGenerator[bytes, None]:
        while (piece := await self._pieces.get()) is not None:
            yield piece


async def all_of(stream: AsyncGenerator[TranscriptChunk, None]) -> list[TranscriptChunk]:
    async with asyncio.timeout(GUARD_S), aclosing(stream):
        return [chunk async for chunk in stream]


async def next_of(stream: AsyncGenerator[TranscriptChunk, None]) -> TranscriptChunk:
    async with asyncio.timeout(GUARD_S):
        return await anext(stream)


async def until(condition: Callable[[], bool]) -> None:
    """Threads tell the loop nothing of themselves: let it turn until it is so."""
    async with asyncio.timeout(GUARD_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.fixture
def workers() -> Generator[Workers, None, None]:
    workers = Workers(1)
    yield workers
    workers.close()


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


class Stopping(Counter):
    """Decodes a partial for as long as its result is wanted."""

    def stoppable(self, stretch: Stretch) -> Stoppable:
        def decode(is_wanted: Wanted) -> Decoded:
            decoded = self(stretch)
            while is_wanted() and not stretch.is_final:
                pass
            return decoded

        return decode


async def test_at_a_pause_the_callers_own_partial_is_not_waited_for() -> None:
    decode, caller, workers = Stopping(), Caller(), StoppableWorkers(1)
    stream = in_windows(caller.audio(), decode.stoppable, workers, Streaming(partial_ms=600))
    caller.say(voice(600))
    waiting = asyncio.create_task(next_of(stream))
    await until(lambda: bool(decode.stretches))
    caller.say(silence(200))
    assert (await waiting).text == "w0 w1 w2 w3 w4 w5"
    assert [stretch.is_final for stretch in decode.stretches] == [False, True]
    await stream.aclose()
    workers.close()


async def test_a_partial_gives_way_to_another_callers_final() -> None:
    decode, caller, other = Stopping(), Caller(), Caller()
    workers = StoppableWorkers(1)
    first = in_windows(other.audio(), decode.stoppable, workers, Streaming(partial_ms=600))
    other.say(voice(600))
    waiting = asyncio.create_task(all_of(first))
    await until(lambda: bool(decode.stretches))
    caller.say(voice(300))
    caller.end()
    stream = in_windows(caller.audio(), decode.stoppable, workers, Streaming(partial_ms=0))
    (final,) = await all_of(stream)
    assert final.text == "w0 w1 w2"
    other.say(voice(100))
    other.end()
    assert (await waiting)[-1].text == "w0 w1 w2 w3 w4 w5 w6"
    workers.close()


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


class Failing(Counter):
    """Fails so many times first; `failed` once it has."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._left = times
        self.failed = threading.Event()

    def __call__(self, stretch: Stretch) -> Decoded:
        decoded = super().__call__(stretch)
        if self._left:
            self._left -= 1
            self.failed.set()
            raise MemoryError
        return decoded


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
