"""Piper keeps the contract of a synthesizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines.tts.vits.piper import Piper
from models.tiny import vits_voices
from models.tiny.vits_onnx import Kind
from tests.engines.contract.tts import Subject, SynthesizerContract


class TestPiper(SynthesizerContract):
    @pytest.fixture(params=[1, 4], ids=["one speaker", "several"])
    def subject(self, tmp_path: Path, request: pytest.FixtureRequest) -> Subject:
        voice = vits_voices.piper(tmp_path, Kind(speakers=request.param))

        def make(**options: Any) -> Piper:
            quiet = {"noise_scale": 0, "noise_w": 0, "device": "cpu", "threads": 1}
            return Piper(Piper.Options.model_validate({"model": voice, **quiet, **options}))

        return Subject(make, default=lambda voice: {"speaker": voice})
