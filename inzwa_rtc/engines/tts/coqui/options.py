"""Options of the engine `coqui`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inzwa_rtc.engines.tts.apart.options import CloningOptions


class CoquiOptions(CloningOptions):
    """Options under `tts:` in the configuration. `model` is a folder with a `config.json`, or a
    checkpoint beside one."""

    temperature: Annotated[float, Field(gt=0, le=2)] = 0.75
    """XTTS: higher is livelier and less sure."""
    stream_tokens: Annotated[int, Field(ge=1, le=200)] = 20
    """XTTS: tokens (46 ms of sound each) that are made before their sound leaves."""
