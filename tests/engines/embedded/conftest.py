"""The real embedded engines, loaded once for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inzwa_rtc.engines.asr.pocketsphinx.engine import PocketSphinx, PocketSphinxOptions
from inzwa_rtc.engines.llm.scripted import Scripted, ScriptedOptions
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions


@pytest.fixture(scope="session")
def tts() -> Iterator[ESpeak]:
    engine = ESpeak(ESpeakOptions())
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def guide() -> Scripted:
    return Scripted(ScriptedOptions())


@pytest.fixture(scope="session")
def asr() -> Iterator[PocketSphinx]:
    engine = PocketSphinx(PocketSphinxOptions())
    yield engine
    engine.close()
