"""The example keeps the contracts of its kinds, as every engine does."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from tests.engines.contract import asr, llm


def murmur(seconds: float) -> bytes:
    """A voice that swells and fades four times a second."""
    time = np.arange(int(seconds * 16_000)) / 16_000
    swell = 0.55 - 0.45 * np.cos(2 * np.pi * 4 * time)
    return (8000 * swell * np.sin(2 * np.pi * 200 * time)).astype("<i2").tobytes()


@pytest.mark.usefixtures("imported")
class TestSyllables(asr.RecognizerContract):
    @pytest.fixture
    def subject(self) -> asr.Subject:
        engine = import_module("inzwa_rtc_example.syllables").Syllables

        def make(**options: Any) -> Any:
            return engine(engine.Options.model_validate(options))

        return asr.Subject(make, murmur(2), streaming={"rise": 0.4})


@pytest.mark.usefixtures("imported")
class TestParrot(llm.LanguageModelContract):
    @pytest.fixture
    def subject(self) -> llm.Subject:
        engine = import_module("inzwa_rtc_example.parrot").Parrot

        def make(**options: Any) -> Any:
            return engine(engine.Options.model_validate(options))

        return llm.Subject(make, question="one two three four five six seven eight nine ten")
