"""Decodings in threads that learn that nobody waits for them."""

from __future__ import annotations

import asyncio
import threading

from inzwa_rtc.engines.asr.decoding import Decoded, Stretch
from inzwa_rtc.engines.asr.stoppable import Stoppable, StoppableWorkers, Wanted
from inzwa_rtc.engines.asr.windows import Streaming, in_windows
from tests.engines.local.speaking import (
    GUARD_S,
    Caller,
    Counter,
    all_of,
    next_of,
    silence,
    voice,
)
from tests.engines.local.speaking import until as until_so

NOTHING = Decoded("", "", 0.0)


class Patient:
    """Decodes until its result is not wanted any more."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.stopped = threading.Event()

    def __call__(self) -> Stoppable:
        return self.decode

    def decode(self, is_wanted: Wanted) -> Decoded:
        self.began.set()
        while is_wanted():
            pass
        self.stopped.set()
        return NOTHING


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, GUARD_S)


async def test_a_result_that_is_wanted_comes() -> None:
    workers = StoppableWorkers(1)
    result = await workers.start(lambda: lambda is_wanted: Decoded(str(is_wanted()), "en", 1.0))
    assert result.text == "True"
    workers.close()


async def test_a_decoding_that_is_dropped_stops_and_frees_its_place() -> None:
    workers, patient = StoppableWorkers(1), Patient()
    result = workers.start(patient)
    await until(patient.began)
    assert not workers.is_one_free
    result.cancel()
    await until(patient.stopped)
    await workers.start(lambda: lambda _: NOTHING)
    workers.close()


async def test_the_newest_partial_gives_way_to_a_final_one_for_which_no_thread_is_free() -> None:
    workers, patients = StoppableWorkers(2), [Patient(), Patient()]
    older, newer = (workers.start_partial(patient) for patient in patients)
    for patient in patients:
        await until(patient.began)
    await workers.start(lambda: lambda _: NOTHING)
    assert newer.cancelled()
    assert patients[1].stopped.is_set()
    assert not older.done()
    await asyncio.to_thread(workers.close)


async def test_no_partial_gives_way_where_a_thread_is_about_to_be_free() -> None:
    workers, patients = StoppableWorkers(2), [Patient(), Patient()]
    older, newer = (workers.start_partial(patient) for patient in patients)
    for patient in patients:
        await until(patient.began)
    older.cancel()
    await workers.start(lambda: lambda _: NOTHING)
    assert not newer.done()
    await asyncio.to_thread(workers.close)


async def test_a_final_decoding_gives_way_to_nobody() -> None:
    workers, patient = StoppableWorkers(1), Patient()
    running = workers.start(patient)
    await until(patient.began)
    waiting = workers.start(lambda: lambda _: NOTHING)
    assert not running.done()
    running.cancel()
    await waiting
    await asyncio.to_thread(workers.close)


async def test_closing_stops_all_decodings() -> None:
    workers, patients = StoppableWorkers(2), [Patient(), Patient()]
    results = [workers.start(patient) for patient in patients]
    for patient in patients:
        await until(patient.began)
    await asyncio.to_thread(workers.close)
    assert all(patient.stopped.is_set() for patient in patients)
    assert await asyncio.gather(*results) == [NOTHING, NOTHING]


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
    await until_so(lambda: bool(decode.stretches))
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
    await until_so(lambda: bool(decode.stretches))
    caller.say(voice(300))
    caller.end()
    stream = in_windows(caller.audio(), decode.stoppable, workers, Streaming(partial_ms=0))
    (final,) = await all_of(stream)
    assert final.text == "w0 w1 w2"
    other.say(voice(100))
    other.end()
    assert (await waiting)[-1].text == "w0 w1 w2 w3 w4 w5 w6"
    workers.close()
