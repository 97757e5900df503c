"""What is loaded once is not looked at by collections; what comes later is."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from inzwa_rtc.machine.garbage import keep_what_is_loaded


class Ring:
    """Holds itself, so that only a collection ends it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _afterwards_all_is_looked_at_again() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_was_there_is_kept_and_no_collection_looks_at_it() -> None:
    ring = Ring()
    was_there = weakref.ref(ring)
    keep_what_is_loaded()
    del ring
    gc.collect()
    assert was_there() is not None
    assert gc.get_freeze_count() > len(gc.get_objects())


def test_what_comes_later_is_collected() -> None:
    keep_what_is_loaded()
    came = weakref.ref(Ring())
    gc.collect()
    assert came() is None


def test_garbage_of_the_start_is_not_kept() -> None:
    was_garbage = weakref.ref(Ring())
    keep_what_is_loaded()
    assert was_garbage() is None
