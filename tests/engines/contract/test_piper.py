"""Piper keeps the contract of a synthesizer."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines.tts.vits.piper import Piper
from models.tiny import vits_voices
from models.tiny.vits_onnx import Kind
from tests.engines.contract.tts import Subject, SynthesizerContract, check, spoken


class TestPiper(SynthesizerContract):
    @pytest.fixture(params=[1, 4], ids=["one speaker", "several"])
    def subject(self, tmp_path: Path, request: pytest.FixtureRequest) -> Subject:
        voice = vits_voices.piper(tmp_path, Kind(speakers=request.param))

        def make(**options: Any) -> Piper:
            quiet = {"noise_scale": 0, "noise_w": 0, "device": "cpu", "threads": 1}
            return Piper(Piper.Options.model_validate({"model": voice, **quiet, **options}))

        return Subject(make, default=lambda voice: {"speaker": voice})

    @pytest.mark.parametrize("text", ["漢字仮名交" * 60, "مرحبا " * 50, "WXQZ " * 60])
    async def test_a_run_is_bounded_however_much_is_read_of_a_sign(
        self, subject: Subject, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """eSpeak reads a sign of a foreign script as words of their own."""
        with closing(subject.make()) as engine:
            runs: list[int] = []
            encode = engine._model.encode

            def counting(ids: Any, *given: Any) -> Any:
                runs.append(len(ids))
                return encode(ids, *given)

            monkeypatch.setattr(engine._model, "encode", counting)
            request = self.request(subject, text)
            check(await spoken(engine, request), request, engine.sample_rate)
        assert max(runs) <= 1000
        assert sum(runs) > 1500
