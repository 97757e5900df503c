"""eSpeak keeps the contract of a synthesizer."""

from __future__ import annotations

from typing import Any

import pytest

from inzwa_rtc.engines.tts.espeak.engine import ESpeak
from tests.engines.contract.tts import Subject, SynthesizerContract


class TestESpeak(SynthesizerContract):
    @pytest.fixture
    def subject(self) -> Subject:
        def make(**options: Any) -> ESpeak:
            return ESpeak(ESpeak.Options.model_validate(options))

        return Subject(make, is_exact=False)
