"""VITS keeps the contract of a synthesizer: voices of MMS and of Coqui, of one piece and of two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines.tts.vits.engine import Vits
from models.tiny import vits_voices
from models.tiny.vits_onnx import Kind
from tests.engines.contract.tts import Subject, SynthesizerContract

_QUIET = {"noise_scale": 0, "noise_w": 0, "device": "cpu", "threads": 1}


class _OfFolder(SynthesizerContract):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        folder = self.made(tmp_path / "voice")

        def make(**options: Any) -> Vits:
            return Vits(Vits.Options.model_validate({"model": folder, **_QUIET, **options}))

        def larger() -> Vits:  # quick of speech, for it computes a hundred times as much
            voice = vits_voices.mms(tmp_path / "larger", Kind(width=384))
            return make(model=voice, length_scale=0.1)

        watched = larger if self.is_watched else None
        return Subject(
            make,
            text=self.text,
            language=self.language,
            larger=watched,
            default=lambda voice: {"speaker": voice},
        )

    text = "The river listens, and the wind in the reeds answers slowly."
    language = "en"
    is_watched = False
    """Whether its memory is; once is enough, the sessions are alike."""

    def made(self, folder: Path) -> Path:
        raise NotImplementedError


class TestMms(_OfFolder):
    text = "rwizi runoteerera uye mhepo inopindura zvishoma nezvishoma"
    language = "sn"
    is_watched = True

    def made(self, folder: Path) -> Path:
        return vits_voices.mms(folder)


class TestMmsByTransformers(_OfFolder):
    """Exported without `scales`: the pace is ours, the chance is the model's own."""

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        folder = vits_voices.mms(tmp_path / "voice", Kind(scaled=False))

        def make(**options: Any) -> Vits:
            return Vits(Vits.Options.model_validate({"model": folder, **_QUIET, **options}))

        return Subject(make, is_exact=False)


class TestWithoutPace(SynthesizerContract):
    """Exported without `scales`, and without durations to lay a pace over."""

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        folder = vits_voices.mms(tmp_path / "voice", Kind(scaled=False, told=False))

        def make(**options: Any) -> Vits:
            return Vits(Vits.Options.model_validate({"model": folder, **_QUIET, **options}))

        return Subject(make, is_exact=False)


class TestCoqui(_OfFolder):
    def made(self, folder: Path) -> Path:
        return vits_voices.coqui(folder, Kind(speakers=3, languages=2))


class TestOfOnePiece(_OfFolder):
    """A decoder that hears all of the sound at once, durations that are not told."""

    def made(self, folder: Path) -> Path:
        return vits_voices.coqui(folder, Kind(plain=False, told=False))
