"""Decodings in threads that learn that nobody waits for them."""

from __future__ import annotations

import asyncio
import threading

from inzwa_rtc.engines.asr.stoppable import Stoppable, StoppableWorkers, Wanted
from inzwa_rtc.engines.asr.windows import Decoded

GUARD_S = 20.0
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
