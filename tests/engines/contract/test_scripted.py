"""The scripted guide keeps the contract of a language model."""

from __future__ import annotations

from typing import Any

import pytest

from inzwa_rtc.engines.llm.scripted import Scripted
from tests.engines.contract.llm import LanguageModelContract, Subject


class TestScripted(LanguageModelContract):
    @pytest.fixture
    def subject(self) -> Subject:
        def make(**options: Any) -> Scripted:
            return Scripted(Scripted.Options.model_validate(options))

        return Subject(make, has_adapters=False)
