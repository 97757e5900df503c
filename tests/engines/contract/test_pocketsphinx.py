"""PocketSphinx keeps the contract of a recogniser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inzwa_rtc.engines.asr.pocketsphinx.engine import PocketSphinx
from tests.engines.contract.asr import RecognizerContract, Subject


def hum(seconds: float) -> bytes:
    """Something between the vowels that it knows, since noise is nothing to it."""
    time = np.arange(int(seconds * 16_000)) / 16_000
    buzz = sum(np.sin(2 * np.pi * 120 * n * time) / n for n in range(1, 30))
    formant = 1 + 0.9 * np.sin(2 * np.pi * 3 * time)
    return (2500 * buzz * formant).astype("<i2").tobytes()


class TestPocketSphinx(RecognizerContract):
    @pytest.fixture
    def subject(self) -> Subject:
        def make(**options: Any) -> PocketSphinx:
            return PocketSphinx(PocketSphinx.Options.model_validate(options))

        return Subject(make, hum(2), larger=make)  # 30 MB
