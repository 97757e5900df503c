"""What the tests of local engines share."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from inzwa_rtc.engines.asr.workers import Workers


@pytest.fixture
def workers() -> Generator[Workers, None, None]:
    workers = Workers(1)
    yield workers
    workers.close()
