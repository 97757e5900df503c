"""The contracts, kept by the models of a folder: `make acceptance MODELS=DIR`.

Unlike the tiny ones of random weights, these may understand something; what is asked of them
here is the same.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.acceptance.folder import Candidate, read
from inzwa_rtc.engines import registry
from tests.engines.contract import asr, llm

FOLDER = os.environ.get("ACCEPTANCE_MODELS")
if not FOLDER:
    pytest.skip("for models of one's own: make acceptance MODELS=DIR", allow_module_level=True)

CANDIDATES = read(Path(FOLDER))
SPEECH_BYTES = 2 * 16_000 * 10  # of a recording: several times that is decoded in a test
pytestmark = pytest.mark.timeout(1800)  # real models take their time on a CPU


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(one, id=one.name) for one in CANDIDATES if one.kind == kind]


def maker(candidate: Candidate, **usual: Any) -> Any:
    """Builds the engine in this process."""
    launch = candidate.launch
    if launch.python is not None:
        pytest.skip("runs in an environment of its own: run the suite there")

    def make(**options: Any) -> Any:
        return registry.load(launch.spec, {**usual, **launch.options, **options})

    return make


class TestRecognizers(asr.RecognizerContract):
    @pytest.fixture(params=of_kind("asr"))
    def subject(self, request: pytest.FixtureRequest) -> asr.Subject:
        candidate: Candidate = request.param
        make = maker(candidate)
        longest = max(candidate.recordings, key=lambda recording: len(recording.pcm))
        return asr.Subject(
            make,
            longest.pcm[:SPEECH_BYTES],
            candidate.language,
            is_exact=False,
            larger=make,
        )


class TestLanguageModels(llm.LanguageModelContract):
    @pytest.fixture(params=of_kind("llm"))
    def subject(self, request: pytest.FixtureRequest) -> llm.Subject:
        candidate: Candidate = request.param
        sampling = {"temperature": 0, "seed": 1} if candidate.launch.options.get("model") else {}
        return llm.Subject(
            maker(candidate, **sampling),
            question=candidate.questions[0],
            context=candidate.launch.options.get("context"),
            is_exact=False,
            has_adapters=bool(candidate.launch.options.get("model")),
            larger=maker(candidate, **sampling) if _is_local(candidate) else None,
        )


def _is_local(candidate: Candidate) -> bool:
    return Path(str(candidate.launch.options.get("model", ""))).is_file()
