"""The contracts, kept by the models of a folder: `make acceptance MODELS=DIR`.

Unlike the tiny ones of random weights, these may understand something; what is asked of them
here is the same.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.acceptance.folder import Candidate, read
from inzwa_rtc.catalogue.resolve import resolve
from inzwa_rtc.engines import registry
from tests.engines.contract import asr, llm

FOLDER = os.environ.get("ACCEPTANCE_MODELS")
if not FOLDER:
    pytest.skip("for models of one's own: make acceptance MODELS=DIR", allow_module_level=True)

CANDIDATES = read(Path(FOLDER))
SPEECH_BYTES = 2 * 16_000 * 10  # of a recording: several times that is decoded in a test
GUARD_S = 900.0  # real models take their time on a CPU
pytestmark = pytest.mark.timeout(2 * GUARD_S)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for suite in (asr, llm):
        monkeypatch.setattr(suite, "GUARD_S", GUARD_S)


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(one, id=one.name) for one in CANDIDATES if one.kind == kind]


def maker(candidate: Candidate, **usual: Any) -> Any:
    """Builds the engine in this process."""
    launch = candidate.launch
    if launch.python is not None and not runs_this(launch.python):
        pytest.skip(
            "is installed in another environment. Install the extra `test` there and run "
            f"ACCEPTANCE_MODELS={FOLDER} {launch.python} -m pytest {Path(__file__)}"
        )

    def make(**options: Any) -> Any:
        return registry.load(launch.spec, {**usual, **launch.options, **options})

    return make


def runs_this(python: str) -> bool:
    """Whether it is the Python of the environment that this runs in. Environments share the
    program itself: only its place tells."""
    return Path(python).absolute().parents[1] == Path(sys.prefix).absolute()


def is_on_server(candidate: Candidate) -> bool:
    """Whether its model is a server's, which may be elsewhere, and may take any name for that
    of a model or an adapter."""
    made: Any = registry.imported(candidate.launch.spec)
    return "base_url" in made.Options.model_fields


def size(candidate: Candidate) -> int:
    """Bytes of the model's files on this machine, 0 where it has none."""
    launch = candidate.launch
    if is_on_server(candidate) or not launch.options.get("model"):
        return 0
    path = Path(resolve(str(launch.options["model"]), launch.spec.name))
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


class TestRecognizers(asr.RecognizerContract):
    @pytest.fixture(params=of_kind("asr"))
    def subject(self, request: pytest.FixtureRequest) -> asr.Subject:
        candidate: Candidate = request.param
        make, model = maker(candidate), size(candidate)
        longest = max(candidate.recordings, key=lambda recording: len(recording.pcm))
        return asr.Subject(
            make,
            longest.pcm[:SPEECH_BYTES],
            candidate.language,
            is_exact=False,
            larger=make if model else None,
            kept_bytes=kept(model, asr.KEPT_BYTES),
            stays_home=not is_on_server(candidate),
        )


class TestLanguageModels(llm.LanguageModelContract):
    @pytest.fixture(params=of_kind("llm"))
    def subject(self, request: pytest.FixtureRequest) -> llm.Subject:
        candidate: Candidate = request.param
        has_model = bool(candidate.launch.options.get("model"))
        make = maker(candidate, **({"temperature": 0, "seed": 1} if has_model else {}))
        model = size(candidate)
        return llm.Subject(
            make,
            question=candidate.questions[0],
            context=candidate.launch.options.get("context"),
            is_exact=False,
            has_adapters=has_model and not is_on_server(candidate),
            larger=make if model else None,
            kept_bytes=kept(model, llm.KEPT_BYTES),
            stays_home=not is_on_server(candidate),
        )


def kept(model: int, least: int) -> int:
    """What three kept models would take at least: a library may hold one in half the bytes of
    its file. Less than `least` says nothing: that much comes and goes."""
    return max(model, least)
