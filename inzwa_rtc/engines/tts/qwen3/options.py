"""Options of the engine `qwen3`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from inzwa_rtc.engines.tts.apart.options import CloningOptions


class Qwen3Options(CloningOptions):
    """Options under `tts:` in the configuration. `model` is the folder of a Qwen3-TTS model."""

    instruct: str = ""
    """How to speak, in plain words; a VoiceDesign model makes its voice from it. The small
    CustomVoice models (0.6B) know no instructions."""
    temperature: Annotated[float, Field(gt=0, le=2)] = 0.9
    """Higher is livelier and less sure."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of the weights; auto: bfloat16 on a GPU, float32 on a CPU."""
    max_tokens: Annotated[int, Field(ge=1, le=8192)] = 1024
    """The most that a clause may become, 83 ms of sound each."""
