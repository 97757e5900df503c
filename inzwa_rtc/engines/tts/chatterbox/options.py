"""Options of the engine `chatterbox`."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from inzwa_rtc.engines.tts.apart.options import CloningOptions


class CheckOptions(BaseModel):
    """The recogniser that listens to takes: `engine` and that engine's own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    engine: str

    @property
    def options(self) -> dict[str, Any]:
        """Those of the recogniser."""
        return dict(self.model_extra or {})


class ChatterboxOptions(CloningOptions):
    """Options under `tts:` in the configuration. `model` is the folder of Chatterbox's files."""

    exaggeration: Annotated[float, Field(ge=0, le=2)] = 0.5
    """How expressive: 0 is flat."""
    cfg_weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    """How closely the recording's manner is kept; lower is slower. The library fails at 0."""
    temperature: Annotated[float, Field(gt=0, le=2)] = 0.8
    """Higher is livelier and less sure."""
    candidates: Annotated[int, Field(ge=1, le=8)] = 1
    """Takes of each clause, of which the one that is understood best is spoken."""
    good_enough: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The word error rate at which no further take is made."""
    check: CheckOptions | None = None
    """The recogniser that judges the takes; not loaded for a single one."""

    @model_validator(mode="after")
    def _several_are_judged(self) -> Self:
        if self.candidates > 1 and self.check is None:
            raise ValueError(
                "several candidates need a recogniser that judges them: "
                "check: {engine: faster-whisper, model: ...}"
            )
        return self
